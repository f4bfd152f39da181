import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Init } from '../protocol';
import { Conversations, type Surroundings } from './conversations';

const BASE = 'https://chat.harbour.example/widget/v1/';
const KEY = '0123456789abcdef0123456789abcdef';

/** What the server does, as far as one visitor can tell. */
class Server {
  asked: string[] = [];
  bodies: Record<string, unknown>[] = [];
  threads: Record<string, unknown>[] = [];
  messages: Record<string, unknown>[] = [];
  session: Record<string, unknown> = {};
  statuses: number[] = [];
  life = 3600_000;
  #made = 0;
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null;

  fetch = async (input: URL | string, request: RequestInit = {}): Promise<Response> => {
    const path = String(input).replace(BASE, '');
    this.asked.push(`${request.method ?? 'GET'} ${path}`);
    if (typeof request.body === 'string') this.bodies.push(JSON.parse(request.body) as never);
    const status = this.statuses.shift();
    if (status === 0) throw new TypeError('no network');
    if (status && status !== 200) return new Response('{}', { status });
    if (path.endsWith('/sessions')) {
      const expiresAt = new Date(Date.now() + this.life).toISOString();
      const answer = {
        session: 's' + ++this.#made,
        expiresAt,
        visitorKey: KEY,
        identified: false,
        unread: 0,
      };
      return Response.json({ ...answer, config: {}, contact: {}, agents: [], ...this.session });
    }
    if (path.startsWith('events')) {
      request.signal?.addEventListener('abort', () => this.cut());
      return new Response(new ReadableStream({ start: (stream) => void (this.#stream = stream) }));
    }
    if (path === 'threads') return Response.json({ results: this.threads });
    if (path === 'messages') {
      const said = this.bodies.at(-1) as { text: string; threadId: number | null; clientId: string };
      const message = this.message('m9', { from: 'VISITOR', text: said.text, clientId: said.clientId });
      return Response.json({ message, thread: { id: 5, isNew: said.threadId === null } }, { status: 201 });
    }
    if (path.includes('/messages?'))
      return Response.json({ results: this.messages, more: false, readUpTo: 'm1' });
    if (path === 'contact')
      return Response.json({ contact: { email: 'ineke@harbour.example' }, session: 'told' });
    return Response.json({});
  };

  message(id: string, change: Record<string, unknown> = {}) {
    return {
      id,
      threadId: 5,
      from: 'AGENT',
      name: 'Mia',
      text: id,
      createdAt: '2026-01-01T00:00:00Z',
      ...change,
    };
  }

  say(name: string, data: unknown, id = '1'): void {
    this.#stream?.enqueue(
      new TextEncoder().encode(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`),
    );
  }

  cut(): void {
    try {
      this.#stream?.close();
    } catch {
      // It has ended already.
    }
  }
}

let server: Server;
let told: string[];
let kept: string[];
let running: boolean[];
let warned: string[];
let made: Conversations[] = [];

function visitor(change: Partial<Init> = {}, page: string | null = null): Conversations {
  const init = { portalId: 7, account: '91', visitorKey: null, identification: null, welcome: null, title: null, url: 'https://shop.example/', forget: false, ...change } as Init; // prettier-ignore
  let ids = 0;
  const around: Surroundings = {
    init,
    language: 'en',
    base: BASE,
    storage: () => localStorage,
    visitorKey: () => Promise.resolve(init.identification ? page : init.visitorKey),
    keepKey: (key) => kept.push(key),
    event: (name, payload) => told.push(`${name} ${JSON.stringify(payload)}`),
    running: (now) => running.push(now),
    warn: (text) => warned.push(text),
    now: () => Date.now(),
    random: () => 1,
    uuid: () => 'id' + ++ids,
  };
  const conversations = new Conversations(around);
  made.push(conversations);
  return conversations;
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const thread = (change = {}) => ({ id: 5, status: 'OPEN', preview: 'p', unread: 0, latestAt: new Date().toISOString(), ...change }); // prettier-ignore

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  [told, kept, running, warned] = [[], [], [], []];
  vi.stubGlobal('fetch', server.fetch);
});

afterEach(() => {
  made.splice(0).forEach((each) => each.rest());
  vi.useRealTimers();
  localStorage.clear();
});

describe('a new visitor', () => {
  it('costs one request until there is something to hear', async () => {
    await visitor().start();
    expect(server.asked).toEqual(['POST 7/sessions']);
    expect(kept).toEqual([KEY]);
  });

  it('begins a conversation: the events, in order, with the number of the thread', async () => {
    const conversations = visitor();
    await conversations.opened();
    conversations.show();
    conversations.send('Hello', []);
    await settle();
    expect(told).toEqual([
      'conversationStarted {"conversation":{"conversationId":5}}',
      'userSelectedThread {"conversation":{"conversationId":5}}',
    ]);
    expect(running).toEqual([true]);
    const { talks, current, waiting } = conversations.state;
    expect(talks).toMatchObject([{ id: 5, key: current, messages: [{ text: 'Hello' }] }]);
    expect(waiting).toEqual([]);
  });

  it('sees what they said once, whichever of answer and stream comes first', async () => {
    const conversations = visitor();
    await conversations.opened();
    conversations.show();
    conversations.send('Hello', []);
    server.say('message', server.message('m9', { from: 'VISITOR', text: 'Hello', clientId: 'id2' }));
    await settle();
    server.say('message', server.message('m9', { from: 'VISITOR', text: 'Hello', clientId: 'id2' }));
    await settle();
    expect(conversations.state.talks).toHaveLength(1);
    expect(conversations.state.talks[0]!.messages).toHaveLength(1);
    expect(told.filter((each) => each.startsWith('conversationStarted'))).toHaveLength(1);
  });

  it('never sees it twice, though the stream does not say by which id it was sent', async () => {
    vi.stubGlobal('fetch', async (input: URL, request: RequestInit) => {
      const answer = await server.fetch(input, request);
      if (String(input).endsWith('v1/messages')) {
        server.say('message', server.message('m9', { from: 'VISITOR', text: 'Hello' }));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return answer;
    });
    const conversations = visitor();
    let most = 0;
    conversations.subscribe(({ talks, waiting }) => {
      const said = talks.flatMap((talk) => talk.messages);
      const known = new Set(said.map((message) => message.clientId));
      most = Math.max(most, said.length + waiting.filter((item) => !known.has(item.clientId)).length);
    });
    await conversations.opened();
    conversations.show();
    conversations.send('Hello', []);
    await vi.advanceTimersByTimeAsync(100);
    expect(most).toBe(1);
    expect(conversations.state.talks[0]!.messages).toHaveLength(1);
  });

  it('sees it too when the list of threads comes between question and answer', async () => {
    vi.stubGlobal('fetch', async (input: URL, request: RequestInit) => {
      const answer = await server.fetch(input, request);
      if (String(input).endsWith('v1/messages')) {
        server.threads = [thread()];
        server.say('resync', {});
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return answer;
    });
    const conversations = visitor();
    await conversations.opened();
    conversations.show();
    conversations.send('Hello', []);
    await vi.advanceTimersByTimeAsync(100);
    const { talks, current } = conversations.state;
    expect(talks).toMatchObject([{ id: 5, key: current, loaded: true, messages: [{ text: 'Hello' }] }]);
  });

  it('may write before anybody knows them, and loses nothing', async () => {
    server.statuses = [0, 0];
    const conversations = visitor();
    void conversations.opened();
    conversations.show();
    conversations.send('Hello', []);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(conversations.state.talks[0]).toMatchObject({ id: 5, messages: [{ text: 'Hello' }] });
    expect(conversations.state.waiting).toEqual([]);
  });

  it('is told when the server does not want the chat here', async () => {
    server.statuses = [403];
    const conversations = visitor();
    await conversations.start();
    expect(conversations.state.refused).toBe(true);
  });
});

describe('a visitor who was here before', () => {
  beforeEach(() => {
    server.threads = [thread({ unread: 1 })];
    server.session = { unread: 1 };
    server.messages = [server.message('m1', { from: 'VISITOR' }), server.message('m2')];
  });

  it('hears how many conversations have something unread, once', async () => {
    await visitor({ visitorKey: KEY }).start();
    await settle();
    expect(told).toEqual(['unreadConversationCountChanged {"unreadCount":1}']);
    expect(server.asked).toContain('GET events');
  });

  it('is not listened to when everything is long past', async () => {
    server.session = {};
    server.threads = [thread({ latestAt: '2020-01-01T00:00:00Z' })];
    await visitor({ visitorKey: KEY }).start();
    await settle();
    expect(server.asked).toEqual(['POST 7/sessions', 'GET threads']);
  });

  it('has read what they see, and not what they do not', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.opened();
    conversations.show();
    await settle();
    expect(server.asked.some((each) => each.startsWith('PUT'))).toBe(false);
    conversations.look(true);
    await settle();
    expect(server.asked.at(-1)).toBe('PUT threads/5/read');
    expect(server.bodies.at(-1)).toEqual({ messageId: 'm2' });
    expect(told.at(-1)).toBe('unreadConversationCountChanged {"unreadCount":0}');
    conversations.look(false);
    server.say('message', server.message('m3'));
    await settle();
    expect(told.at(-1)).toBe('unreadConversationCountChanged {"unreadCount":1}');
    expect(conversations.state.talks[0]).toMatchObject({ unread: 1, readUpTo: 'm1' });
    server.say('read', { threadId: 5, messageId: 'm2' }, '2');
    await settle();
    expect(conversations.state.talks[0]!.readUpTo).toBe('m2');
  });

  it('hears who types, until they have said it or have stopped', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.opened();
    conversations.show();
    await settle();
    server.say('typing', { threadId: 5, name: 'Mia', typing: true });
    await settle();
    expect(conversations.state.talks[0]!.typing).toEqual({ name: 'Mia' });
    server.say('message', server.message('m4'));
    await settle();
    expect(conversations.state.talks[0]!.typing).toBeNull();
    server.say('typing', { threadId: 5, typing: true });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(conversations.state.talks[0]!.typing).toBeNull();
  });

  it('hears that a conversation was closed, once', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.start();
    await settle();
    server.say('thread', { id: 5, status: 'CLOSED' });
    server.say('thread', { id: 5, status: 'CLOSED' });
    await settle();
    expect(told.filter((each) => each.startsWith('conversationClosed'))).toEqual([
      'conversationClosed {"conversation":{"conversationId":5}}',
    ]);
    expect(running.at(-1)).toBe(false);
  });

  it('gets a conversation that began elsewhere', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.start();
    await settle();
    server.threads.push(thread({ id: 6, unread: 1 }));
    server.say('message', server.message('m5', { threadId: 6 }));
    await settle();
    expect(conversations.state.talks.map((talk) => talk.id)).toEqual([5, 6]);
    expect(conversations.state.unread).toBe(2);
  });

  it('misses nothing in conversations that are not shown when the server does not remember that far back', async () => {
    server.threads.push(thread({ id: 6 }));
    const conversations = visitor({ visitorKey: KEY });
    await conversations.opened();
    conversations.select('t6');
    await settle();
    conversations.select('t5');
    await settle();
    server.messages = [...server.messages, server.message('m7', { threadId: 6 })];
    server.say('resync', {});
    await settle();
    conversations.select('t6');
    await settle();
    const shown = conversations.state.talks.find((talk) => talk.id === 6)!.messages;
    expect(shown.map((message) => message.id)).toEqual(['m1', 'm2', 'm7']);
  });

  it('asks for everything anew when the server does not remember that far back', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.start();
    await settle();
    const before = server.asked.filter((each) => each === 'GET threads').length;
    server.say('resync', {});
    await settle();
    expect(server.asked.filter((each) => each === 'GET threads')).toHaveLength(before + 1);
  });
});

describe('sessions', () => {
  it('are renewed before they end', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.start();
    await vi.advanceTimersByTimeAsync(3590_000);
    conversations.typing(true);
    await conversations.giveEmail('ineke@harbour.example');
    const renewal = server.bodies.findLast((body) => 'accountId' in body);
    expect(renewal).toMatchObject({ session: 's1', visitorKey: KEY });
  });

  it('are asked for again, once, when the server does not know one', async () => {
    const conversations = visitor();
    await conversations.start();
    server.statuses = [401];
    await conversations.giveEmail('ineke@harbour.example');
    expect(server.asked).toEqual(['POST 7/sessions', 'POST contact', 'POST 7/sessions', 'POST contact']);
    expect(told).toEqual([expect.stringMatching(/^contactAssociated \{"message":/)]);
  });

  it('begin anew when the old one cannot be renewed any more', async () => {
    const conversations = visitor({ visitorKey: KEY });
    await conversations.start();
    server.statuses = [401, 401];
    await conversations.giveEmail('ineke@harbour.example');
    const sessions = server.bodies.filter((body) => 'accountId' in body);
    expect(sessions.map((body) => body['session'])).toEqual([undefined, 's1', undefined]);
  });

  it('are those of the identified, who leave no key', async () => {
    server.session = { identified: true, visitorKey: null, contact: { email: 'Ineke@harbour.example' } };
    const identification = { email: 'Ineke@harbour.example', token: 'good' };
    const conversations = visitor({ identification }, KEY);
    await conversations.start();
    expect(server.bodies[0]).toMatchObject({ identification });
    expect(server.bodies[0]).not.toHaveProperty('visitorKey');
    expect(kept).toEqual([]);
    expect(conversations.state.owner).toBe('email:ineke@harbour.example');
    expect(told).toEqual([expect.stringMatching(/^contactAssociated /)]);
  });

  it('of whom a token does not prove are those of the browser, with a warning', async () => {
    server.session = { warning: 'The token has ended.' };
    const conversations = visitor({ identification: { email: 'a@b.example', token: 'bad' } }, KEY);
    await conversations.start();
    expect(server.bodies).toMatchObject([{ identification: {} }, { visitorKey: KEY }]);
    expect(server.bodies[1]).not.toHaveProperty('identification');
    expect(conversations.state.owner).toBe('key:' + KEY);
    expect(warned).toEqual(['The token has ended.']);
    expect(told).toEqual([]);
  });
});

describe('quick replies', () => {
  it('are said, and told to the page', async () => {
    const conversations = visitor();
    await conversations.opened();
    conversations.show();
    conversations.send('Opening hours', [], ['Opening hours'], false);
    await settle();
    expect(told[0]).toBe(
      'quickReplyButtonClick {"name":"QUICK_REPLIES","multiSelect":false,"value":["Opening hours"]}',
    );
    expect(server.bodies.find((body) => 'quickReply' in body)).toMatchObject({
      quickReply: { values: ['Opening hours'] },
      newThread: true,
      threadId: null,
    });
  });
});
