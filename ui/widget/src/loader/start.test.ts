import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wrap, type Init, type ToFrame, type ToLoader } from '../protocol';
import { start, type HostPage } from './start';

const SERVER = 'https://chat.harbour.example';
const page = window as unknown as HostPage;
let answers: Record<string, unknown>;
let asked: string[];

/** Puts the tag into the page and runs what it names. */
function tag(src = SERVER + '/4410.js'): void {
  const script = document.createElement('script');
  script.id = 'hs-script-loader';
  script.setAttribute('src', src);
  script.type = 'text/plain';
  document.head.append(script);
  start(page);
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const widget = () => page.HubSpotConversations!.widget;
const container = () => document.getElementById('hubspot-messages-iframe-container');
const frame = () => document.querySelector('iframe') as HTMLIFrameElement;

/** What the frame was told since it was built. */
function listen(): (ToFrame & { antiphon: string })[] {
  const told: (ToFrame & { antiphon: string })[] = [];
  vi.spyOn(frame().contentWindow!, 'postMessage').mockImplementation(((message: never, origin: string) => {
    expect(origin).toBe(SERVER);
    told.push(message);
  }) as never);
  return told;
}

function say(message: ToLoader, origin = SERVER, source: Window | null = frame().contentWindow): void {
  window.dispatchEvent(new MessageEvent('message', { data: wrap(message), origin, source }));
}

async function loaded(): Promise<(ToFrame & { antiphon: string })[]> {
  await settle();
  const told = listen();
  frame().dispatchEvent(new Event('load'));
  say({ type: 'loaded' });
  return told;
}

const init = (told: ToFrame[]) => told.find((message): message is Init => message.type === 'init')!;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  answers = {
    account: '91',
    position: 'RIGHT',
    color: '#aa3300',
    cookieBanner: 'OFF',
    welcomeMessage: 'Ahoy',
  };
  asked = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return Promise.resolve(new Response(JSON.stringify(answers)));
  });
});

afterEach(() => {
  page.HubSpotConversations?.widget.remove();
  delete page.HubSpotConversations;
  delete page.hsConversationsOnReady;
  delete page.hsConversationsSettings;
  document.head.replaceChildren();
  document.body.replaceChildren();
  localStorage.clear();
  sessionStorage.clear();
  for (const pair of document.cookie.split('; ')) {
    const name = pair.split('=')[0];
    for (const domain of ['', ';domain=harbour.example', ';domain=shop.harbour.example']) {
      document.cookie = `${name}=;path=/;max-age=0${domain}`;
    }
  }
  vi.useRealTimers();
});

describe('starting', () => {
  it('calls whoever waited once, in order and without arguments, and whoever comes later at once', () => {
    const calls: unknown[][] = [];
    const first = (...args: unknown[]) => calls.push(['first', args.length]);
    const broken = () => {
      throw new Error('the page’s own');
    };
    const second = () => calls.push(['second', typeof page.HubSpotConversations]);
    vi.spyOn(console, 'error').mockReturnValue();
    page.hsConversationsOnReady = [first, broken, 'no function', second];
    tag();
    expect(calls).toEqual([
      ['first', 0],
      ['second', 'object'],
    ]);
    const queue = page.hsConversationsOnReady as unknown as { push(fn: unknown): void; length: number };
    queue.push(() => calls.push(['late']));
    expect(calls.at(-1)).toEqual(['late']);
    expect(queue.length).toBe(0);
  });

  it('does nothing the second time', () => {
    tag();
    const surface = page.HubSpotConversations;
    tag();
    expect(page.HubSpotConversations).toBe(surface);
  });

  it.each([
    [SERVER + '/4410.js', SERVER, 4410],
    [SERVER + '/help/4410.js', SERVER + '/help', 4410],
    [SERVER + '/widget/loader.js?portalId=7', SERVER, 7],
  ])('knows server and portal from %s', async (src, base, portal) => {
    tag(src);
    await settle();
    expect(asked[0]).toBe(`${base}/widget/v1/${portal}/config?url=${encodeURIComponent(location.href)}`);
    expect(frame().src).toBe(`${base}/widget/${portal}/frame?account=91`);
  });

  it('says so when its address names no portal', () => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue();
    tag(SERVER + '/widget/loader.js');
    expect(page.HubSpotConversations).toBeUndefined();
    expect(warned).toHaveBeenCalledOnce();
  });
});

