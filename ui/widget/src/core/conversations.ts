// Everything between the panel and the server: one visitor, their threads, what is on its way and what is heard.

import type { Init } from '../protocol';
import { passing, Refused } from './api';
import { backoff, Pause } from './backoff';
import { keepOf, type Keep } from './keep';
import { Outbox, type Outgoing } from './outbox';
import { Server } from './server';
import { Session } from './session';
import { Held, type State } from './state';
import { Stream } from './stream';
import type { StreamEvent } from './sse';
import * as talks from './talks';
import type { Talk } from './talks';
import { Telling, type Page } from './telling';
import { Typing } from './typing';
import type { Message, Sent, SessionAnswer, Thread, UploadedFile } from './types';

export type { State };

export interface Surroundings extends Page {
  init: Init;
  language: string;
  base: string;
  storage: () => Storage;
  visitorKey(): Promise<string | null>;
  keepKey(key: string): void;
  warn(text: string): void;
  now(): number;
  random(): number;
  uuid(): string;
}

/** A talk in which nothing was said for so long is not listened to before the visitor opens the panel. */
const RECENT = 7 * 24 * 3600 * 1000;

export class Conversations {
  readonly keep: Keep;
  readonly #around: Surroundings;
  readonly #held: Held;
  readonly #session: Session;
  readonly #server: Server;
  readonly #stream: Stream;
  readonly #outbox: Outbox;
  readonly #telling: Telling;
  readonly #typing = new Typing();
  readonly #loading = new Set<string>();
  readonly #readTold = new Map<number, string>();
  readonly #pause = new Pause();
  #url: string;
  #looking = false;
  #started: Promise<void> | null = null;
  #wanted = false;

