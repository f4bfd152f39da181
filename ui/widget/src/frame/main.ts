// The frame before anybody wants it: a launcher, perhaps a bubble beside it, and the line to the page. The rest is
// fetched when the visitor shows an intent, or when there may be something to read.

import { languageOf, plural, type Language } from '../messages';
import type { Init, ToFrame } from '../protocol';
import type { Conversations } from '../core/conversations';
import type { Panel } from '../app/start';
import { bridge, type Bridge } from './bridge';
import { showBubble, hideBubble, type Choice } from './bubble';
import { paint } from './colour';
import { part } from './parts';

const CLOSED = 88;
const BUBBLE_WIDTH = 312;
const OPEN = { width: 408, height: 736 };
/** A hidden tab gives its line back after this long, since browsers have only a few for each server. */
const REST_AFTER = { open: 5 * 60_000, closed: 30_000 };

const root = document.documentElement;
const launcher = document.getElementById('launcher') as HTMLButtonElement;
const badge = document.getElementById('unread') as HTMLElement;
const panelPlace = document.getElementById('panel') as HTMLElement;
const announce = document.getElementById('announce') as HTMLElement;

let init: Init;
let line: Bridge;
let language: Language;
let open = false;
let unread = 0;
let core: Promise<Conversations> | null = null;
let panel: Promise<Panel> | null = null;
let keyAsked: ((key: string | null) => void) | null = null;
let key: string | null = null;
/** Focus that a script moves says nothing about the visitor. */
let moving = false;
/** Whether the visitor still has to say something about cookies. */
let asking = false;
const early: ToFrame[] = [];

bridge(
  window,
  (first, made) => {
    init = first;
    line = made;
    key = first.visitorKey;
    void begin();
  },
  (message) => (language ? heard(message) : early.push(message)),
);

async function begin(): Promise<void> {
  dress();
  language = await part(languageOf(init.languages));
  root.lang = language.tag;
  root.dir = language.rightToLeft ? 'rtl' : 'ltr';
  const title = init.title ?? language.messages.chat;
  document.title = title;
  (document.getElementById('name') as HTMLElement).textContent = title;
  relabel();
  launcher.hidden = false;
  for (const event of ['pointerenter', 'focus', 'pointerdown', 'touchstart']) {
    launcher.addEventListener(event, fetchAhead, { passive: true });
  }
  launcher.addEventListener('click', () => (open ? close(true) : show(true)));
  for (const event of ['pointerdown', 'keydown', 'focusin'])
    document.addEventListener(event, interacted, true);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.isComposing && open && !init.inline) close(true);
  });
  new ResizeObserver(fit).observe(document.getElementById('bubble') as HTMLElement);
  restWhenHidden();
  line.tell({ type: 'loaded' });
  if (init.banner) askForCookies();
  if (init.open) show(init.inline && init.focus);
  else greet();
  fit();
  for (const message of early.splice(0)) heard(message);
  // Somebody who was here before may have something to read.
  if (!open && (init.visitorKey || init.identification)) whenSeen(() => idle(() => void begun()));
}

/** What can be shown before a word of any language has arrived. */
function dress(): void {
  if (init.theme !== 'auto') root.dataset['theme'] = init.theme;
  root.dataset['align'] = init.align;
  root.toggleAttribute('data-inline', init.inline);
  root.toggleAttribute('data-phone', init.phone);
  paint(root, init.color);
}

function heard(message: ToFrame): void {
  switch (message.type) {
    case 'open':
      return show(true);
    case 'close':
      return close(false);
    case 'phone':
      root.toggleAttribute('data-phone', message.phone);
      return;
    case 'banner':
      return askForCookies();
    case 'key':
      key = message.visitorKey;
      keyAsked?.(key);
      keyAsked = null;
      return;
    case 'page':
      void page(message.url, message.fresh);
      return;
    case 'forget':
      void core?.then((conversations) => conversations.forget());
      return;
  }
}

async function page(url: string, fresh: boolean): Promise<void> {
  init.url = url;
  if (core) (await core).page(url);
  if (!fresh) return;
  show(true, true);
}

// Opening and closing

function show(focus: boolean, fresh = init.fresh): void {
  init.fresh = false;
  if (!open) {
    open = true;
    if (!asking) hideBubble();
    root.setAttribute('data-open', '');
    panelPlace.hidden = false;
    relabel();
    fit();
    line.tell({ type: 'opened' });
  }
  void warm().then((shown) => {
    if (open) shown.open(fresh, focus);
  });
}

function close(byVisitor: boolean): void {
  if (!open || init.inline) return;
  open = false;
  root.removeAttribute('data-open');
  panelPlace.hidden = true;
  relabel();
  fit();
  line.tell({ type: 'closed' });
  void panel?.then((shown) => shown.close());
  if (byVisitor) focusQuietly(launcher);
}