describe('loading', () => {
  it('shows a launcher by itself and says when it has loaded', async () => {
    const heard: unknown[] = [];
    page.hsConversationsOnReady = [
      () => page.HubSpotConversations!.on('widgetLoaded', (payload: unknown) => heard.push(payload)),
    ];
    tag();
    expect(widget().status()).toEqual({ loaded: false, pending: true });
    const told = await loaded();
    expect(widget().status()).toEqual({ loaded: true, pending: false });
    expect(heard).toEqual([{ message: expect.any(String) }]);
    expect(container()!.className).toBe('widget-align-right');
    expect(container()!.querySelectorAll('iframe')).toHaveLength(1);
    expect(init(told)).toMatchObject({
      account: '91',
      open: false,
      inline: false,
      welcome: 'Ahoy',
      color: '#aa3300',
    });
  });

  it('waits for load() if the page wants that, and loads once', async () => {
    page.hsConversationsSettings = { loadImmediately: false };
    tag();
    await settle();
    expect(widget().status()).toEqual({ loaded: false, pending: false });
    expect(asked).toEqual([]);
    widget().load({ widgetOpen: true });
    const told = await loaded();
    expect(init(told).open).toBe(true);
    vi.advanceTimersByTime(1001);
    widget().load();
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('drops what is called more than once a second', async () => {
    tag();
    await loaded();
    widget().refresh();
    widget().refresh();
    await settle();
    expect(asked).toHaveLength(2);
    vi.advanceTimersByTime(1000);
    widget().refresh();
    await settle();
    expect(asked).toHaveLength(3);
  });

  it('shows nothing where there is no chat', async () => {
    answers = { account: null };
    tag();
    await settle();
    expect(container()).toBeNull();
    expect(widget().status()).toEqual({ loaded: false, pending: false });
  });

  it('asks again when nobody answers', async () => {
    let tries = 0;
    vi.stubGlobal('fetch', () =>
      ++tries < 3 ? Promise.reject(new TypeError('no network')) : Promise.resolve(Response.json(answers)),
    );
    tag();
    await vi.advanceTimersByTimeAsync(8000);
    expect(container()).not.toBeNull();
  });

  it('remembers open() until it has loaded', async () => {
    tag();
    widget().open();
    const told = await loaded();
    expect(init(told).open).toBe(true);
    widget().close();
    expect(told.at(-1)).toMatchObject({ type: 'close' });
  });

  it('is gone after remove() and comes back by load()', async () => {
    tag();
    await loaded();
    widget().remove();
    expect(container()).toBeNull();
    expect(widget().status().loaded).toBe(false);
    widget().load();
    await loaded();
    expect(widget().status().loaded).toBe(true);
  });

  it('tries a frame that says nothing once more, and gives up', async () => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue();
    tag();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(warned).toHaveBeenCalledOnce();
    expect(asked).toHaveLength(2);
    expect(container()).not.toBeNull();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(container()).toBeNull();
    expect(widget().status()).toEqual({ loaded: false, pending: false });
    expect(warned).toHaveBeenCalledTimes(2);
  });

  it('never throws at the page, whatever it is given', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    page.hsConversationsSettings = new Proxy({}, { get: () => { throw new Error('hostile'); } }); // prettier-ignore
    tag();
    await loaded();
    const surface = page.HubSpotConversations!;
    const wild = [null, undefined, 7, 'x', [], () => 1, { widgetOpen: 'yes' }];
    for (const value of wild) {
      expect(surface.widget.load(value)).toBeUndefined();
      expect(surface.widget.refresh(value)).toBeUndefined();
      expect(surface.clear(value)).toBeUndefined();
      expect(surface.on(value, value)).toBeUndefined();
      expect(surface.off(value, value)).toBeUndefined();
      vi.advanceTimersByTime(1001);
    }
    expect(surface.resetAndReloadWidget()).toBeUndefined();
  });
});