  constructor(around: Surroundings) {
    const { init } = around;
    this.#around = around;
    this.#url = init.url;
    this.keep = keepOf(around.storage, `antiphon:${init.portalId}:${init.account}:`);
    this.#telling = new Telling(around);
    this.#held = new Held({
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
    });
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
    this.#server = new Server(around.base, this.#session);
    this.#outbox = new Outbox({
      keep: this.keep,
      send: (item) => this.#server.say(item),
      sent: (item, answer) => this.#confirmed(item, answer),
      changed: () => this.#held.set({ waiting: this.#outbox.items }),
      now: around.now,
      random: around.random,
    });
    this.#stream = new Stream({
      connect: (after, signal) => this.#server.events(after, signal),
      event: (event) => this.#heard(event),
      opened: (resumed) => {
        this.#outbox.wake();
        if (!resumed) void this.#reload();
      },
      state: (connection) => this.#held.set({ connection }),
      random: around.random,
    });
    if (init.forget) this.#outbox.forget();
  }

  get state(): State {
    return this.#held.state;
  }

  subscribe(listener: (state: State) => void): () => void {
    return this.#held.subscribe(listener);
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
          this.#held.set({ refused: true });
          return;
        }
        this.#held.set({ connection: 'offline' });
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
    this.#held.set({ current: key });
    const talk = this.#held.current();
    if (talk?.id != null) this.#telling.selected(talk.id);
    this.show();
  }

  /** What the panel shows when it opens: the latest talk, or an empty one. */
  show(fresh = false): void {
    if (fresh) this.#held.set({ current: this.#fresh() });
    else if (!this.#held.current()) {
      // What could not be sent on an earlier page comes before what was said last.
      const unsent = this.state.talks.find((talk) => talk.id === null && this.#isUsed(talk.key));
      const latest = unsent ?? talks.byLatest(this.state.talks.filter((talk) => talk.id !== null))[0];
      this.#held.set({ current: latest ? latest.key : this.#fresh() });
    }
    const talk = this.#held.current();
    if (talk && !talk.loaded) void this.#loadMessages(talk.key);
    this.#markRead();
  }

  list(): void {
    this.#held.set({ current: null });
  }

  async earlier(key: string): Promise<void> {
    const talk = this.#held.talk(key);
    if (talk?.id == null || !talk.more || !talk.messages[0]) return;
    await this.#loadMessages(key, talk.messages[0].id);
  }

  #fresh(): string {
    const empty = this.state.talks.find((talk) => talk.id === null && !this.#isUsed(talk.key));
    if (empty) return empty.key;
    const key = 'f' + this.#around.uuid();
    this.#held.set({ talks: [talks.freshTalk(key), ...this.state.talks] });
    return key;
  }

  #isUsed(key: string): boolean {
    return this.#outbox.items.some((item) => item.talk === key);
  }

  // Saying something

  send(text: string, files: UploadedFile[], quickReply: string[] | null = null, multiSelect = false): void {
    const talk = this.#held.current();
    if (!talk) return;
    if (quickReply) this.#telling.quickReply(quickReply, multiSelect);
    this.#typing.sent();
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

  upload(file: File): Promise<UploadedFile> {
    return this.#server.upload(file);
  }

  async giveEmail(email: string): Promise<void> {
    const contact = await this.#server.giveEmail(email);
    this.#held.set({ contact, config: { ...this.state.config, askEmail: false } });
    this.#telling.associated();
  }

  /** The visitor types; nobody minds if it is lost. */
  typing(typing: boolean): void {
    const talk = this.#held.current();
    if (talk?.id == null || !this.#typing.tells(typing, this.#around.now())) return;
    this.#server.typing(talk.id, typing).catch(() => void 0);
  }

  #confirmed(item: Outgoing, { message, thread }: Sent): void {
    this.#bind(item, thread.id);
    this.#update(item.talk, (talk) => talks.withMessage(talk, { ...message, clientId: item.clientId }, true));
    this.#listen();
  }

  /** What was sent has a thread from now on, and if it had none before, that is news. */
  #bind(item: Outgoing, threadId: number): void {
    if (item.threadId !== null) return;
    this.#held.set({ talks: talks.bind(this.state.talks, item.talk, threadId) });
    this.#outbox.bind(item.talk, threadId);
    this.#telling.running(this.state.talks);
    this.#telling.begun(threadId);
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
    const talk = this.#held.ofThread(message.threadId);
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
    const talk = this.#held.ofThread(thread.id);
    if (!talk || talk.status === thread.status) return;
    this.#update(talk.key, () => ({ status: thread.status }));
    if (thread.status === 'CLOSED') this.#telling.closed(thread.id);
  }

  #types(threadId: number, data: Record<string, unknown>): void {
    const talk = this.#held.ofThread(threadId);
    if (talk) this.#typing.heard(threadId, data, (typing) => this.#update(talk.key, () => ({ typing })));
  }

  // Asking

  #told(answer: SessionAnswer, owner: string): void {
    const first = this.state.owner !== owner;
    if (answer.warning) this.#around.warn(answer.warning);
    if (answer.visitorKey) this.#around.keepKey(answer.visitorKey);
    const config = { ...answer.config };
    const { contact, agents, identified } = answer;
    this.#held.set({ config, contact: contact ?? {}, agents: agents ?? [], identified: identified ?? false });
    if (!first) return;
    if (this.state.owner !== null) {
      // A session ended for good, and the visitor is somebody else now.
      this.#stream.forget();
      this.#held.set({ talks: [], current: null, listed: false });
    }
    this.#held.set({ owner });
    this.#tellUnread(answer.unread ?? 0);
    if (identified) this.#telling.associated();
    this.#restore(owner);
  }

  #restore(owner: string): void {
    this.#outbox.adopt(owner);
    this.#outbox.restore(owner);
    for (const item of this.#outbox.items) {
      const known = this.state.talks.some((talk) => talk.key === item.talk);
      if (known || item.threadId !== null) continue;
      this.#held.set({
        talks: [talks.freshTalk(item.talk), ...this.state.talks],
      });
    }
  }

  async #reload(): Promise<void> {
    this.#held.set({ talks: talks.missed(this.state.talks, this.state.current) });
    await this.#list();
    const talk = this.#held.current();
    if (talk?.id != null) await this.#loadMessages(talk.key);
  }

  async #list(): Promise<void> {
    try {
      const threads = await this.#server.threads();
      this.#held.set({ talks: talks.mergeThreads(this.state.talks, threads), listed: true });
      this.#tellUnread(talks.unreadThreads(this.state.talks));
      this.#telling.running(this.state.talks);
    } catch {
      // The stream comes back, and with it this.
    }
  }

  async #loadMessages(key: string, before?: string): Promise<void> {
    const talk = this.#held.talk(key);
    if (talk?.id == null || this.#loading.has(key)) return;
    this.#loading.add(key);
    try {
      const page = await this.#server.messages(talk.id, before);
      this.#update(key, (each) => talks.withPage(each, page, before !== undefined));
      this.#markRead();
    } catch {
      // Asked for again when the talk is shown, or when the line stands.
    } finally {
      this.#loading.delete(key);
    }
  }

  #markRead(): void {
    const talk = this.#held.current();
    if (!this.#looking || talk?.id == null || !talk.loaded) return;
    const newest = talks.newestOfHouse(talk);
    if (talk.unread > 0) this.#update(talk.key, () => ({ unread: 0 }));
    if (!newest || (this.#readTold.get(talk.id) ?? '') >= newest.id) return;
    const { id } = talk;
    this.#readTold.set(id, newest.id);
    this.#server.read(id, newest.id).catch(() => this.#readTold.delete(id));
  }

  #tellUnread(unread: number): void {
    if (unread === this.state.unread || !(this.state.listed || this.state.talks.length === 0)) return;
    this.#held.set({ unread });
    this.#telling.unread(unread);
  }

  #update(key: string, with_: (talk: Talk) => Partial<Talk>): void {
    if (!this.#held.change(key, with_)) return;
    this.#tellUnread(talks.unreadThreads(this.state.talks));
    this.#telling.running(this.state.talks);
  }
}
