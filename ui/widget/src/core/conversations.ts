// Everything between the panel and the server: one visitor, their threads, what is on its way and what is heard. It holds
// one state, replaced as a whole on every change; whoever shows it subscribes.

import type { EventName, Init } from '../protocol';
import { json, passing, Refused, request, type Asked } from './api';
import { backoff, Pause } from './backoff';
import { keepOf, type Keep } from './keep';
import { Outbox, type Outgoing, type Waiting } from './outbox';
import { Session } from './session';
import { Stream, type Connection } from './stream';
import type { StreamEvent } from './sse';
import * as talks from './talks';
import type { Talk } from './talks';
import type {
  Agent,
  ChatConfig,
  Contact,
  Message,
  MessagePage,
  Sent,
  SessionAnswer,
  Thread,
  UploadedFile,
} from './types';

export interface State {
  /** Who the visitor is, once the server has said so. */
  owner: string | null;
  config: ChatConfig;
  contact: Contact;
  agents: Agent[];
  identified: boolean;
  talks: Talk[];
  /** Whether the server's threads are known. */
  listed: boolean;
  /** The talk that is shown; null for the list. */
  current: string | null;
  waiting: readonly Waiting[];
  connection: Connection;
  /** The server does not want this chat here; nothing helps. */
  refused: boolean;
  unread: number;
}

export interface Surroundings {
  init: Init;
  language: string;
  base: string;
  storage: () => Storage;
  visitorKey(): Promise<string | null>;
  keepKey(key: string): void;
  event(name: EventName, payload: Record<string, unknown>): void;
  running(running: boolean): void;
  warn(text: string): void;
  now(): number;
  random(): number;
  uuid(): string;
}

const PAGE = 30;
const TYPING_SHOWN = 12_000;
const TYPING_TOLD = 4_000;
/** A talk in which nothing was said for so long is not listened to before the visitor opens the panel. */
const RECENT = 7 * 24 * 3600 * 1000;

export class Conversations {
  state: State;
  readonly keep: Keep;
  readonly #around: Surroundings;
  readonly #session: Session;
  readonly #stream: Stream;
  readonly #outbox: Outbox;
  readonly #listeners = new Set<(state: State) => void>();
  readonly #typing = new Map<number, ReturnType<typeof setTimeout>>();
  #url: string;
  #looking = false;
  #typingTold = 0;
  #loading = new Set<string>();
  #readTold = new Map<number, string>();
  #runningTold = false;
  #started: Promise<void> | null = null;
  #wanted = false;
  readonly #begunTold = new Set<number>();
  readonly #pause = new Pause();