describe('refreshing', () => {
  it('takes the widget away where there is no chat, unless a conversation is running', async () => {
    tag();
    await loaded();
    answers = { account: null };
    say({ type: 'running', running: true });
    widget().refresh();
    await settle();
    expect(container()).not.toBeNull();
    say({ type: 'running', running: false });
    vi.advanceTimersByTime(1001);
    widget().refresh();
    await settle();
    expect(container()).toBeNull();
  });

  it('keeps the widget when the network is gone', async () => {
    tag();
    await loaded();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
    widget().refresh();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(container()).not.toBeNull();
  });

  it('builds anew when the page says who its visitor is', async () => {
    tag();
    await loaded();
    page.hsConversationsSettings = { identificationEmail: 'ineke@harbour.example', identificationToken: 't' };
    widget().refresh();
    const told = await loaded();
    expect(init(told).identification).toEqual({ email: 'ineke@harbour.example', token: 't' });
  });

  it('shows a fresh thread on demand', async () => {
    tag();
    const told = await loaded();
    widget().refresh({ openToNewThread: true });
    await settle();
    expect(told.at(-1)).toMatchObject({ type: 'page', fresh: true, url: location.href });
  });
});

describe('inline', () => {
  const selector = '#chat';

  it('goes into the element, always open, without touching the cookie of the floating one', async () => {
    document.body.innerHTML = '<div id="chat"></div>';
    page.hsConversationsSettings = { inlineEmbedSelector: selector, disableInitialInputFocus: true };
    tag();
    const told = await loaded();
    const found = document.querySelector(
      '#chat > #hubspot-conversations-inline-parent > iframe#hubspot-conversations-inline-iframe',
    );
    expect(found).not.toBeNull();
    expect(container()).toBeNull();
    expect(init(told)).toMatchObject({ inline: true, open: true, focus: false });
    say({ type: 'opened' });
    expect(document.cookie).not.toContain('hs-messages-is-open');
  });

  it('waits for the element of a modal that opens later', async () => {
    page.hsConversationsSettings = { inlineEmbedSelector: selector };
    tag();
    await vi.advanceTimersByTimeAsync(9000);
    expect(frame()).toBeNull();
    document.body.innerHTML = '<dialog><div id="chat"></div></dialog>';
    await vi.waitFor(() => expect(frame()).not.toBeNull());
  });

  it('gives up after ten seconds with a warning, and nothing floats instead', async () => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue();
    page.hsConversationsSettings = { inlineEmbedSelector: selector };
    tag();
    await vi.advanceTimersByTimeAsync(10_001);
    expect(warned).toHaveBeenCalledOnce();
    document.body.innerHTML = '<div id="chat"></div>';
    await settle();
    expect(frame()).toBeNull();
    expect(widget().status()).toEqual({ loaded: false, pending: false });
  });

  it('loads again when the page has thrown its element away', async () => {
    document.body.innerHTML = '<div id="chat"></div>';
    page.hsConversationsSettings = { inlineEmbedSelector: selector };
    tag();
    await loaded();
    document.body.innerHTML = '';
    expect(widget().status().loaded).toBe(false);
    document.body.innerHTML = '<div id="chat"></div>';
    widget().load();
    await loaded();
    expect(widget().status().loaded).toBe(true);
  });
});

