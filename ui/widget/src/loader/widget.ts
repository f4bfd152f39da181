// The life of the widget on a page: nothing, pending, loaded, and back. Whatever is under way belongs to a turn; a
// later turn makes the earlier one's answers void.

import { wrap, unwrap, FRAME_EVENTS, type Init, type ToFrame, type ToLoader } from '../protocol';
import { HIDE_WELCOME, IS_OPEN } from './cookies';
import type { Home } from './home';
import { safely } from './listeners';
import type { Memory } from './memory';
import { awaitBody, awaitElement, makePlace, styled, themeOf, type Place } from './place';
import { readSettings, type BannerMode, type Settings } from './settings';

export interface Page extends Window {
  hsConversationsSettings?: unknown;
}

interface Chat {
  account: string;
  position?: string;
  color?: string | null;
  cookieBanner?: BannerMode;
  language?: string | null;
  title?: string | null;
  welcomeMessage?: string | null;
}

interface How {
  open?: boolean;
  fresh?: boolean;
  forget?: boolean;
  /** Whether a frame that says nothing is tried once more. */
  again?: boolean;
}

export interface Widget {
  load(how: How): void;
  refresh(fresh: boolean): void;
  open(): void;
  close(): void;
  remove(): void;
  clear(reset: boolean): void;
  status(): { loaded: boolean; pending: boolean };
}

/** A chat that cannot be asked for is asked for again, ever more seldom. */
const TRIES = 5;
const FRAME_MUST_SPEAK = 15_000;