function relabel(): void {
  const { messages } = language;
  const count = unread > 0 ? `, ${plural(language, messages.unread, unread)}` : '';
  launcher.setAttribute('aria-label', open ? messages.close : messages.open + count);
  launcher.setAttribute('aria-expanded', String(open));
  badge.textContent = new Intl.NumberFormat(language.tag).format(unread);
  badge.hidden = open || unread === 0;
}

function fit(): void {
  if (init.inline) return;
  const bubble = document.getElementById('bubble') as HTMLElement;
  if (open) line.tell({ type: 'size', ...OPEN, open: true });
  else if (bubble.hidden) line.tell({ type: 'size', width: CLOSED, height: CLOSED, open: false });
  else {
    const height = Math.ceil(bubble.getBoundingClientRect().height) + CLOSED + 24;
    line.tell({ type: 'size', width: BUBBLE_WIDTH, height, open: false });
  }
}

// The bubble beside the launcher

function greet(): void {
  if (!init.welcome || open || asking || init.inline) return;
  const { messages } = language;
  const dismiss = () => {
    hideBubble();
    fit();
    line.tell({ type: 'dismissed' });
    focusQuietly(launcher);
  };
  showBubble(init.welcome, [
    { label: messages.open, first: true, chosen: () => show(true) },
    { label: messages.dismiss, first: false, chosen: dismiss },
  ]);
  fit();
}

function askForCookies(): void {
  const { messages } = language;
  asking = true;
  const answer = (given: boolean) => () => {
    asking = false;
    hideBubble();
    line.tell({ type: 'consent', given });
    if (!open) greet();
    fit();
  };
  const choices: Choice[] = [
    { label: messages.cookieAccept, first: true, chosen: answer(true) },
    { label: messages.cookieDecline, first: false, chosen: answer(false) },
  ];
  showBubble(messages.cookieText, choices);
  fit();
}

// What is fetched on intent

/** The code alone: nobody is told anything before the visitor has opened the chat. */
function fetchAhead(): void {
  for (const code of [import('../core/conversations'), import('../app/start')]) code.catch(() => void 0);
}

function begun(): Promise<Conversations> {
  core ??= part(import('../core/conversations')).then(({ Conversations }) => {
    const conversations = new Conversations({
      init,
      language: language.tag,
      base: new URL('../v1/', location.href).href,
      storage: () => localStorage,
      visitorKey: askForKey,
      keepKey(kept) {
        if (kept === key) return;
        key = kept;
        line.tell({ type: 'key', visitorKey: kept });
      },
      event: (name, payload) => line.tell({ type: 'event', name, payload }),
      running: (running) => line.tell({ type: 'running', running }),
      warn: (text) => line.tell({ type: 'warn', text }),
      now: () => Date.now(),
      random: () => Math.random(),
      uuid: freshId,
    });
    conversations.subscribe((state) => {
      if (state.unread === unread) return;
      if (state.unread > unread && !open) {
        announce.textContent = language.messages.newMessage;
        setTimeout(() => (announce.textContent = ''), 2000);
      }
      unread = state.unread;
      relabel();
    });
    void conversations.start();
    return conversations;
  });
  return core;
}

function warm(): Promise<Panel> {
  panel ??= Promise.all([begun(), part(import('../app/start'))]).then(([conversations, app]) =>
    app.start(panelPlace, {
      conversations,
      language,
      inline: init.inline,
      attachments: init.attachments,
      newThreads: init.newThreads,
      close: () => close(true),
      focus: focusQuietly,
    }),
  );
  return panel;
}

/** The page keeps the key; one that was identified in vain has not been told it yet. */
function askForKey(): Promise<string | null> {
  if (key !== null || !init.identification) return Promise.resolve(key);
  return new Promise((resolve) => {
    keyAsked = resolve;
    line.tell({ type: 'anonymous' });
  });
}

/** `crypto.randomUUID` exists on secure pages only. */
function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// The visitor

function interacted(): void {
  if (moving) return;
  for (const event of ['pointerdown', 'keydown', 'focusin'])
    document.removeEventListener(event, interacted, true);
  line.tell({
    type: 'event',
    name: 'userInteractedWithWidget',
    payload: { message: 'The visitor interacted with the chat widget.' },
  });
}

function focusQuietly(element: HTMLElement): void {
  moving = true;
  element.focus({ preventScroll: true });
  moving = false;
}

function restWhenHidden(): void {
  let timer: ReturnType<typeof setTimeout>;
  const rest = () => void core?.then((conversations) => conversations.rest());
  const wake = () => {
    clearTimeout(timer);
    void core?.then((conversations) => conversations.wake());
  };
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake();
    else timer = setTimeout(rest, open ? REST_AFTER.open : REST_AFTER.closed);
  });
  addEventListener('online', wake);
  addEventListener('pageshow', wake);
  addEventListener('pagehide', rest);
}

/** Tabs that are opened in the background cost nothing before they are looked at. */
function whenSeen(work: () => void): void {
  if (document.visibilityState === 'visible') work();
  else document.addEventListener('visibilitychange', work, { once: true });
}

function idle(work: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: 3000 });
  else setTimeout(work, 500);
}