describe('events', () => {
  it('reach listeners as copies, until they are taken off', async () => {
    tag();
    await loaded();
    const surface = page.HubSpotConversations!;
    const heard: unknown[] = [];
    const listener = (payload: { conversation: { conversationId: number } }) => {
      heard.push(payload.conversation.conversationId);
      payload.conversation.conversationId = 0;
    };
    surface.on('conversationStarted', listener);
    surface.on('conversationStarted', listener);
    const started = { conversation: { conversationId: 5 } };
    say({ type: 'event', name: 'conversationStarted', payload: started });
    expect(heard).toEqual([5, 5]);
    surface.off('conversationStarted', listener);
    say({ type: 'event', name: 'conversationStarted', payload: started });
    expect(heard).toEqual([5, 5, 5]);
    surface.off('conversationStarted', listener);
    say({ type: 'event', name: 'conversationStarted', payload: started });
    expect(heard).toHaveLength(3);
  });

  it('are believed from our own frame alone', async () => {
    tag();
    await loaded();
    const heard = vi.fn();
    page.HubSpotConversations!.on('contactAssociated', heard);
    const event = { type: 'event', name: 'contactAssociated', payload: { message: 'm' } } as const;
    say(event, 'https://evil.example');
    say(event, SERVER, window);
    window.dispatchEvent(
      new MessageEvent('message', { data: event, origin: SERVER, source: frame().contentWindow }),
    );
    expect(heard).not.toHaveBeenCalled();
    say({ ...event, name: 'widgetLoaded' as never });
    expect(heard).not.toHaveBeenCalled();
    say(event);
    expect(heard).toHaveBeenCalledOnce();
  });

  it('are told once a page for the first interaction, and for unread ones only when the number changes', async () => {
    tag();
    await loaded();
    const heard: string[] = [];
    for (const name of ['userInteractedWithWidget', 'unreadConversationCountChanged']) {
      page.HubSpotConversations!.on(name, (payload: unknown) => heard.push(JSON.stringify(payload)));
    }
    say({ type: 'event', name: 'unreadConversationCountChanged', payload: { unreadCount: 0 } });
    say({ type: 'event', name: 'unreadConversationCountChanged', payload: { unreadCount: 2 } });
    say({ type: 'event', name: 'unreadConversationCountChanged', payload: { unreadCount: 2 } });
    say({ type: 'event', name: 'userInteractedWithWidget', payload: { message: 'm' } });
    say({ type: 'event', name: 'userInteractedWithWidget', payload: { message: 'm' } });
    expect(heard).toEqual(['{"unreadCount":2}', '{"message":"m"}']);
  });

  it('say when the widget was closed, by whomever', async () => {
    tag();
    await loaded();
    const heard = vi.fn();
    page.HubSpotConversations!.on('widgetClosed', heard);
    say({ type: 'closed' });
    expect(heard).toHaveBeenCalledWith({ message: expect.any(String) });
  });
});