export function makeWidget(
  view: Page,
  home: Home,
  memory: Memory,
  emit: (name: string, payload: object) => void,
): Widget {
  const document = view.document;
  let turn = 0;
  let pending = false;
  let loaded = false;
  let place: Place | null = null;
  let openWanted = false;
  let openNow = false;
  let running = false;
  let builtFrom = '';
  let interacted = false;
  let unread = 0;
  let exitAsks = false;
  let inline = false;

  const settings = (): Settings => readSettings(safely(() => view.hsConversationsSettings));
  const send = (message: ToFrame) => place?.frame.contentWindow?.postMessage(wrap(message), home.origin);
  const warn = (text: string) => console.warn('[Antiphon] ' + text);
  const drawnFrom = (chat: Chat, from: Settings) => JSON.stringify([chat.account, from]);

  function begin(how: How): void {
    const mine = ++turn;
    const current = () => mine === turn;
    takeOff();
    pending = true;
    const from = settings();
    const selector = from.inlineEmbedSelector;
    const steps = async () => {
      const parent = selector ? await awaitElement(document, selector) : await awaitBody(document);
      if (!current()) return;
      if (!parent) warn(`Nothing on this page matches ${selector}; the chat is not shown.`);
      const chat = parent && (await ask(current));
      if (chat && parent) await styled(document, home, from.avoidInlineStyles);
      if (!current()) return;
      if (chat && parent) build(parent, chat, from, how, current);
      else pending = false;
    };
    steps().catch((error) => {
      if (current()) pending = false;
      warn(String(error));
    });
  }

  /** Which chat applies to this page: null for none, undefined when nobody could be asked. */
  async function ask(current: () => boolean): Promise<Chat | null | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        const url = `${home.base}/widget/v1/${home.portalId}/config?url=${encodeURIComponent(view.location.href)}`;
        const response = await view.fetch(url, { credentials: 'omit' });
        if (response.ok) {
          const chat = await response.json();
          return chat && chat.account ? chat : null;
        }
        if (response.status < 500 && response.status !== 429) return null;
      } catch {
        // The network: tried again below.
      }
      if (tries === TRIES) return;
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** tries * (0.5 + Math.random() / 2)));
      if (!current()) return;
    }
  }

  function build(parent: Element, chat: Chat, from: Settings, how: How, current: () => boolean): void {
    inline = !!from.inlineEmbedSelector;
    const banner = from.banner ?? chat.cookieBanner ?? 'OFF';
    const asks = memory.asks(banner !== 'OFF');
    const identified = from.identificationEmail && from.identificationToken;
    const align = chat.position === 'LEFT' ? 'left' : 'right';
    const theme = themeOf(view);
    builtFrom = drawnFrom(chat, from);
    exitAsks = asks && banner === 'ON_EXIT_INTENT';
    openNow = inline || how.open || openWanted || memory.get(IS_OPEN);
    openWanted = false;
    const made = makePlace(view, parent, {
      inline,
      align,
      src: `${home.base}/widget/${home.portalId}/frame?account=${encodeURIComponent(chat.account)}`,
      title: chat.title || 'Chat',
      theme,
    });
    place = made;
    made.frame.addEventListener('load', () => {
      const init: Init = {
        type: 'init',
        portalId: home.portalId,
        account: chat.account,
        inline,
        open: openNow,
        fresh: !!how.fresh,
        focus: !from.disableInitialInputFocus,
        attachments: !from.disableAttachment,
        newThreads: !from.hideNewThreadLink,
        visitorKey: identified ? null : memory.key(),
        identification: identified
          ? { email: from.identificationEmail, token: from.identificationToken }
          : null,
        languages: [chat.language, document.documentElement.lang, ...view.navigator.languages].filter(
          (tag): tag is string => !!tag,
        ),
        color: chat.color ?? null,
        align,
        title: chat.title ?? null,
        welcome: memory.get(HIDE_WELCOME) ? null : (chat.welcomeMessage ?? null),
        url: view.location.href,
        theme,
        phone: made.phone(),
        banner: asks && !exitAsks,
        forget: !!how.forget,
      };
      send(init);
    });
    setTimeout(() => {
      if (!current() || loaded) return;
      takeOff();
      warn('The chat did not load.');
      if (how.again !== false) begin({ ...how, again: false });
    }, FRAME_MUST_SPEAK);
  }

  function takeOff(): void {
    place?.remove();
    place = null;
    pending = loaded = openNow = running = exitAsks = false;
    unread = 0;
    builtFrom = '';
  }

  function remove(): void {
    turn++;
    openWanted = false;
    takeOff();
  }

  /** A page may have thrown our element away, with a modal for instance: then nothing is loaded. */
  function alive(): boolean {
    if (place && !place.there()) remove();
    return loaded;
  }

  function heard(message: ToLoader): void {
    switch (message.type) {
      case 'loaded':
        if (loaded) return;
        pending = false;
        loaded = true;
        emit('widgetLoaded', { message: 'The chat widget has loaded.' });
        if (openWanted) send({ type: 'open' });
        openWanted = false;
        return;
      case 'size':
        place?.fit(Number(message.width) || 0, Number(message.height) || 0, message.open === true);
        return;
      case 'opened':
        openNow = true;
        if (!inline) memory.set(IS_OPEN, true);
        return;
      case 'closed':
        openNow = false;
        memory.set(IS_OPEN, false);
        emit('widgetClosed', { message: 'The chat widget was closed.' });
        return;
      case 'key':
        memory.setKey(String(message.visitorKey));
        return;
      case 'anonymous':
        send({ type: 'key', visitorKey: memory.key() });
        return;
      case 'dismissed':
        memory.set(HIDE_WELCOME, true);
        return;
      case 'consent':
        memory.answer(message.given === true);
        return;
      case 'running':
        running = message.running === true;
        return;
      case 'warn':
        warn(String(message.text));
        return;
      case 'event':
        tell(message.name, message.payload);
    }
  }

  function tell(name: string, payload: Record<string, unknown>): void {
    if (!(FRAME_EVENTS as readonly string[]).includes(name) || typeof payload !== 'object') return;
    if (name === 'userInteractedWithWidget') {
      if (interacted) return;
      interacted = true;
    }
    if (name === 'unreadConversationCountChanged') {
      if (payload['unreadCount'] === unread) return;
      unread = Number(payload['unreadCount']);
    }
    emit(name, payload);
  }

  function open(): void {
    if (alive()) send({ type: 'open' });
    else openWanted = true;
  }

  view.addEventListener('message', (event) => {
    if (!place || event.source !== place.frame.contentWindow || event.origin !== home.origin) return;
    const message = unwrap<ToLoader>(event.data);
    if (message) safely(() => heard(message));
  });
  view.addEventListener('resize', () => {
    if (loaded && place) send({ type: 'phone', phone: place.phone() });
  });
  document.addEventListener('mouseout', (event) => {
    if (!exitAsks || event.relatedTarget || event.clientY > 0) return;
    exitAsks = false;
    send({ type: 'banner' });
  });

  return {
    load(how) {
      if (alive()) return;
      if (!pending) begin(how);
      else if (how.open) openWanted = true;
    },
    refresh(fresh) {
      if (!alive()) {
        begin({ fresh, open: fresh });
        return;
      }
      const mine = turn;
      const from = settings();
      ask(() => mine === turn).then((chat) => {
        if (mine !== turn || chat === undefined) return;
        if (!chat) {
          if (!running) remove();
        } else if (drawnFrom(chat, from) !== builtFrom) {
          begin({ fresh, open: openNow || fresh });
        } else {
          send({ type: 'page', url: view.location.href, fresh });
        }
      });
    },
    open,
    close() {
      openWanted = false;
      if (alive()) send({ type: 'close' });
    },
    remove,
    clear(reset) {
      memory.clear();
      if (reset) {
        remove();
        begin({ forget: true });
      } else {
        send({ type: 'forget' });
      }
    },
    status() {
      const now = alive();
      return { loaded: now, pending };
    },
  };
}