  constructor(around: Surroundings) {
    const { init } = around;
    this.#around = around;
    this.#url = init.url;
    this.keep = keepOf(around.storage, `antiphon:${init.portalId}:${init.account}:`);
    this.state = {
      owner: null,
      config: { title: init.title, welcomeMessage: init.welcome },
      contact: {},
      agents: [],
      identified: false,
      talks: [],
      listed: !init.visitorKey && !init.identification,
      current: null,
      waiting: [],
      connection: 'idle',
      refused: false,
      unread: 0,
    };
    this.#session = new Session({
      base: around.base,
      portalId: init.portalId,
      account: init.account,
      url: () => this.#url,
      identification: init.identification,
      language: around.language,
      visitorKey: around.visitorKey,
      told: (answer, owner) => this.#told(answer, owner),
      now: around.now,
    });
    this.#outbox = new Outbox({
      keep: this.keep,
      send: (item) => this.#post(item),
      sent: (item, answer) => this.#confirmed(item, answer),
      changed: () => this.#set({ waiting: this.#outbox.items }),
      now: around.now,
      random: around.random,
    });
    this.#stream = new Stream({
      connect: async (after, signal) => {
        const path = after === null ? 'events' : 'events?after=' + encodeURIComponent(after);
        return this.#raw(path, { signal, headers: { accept: 'text/event-stream' } });
      },
      event: (event) => this.#heard(event),
      opened: (resumed) => {
        this.#outbox.wake();
        if (!resumed) void this.#reload();
      },
      state: (connection) => this.#set({ connection }),
      random: around.random,
    });
    if (init.forget) this.#outbox.forget();
  }

  subscribe(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }

  /** Finds out who the visitor is and what there is to read; listens if there is anything to hear. */
  start(): Promise<void> {
    this.#started ??= this.#begin();
    return this.#started;
  }

  async #begin(): Promise<void> {
    for (let tries = 1; !this.state.owner; tries++) {
      try {
        await this.#session.bearer();
      } catch (error) {
        if (!passing(error)) {
          this.#set({ refused: true });
          return;
        }
        this.#set({ connection: 'offline' });
        const told = error instanceof Refused ? (error.retryAfter ?? 0) * 1000 : 0;
        await this.#pause.wait(Math.max(told, backoff(tries, this.#around.random)));
      }
    }
    if (!this.state.listed) await this.#list();
    const recent = new Date(this.#around.now() - RECENT).toISOString();
    if (this.state.talks.some((talk) => talk.unread > 0 || talk.latestAt > recent)) this.#listen();
  }

  /** The visitor opened the panel, so what happens is wanted at once. */
  async opened(): Promise<void> {
    await this.start();
    this.#listen();
  }

  /** Whether the visitor sees the current talk. */
  look(looking: boolean): void {
    this.#looking = looking;
    this.#markRead();
  }

  page(url: string): void {
    this.#url = url;
  }

  /** The tab is hidden for long, or the page rests in the browser's cache. */
  rest(): void {
    this.#stream.stop();
  }

  wake(): void {
    this.#pause.end();
    if (this.#wanted) this.#listen();
    this.#stream.wake();
    this.#outbox.wake();
  }

  forget(): void {
    this.#outbox.forget();
  }

  // Talks

  select(key: string): void {
    this.#set({ current: key });
    const talk = this.#current();
    if (talk?.id != null) {
      this.#around.event('userSelectedThread', { conversation: { conversationId: talk.id } });
    }
    this.show();
  }

  /** What the panel shows when it opens: the latest talk, or an empty one. */
  show(fresh = false): void {
    if (fresh) this.#set({ current: this.#fresh() });
    else if (!this.#current()) {
      // What could not be sent on an earlier page comes before what was said last.
      const unsent = this.state.talks.find((talk) => talk.id === null && this.#isUsed(talk.key));
      const latest = unsent ?? talks.byLatest(this.state.talks.filter((talk) => talk.id !== null))[0];
      this.#set({ current: latest ? latest.key : this.#fresh() });
    }
    const talk = this.#current();
    if (talk && !talk.loaded) void this.#loadMessages(talk.key);
    this.#markRead();
  }

  list(): void {
    this.#set({ current: null });
  }

  async earlier(key: string): Promise<void> {
    const talk = this.state.talks.find((each) => each.key === key);
    if (talk?.id == null || !talk.more || !talk.messages[0]) return;
    await this.#loadMessages(key, talk.messages[0].id);
  }

  #fresh(): string {
    const empty = this.state.talks.find((talk) => talk.id === null && !this.#isUsed(talk.key));
    if (empty) return empty.key;
    const key = 'f' + this.#around.uuid();
    this.#set({ talks: [talks.freshTalk(key), ...this.state.talks] });
    return key;
  }

  #isUsed(key: string): boolean {
    return this.#outbox.items.some((item) => item.talk === key);
  }

  #current(): Talk | undefined {
    return this.state.talks.find((talk) => talk.key === this.state.current);
  }

  // Saying something

  send(text: string, files: UploadedFile[], quickReply: string[] | null = null, multiSelect = false): void {
    const talk = this.#current();
    if (!talk) return;
    if (quickReply) {
      this.#around.event('quickReplyButtonClick', { name: 'QUICK_REPLIES', multiSelect, value: quickReply });
    }
    this.#typingTold = 0;
    this.#outbox.add({
      clientId: this.#around.uuid(),
      owner: this.state.owner ?? '',
      talk: talk.key,
      threadId: talk.id,
      text,
      files,
      quickReply,
      url: this.#url,
      at: this.#around.now(),
    });
  }

  retry(clientId: string): void {
    this.#outbox.retry(clientId);
  }

  discard(clientId: string): void {
    this.#outbox.discard(clientId);
  }

  async upload(file: File): Promise<UploadedFile> {
    const body = new FormData();
    body.append('file', file, file.name);
    return json(await this.#raw('files', { method: 'POST', body }));
  }

  async giveEmail(email: string): Promise<void> {
    const answer = await json<{ contact: Contact; session?: string }>(
      await this.#raw('contact', { method: 'POST', body: { email } }),
    );
    if (answer.session) this.#session.replace(answer.session);
    this.#set({ contact: answer.contact ?? { email }, config: { ...this.state.config, askEmail: false } });
    this.#associated();
  }

  /** The visitor types; told now and then, and nobody minds if it is lost. */
  typing(typing: boolean): void {
    const talk = this.#current();
    const now = this.#around.now();
    if (talk?.id == null || (typing ? now - this.#typingTold < TYPING_TOLD : this.#typingTold === 0)) return;
    this.#typingTold = typing ? now : 0;
    this.#raw(`threads/${talk.id}/typing`, { method: 'POST', body: { typing } }).catch(() => void 0);
  }

  async #post(item: Outgoing): Promise<Sent> {
    const { threadId } = item;
    const body = {
      threadId,
      newThread: threadId === null,
      text: item.text,
      attachments: item.files.map((file) => file.fileId),
      clientId: item.clientId,
      url: item.url,
      ...(item.quickReply ? { quickReply: { values: item.quickReply } } : {}),
    };
    return json(await this.#raw('messages', { method: 'POST', body }));
  }

  #confirmed(item: Outgoing, { message, thread }: Sent): void {
    this.#bind(item, thread.id);
    this.#update(item.talk, (talk) => talks.withMessage(talk, { ...message, clientId: item.clientId }, true));
    this.#listen();
  }

  /** What was sent has a thread from now on, and if it had none before, that is news. */
  #bind(item: Outgoing, threadId: number): void {
    if (item.threadId !== null) return;
    this.#set({ talks: talks.bind(this.state.talks, item.talk, threadId) });
    this.#outbox.bind(item.talk, threadId);
    this.#tellRunning();
    if (this.#begunTold.has(threadId)) return;
    this.#begunTold.add(threadId);
    const payload = { conversation: { conversationId: threadId } };
    this.#around.event('conversationStarted', payload);
    this.#around.event('userSelectedThread', payload);
  }

  // Hearing

  #listen(): void {
    if (!this.state.owner) return;
    this.#wanted = true;
    this.#stream.start();
  }

  #heard(event: StreamEvent): void {
    let data: Record<string, unknown>;
    try {
      data = JSON.parse(event.data) as Record<string, unknown>;
    } catch {
      return;
    }
    if (event.name === 'message') this.#arrived(data as unknown as Message);
    else if (event.name === 'thread') this.#turned(data as unknown as Thread);
    else if (event.name === 'typing') this.#types(Number(data['threadId']), data);
    else if (event.name === 'read') {
      this.#update(talks.keyOf(Number(data['threadId'])), (talk) => ({
        readUpTo: talks.later(talk.readUpTo, String(data['messageId'])),
      }));
    } else if (event.name === 'session') {
      if (data['end'] === 'expired' || data['end'] === 'gone') this.#session.expired();
    } else if (event.name === 'resync') void this.#reload();
  }

  #arrived(message: Message): void {
    // What is on its way is told by its answer, and until then it is shown as that.
    if (this.#outbox.expects(message)) return;
    const own = message.clientId && this.#outbox.items.find((item) => item.clientId === message.clientId);
    if (own) this.#bind(own, message.threadId);
    const talk = this.#byThread(message.threadId);
    if (!talk) {
      void this.#list();
      return;
    }
    const seen = this.#looking && this.state.current === talk.key;
    this.#update(talk.key, (each) => talks.withMessage(each, message, seen));
    if (own) this.#outbox.discard(own.clientId);
    if (seen) this.#markRead();
  }

  #turned(thread: Thread): void {
    const talk = this.#byThread(thread.id);
    if (!talk || talk.status === thread.status) return;
    this.#update(talk.key, () => ({ status: thread.status }));
    if (thread.status === 'CLOSED') {
      this.#around.event('conversationClosed', { conversation: { conversationId: thread.id } });
    }
  }

  #types(threadId: number, data: Record<string, unknown>): void {
    const talk = this.#byThread(threadId);
    if (!talk) return;
    clearTimeout(this.#typing.get(threadId));
    const name = typeof data['name'] === 'string' ? data['name'] : null;
    const typing = data['typing'] === true;
    this.#update(talk.key, () => ({ typing: typing ? { name } : null }));
    if (!typing) return;
    const end = setTimeout(() => this.#update(talk.key, () => ({ typing: null })), TYPING_SHOWN);
    this.#typing.set(threadId, end);
  }

  #byThread(threadId: number): Talk | undefined {
    return this.state.talks.find((talk) => talk.id === threadId);
  }

  // Asking

  async #raw(path: string, asked: Asked): Promise<Response> {
    const bearer = await this.#session.bearer();
    try {
      return await request(this.#around.base, path, { ...asked, bearer });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      this.#session.expired(bearer);
      return request(this.#around.base, path, { ...asked, bearer: await this.#session.bearer() });
    }
  }

  #told(answer: SessionAnswer, owner: string): void {
    const first = this.state.owner !== owner;
    if (answer.warning) this.#around.warn(answer.warning);
    if (answer.visitorKey) this.#around.keepKey(answer.visitorKey);
    const config = { ...answer.config };
    const { contact, agents, identified } = answer;
    this.#set({ config, contact: contact ?? {}, agents: agents ?? [], identified: identified ?? false });
    if (!first) return;
    if (this.state.owner !== null) {
      // A session ended for good, and the visitor is somebody else now.
      this.#stream.forget();
      this.#set({ talks: [], current: null, listed: false });
    }
    this.#set({ owner });
    this.#tellUnread(answer.unread ?? 0);
    if (identified) this.#associated();
    this.#restore(owner);
  }

  #restore(owner: string): void {
    this.#outbox.adopt(owner);
    this.#outbox.restore(owner);
    for (const item of this.#outbox.items) {
      const known = this.state.talks.some((talk) => talk.key === item.talk);
      if (known || item.threadId !== null) continue;
      this.#set({
        talks: [talks.freshTalk(item.talk), ...this.state.talks],
      });
    }
  }

  async #reload(): Promise<void> {
    await this.#list();
    const talk = this.#current();
    if (talk?.id != null) await this.#loadMessages(talk.key);
  }

  async #list(): Promise<void> {
    try {
      const answer = await json<{ results: Thread[] }>(await this.#raw('threads', {}));
      this.#set({ talks: talks.mergeThreads(this.state.talks, answer.results), listed: true });
      this.#tellUnread(talks.unreadThreads(this.state.talks));
      this.#tellRunning();
    } catch {
      // The stream comes back, and with it this.
    }
  }

  async #loadMessages(key: string, before?: string): Promise<void> {
    const talk = this.state.talks.find((each) => each.key === key);
    if (talk?.id == null || this.#loading.has(key)) return;
    this.#loading.add(key);
    try {
      const from = before ? `&before=${encodeURIComponent(before)}` : '';
      const path = `threads/${talk.id}/messages?limit=${PAGE}${from}`;
      const page = await json<MessagePage>(await this.#raw(path, {}));
      this.#update(key, (each) => talks.withPage(each, page, before !== undefined));
      this.#markRead();
    } catch {
      // Asked for again when the talk is shown, or when the line stands.
    } finally {
      this.#loading.delete(key);
    }
  }

  #markRead(): void {
    const talk = this.#current();
    if (!this.#looking || talk?.id == null || !talk.loaded) return;
    const newest = talks.newestOfHouse(talk);
    if (talk.unread > 0) this.#update(talk.key, () => ({ unread: 0 }));
    if (!newest || (this.#readTold.get(talk.id) ?? '') >= newest.id) return;
    const { id } = talk;
    this.#readTold.set(id, newest.id);
    this.#raw(`threads/${id}/read`, { method: 'PUT', body: { messageId: newest.id }, parting: true }).catch(
      () => this.#readTold.delete(id),
    );
  }

  // Telling

  #associated(): void {
    this.#around.event('contactAssociated', { message: 'The visitor is associated with a contact.' });
  }

  #tellRunning(): void {
    const running = this.state.talks.some((talk) => talk.id !== null && talk.status === 'OPEN');
    if (running === this.#runningTold) return;
    this.#runningTold = running;
    this.#around.running(running);
  }

  #tellUnread(unread: number): void {
    if (unread === this.state.unread || !(this.state.listed || this.state.talks.length === 0)) return;
    this.#set({ unread });
    this.#around.event('unreadConversationCountChanged', { unreadCount: unread });
  }

  #update(key: string, with_: (talk: Talk) => Partial<Talk>): void {
    const found = this.state.talks.find(
      (talk) => talk.key === key || (talk.id !== null && talks.keyOf(talk.id) === key),
    );
    if (!found) return;
    this.#set({ talks: talks.change(this.state.talks, found.key, with_) });
    this.#tellUnread(talks.unreadThreads(this.state.talks));
    this.#tellRunning();
  }

  #set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.#listeners) listener(this.state);
  }
}