describe('cookies', () => {
  const KEY = '0123456789abcdef0123456789abcdef';

  it('keep the visitor’s key for the whole domain, and go with clear()', async () => {
    tag();
    await loaded();
    say({ type: 'key', visitorKey: KEY });
    say({ type: 'opened' });
    say({ type: 'dismissed' });
    expect(document.cookie.split('; ').sort()).toEqual([
      'hs-messages-hide-welcome-message=true',
      'hs-messages-is-open=true',
      'messagesUtk=' + KEY,
    ]);
    // A cookie for the host alone would be another one beside it.
    document.cookie = 'messagesUtk=;path=/;max-age=0';
    expect(document.cookie).toContain(KEY);
    page.HubSpotConversations!.clear();
    expect(document.cookie).toBe('');
  });

  it('say what the next page starts from', async () => {
    document.cookie = `messagesUtk=${KEY};path=/`;
    document.cookie = 'hs-messages-is-open=true;path=/';
    document.cookie = 'hs-messages-hide-welcome-message=true;path=/';
    tag();
    expect(init(await loaded())).toMatchObject({ visitorKey: KEY, open: true, welcome: null });
  });

  it('are neither read nor set for an identified visitor', async () => {
    document.cookie = `messagesUtk=${KEY};path=/`;
    page.hsConversationsSettings = { identificationEmail: 'ineke@harbour.example', identificationToken: 't' };
    tag();
    expect(init(await loaded()).visitorKey).toBeNull();
  });

  it('serve an identification that proved nothing', async () => {
    document.cookie = `messagesUtk=${KEY};path=/`;
    page.hsConversationsSettings = {
      identificationEmail: 'ineke@harbour.example',
      identificationToken: 'bad',
    };
    tag();
    const told = await loaded();
    say({ type: 'anonymous' });
    expect(told.at(-1)).toMatchObject({ type: 'key', visitorKey: KEY });
  });

  it('are not anybody’s whose address alone is known', async () => {
    page.hsConversationsSettings = { identificationEmail: 'ineke@harbour.example' };
    tag();
    expect(init(await loaded()).identification).toBeNull();
  });

  it('wait for consent where it is asked for', async () => {
    answers['cookieBanner'] = 'ON_WIDGET_LOAD';
    tag();
    expect(init(await loaded()).banner).toBe(true);
    say({ type: 'key', visitorKey: KEY });
    say({ type: 'opened' });
    expect(document.cookie).toBe('');
    say({ type: 'consent', given: true });
    expect(document.cookie).toContain('messagesUtk=' + KEY);
    expect(document.cookie).toContain('hs-messages-is-open=true');
  });

  it('are never set after a no, and the question is not asked again in this tab', async () => {
    page.hsConversationsSettings = { enableWidgetCookieBanner: true };
    tag();
    await loaded();
    say({ type: 'consent', given: false });
    say({ type: 'key', visitorKey: KEY });
    widget().remove();
    widget().load();
    expect(init(await loaded()).banner).toBe(false);
    say({ type: 'opened' });
    expect(document.cookie).toBe('');
  });

  it('are asked about when the pointer leaves towards the top', async () => {
    page.hsConversationsSettings = { enableWidgetCookieBanner: 'ON_EXIT_INTENT' };
    tag();
    const told = await loaded();
    expect(init(told).banner).toBe(false);
    document.dispatchEvent(new MouseEvent('mouseout', { clientY: 300 }));
    expect(told).toHaveLength(1);
    document.dispatchEvent(new MouseEvent('mouseout', { clientY: -1 }));
    document.dispatchEvent(new MouseEvent('mouseout', { clientY: -1 }));
    expect(told.slice(1).map((message) => message.type)).toEqual(['banner']);
  });

  it('go with the visitor who logs out, and what was theirs is forgotten', async () => {
    page.hsConversationsSettings = { identificationEmail: 'ineke@harbour.example', identificationToken: 't' };
    tag();
    await loaded();
    page.hsConversationsSettings = {};
    page.HubSpotConversations!.clear({ resetWidget: true });
    const told = await loaded();
    expect(init(told)).toMatchObject({ identification: null, visitorKey: null, forget: true, open: false });
  });
});

describe('styles', () => {
  it('stand in the page', async () => {
    tag();
    await settle();
    expect(document.querySelector('style')!.textContent).toContain('#hubspot-messages-iframe-container');
  });

  it('come as a file where inline ones are forbidden', async () => {
    page.hsConversationsSettings = { avoidInlineStyles: true };
    tag();
    await settle();
    expect(document.querySelector('style')).toBeNull();
    const link = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')!;
    expect(link.href).toBe(SERVER + '/widget/loader.css');
    expect(container()).toBeNull();
    link.dispatchEvent(new Event('load'));
    await settle();
    expect(container()).not.toBeNull();
  });

  it('fit the widget into what room there is', async () => {
    tag();
    await loaded();
    say({ type: 'size', width: 408, height: 5000, open: true });
    expect(container()!.style.width).toBe('408px');
    expect(container()!.style.height).toBe(Math.min(736, window.innerHeight) + 'px');
    expect(frame().style.clipPath).toBe('none');
    say({ type: 'size', width: 88, height: 88, open: false });
    expect(container()!.style.height).toBe('88px');
    expect(frame().style.width).toBe('408px');
    expect(frame().style.clipPath).toBe(`inset(${Math.min(736, window.innerHeight) - 88}px 0 0 320px)`);
  });
});
