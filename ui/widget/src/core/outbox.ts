// What the visitor said and the server has not confirmed. Every message has an id of its own from the start, so that
// sending it twice is the same as sending it once; one after the other, so that order is kept.

import { passing, Refused } from './api';
import { backoff, Pause } from './backoff';
import type { Keep } from './keep';
import type { Message, Sent, UploadedFile } from './types';

export interface Outgoing {
  clientId: string;
  /** The visitor who wrote it. Nobody else's session ever sends it. */
  owner: string;
  /** The talk it belongs to, which has no thread before its first message has arrived. */
  talk: string;
  threadId: number | null;
  text: string;
  files: UploadedFile[];
  quickReply: string[] | null;
  url: string;
  at: number;
}

export type Progress = 'sending' | 'waiting' | 'failed';

export interface Waiting extends Outgoing {
  progress: Progress;
  /** Whether it failed only because nobody could be reached. */
  lost: boolean;
}

export interface OutboxPlan {
  keep: Keep;
  send(item: Outgoing): Promise<Sent>;
  sent(item: Outgoing, answer: Sent): void;
  changed(): void;
  now(): number;
  random(): number;
}

const PREFIX = 'out:';
const TRIES = 5;
const OLDEST = 24 * 3600 * 1000;

export class Outbox {
  #items: Waiting[] = [];
  #sending = false;
  readonly #pause = new Pause();

  constructor(readonly plan: OutboxPlan) {}

  get items(): readonly Waiting[] {
    return this.#items;
  }

  /** Takes up what this visitor left unsent on an earlier page. */
  restore(owner: string): void {
    const { keep, now } = this.plan;
    for (const key of keep.keys()) {
      if (!key.startsWith(PREFIX)) continue;
      const item = parse(keep.get(key));
      if (!item || now() - item.at > OLDEST) keep.remove(key);
      else if (item.owner === owner && !this.#find(item.clientId)) {
        this.#items.push({ ...item, progress: 'sending', lost: false });
      }
    }
    this.#items.sort((a, b) => a.at - b.at);
    this.plan.changed();
    void this.#pump();
  }

  add(item: Outgoing): void {
    // Before it is known whose it is, it must not be found by anybody else.
    if (item.owner) this.#keep(item);
    this.#items.push({ ...item, progress: 'sending', lost: false });
    this.plan.changed();
    void this.#pump();
  }

  /** What was written before the server said who the visitor is. */
  adopt(owner: string): void {
    this.#items = this.#items.map((each) => {
      if (each.owner) return each;
      const { progress, lost, ...item } = { ...each, owner };
      this.#keep(item);
      return { ...item, progress, lost };
    });
  }

  retry(clientId: string): void {
    this.#set(clientId, { progress: 'sending', lost: false });
    this.#pause.end();
    void this.#pump();
  }

  discard(clientId: string): void {
    this.#items = this.#items.filter((each) => each.clientId !== clientId);
    this.plan.keep.remove(PREFIX + clientId);
    this.plan.changed();
  }

  /** The network is back: what failed for want of it is tried again. */
  wake(): void {
    for (const item of this.#items) {
      if (item.progress === 'failed' && item.lost)
        this.#set(item.clientId, { progress: 'sending', lost: false });
    }
    this.#pause.end();
    void this.#pump();
  }

  /** A talk has its thread now, and so has everything that waits for it. */
  bind(talk: string, threadId: number): void {
    this.#items = this.#items.map((each) => (each.talk === talk ? { ...each, threadId } : each));
  }

  /** Whether an answer will bring this message anyway. The stream does not always know by which id it was sent. */
  expects(message: Message): boolean {
    if (message.from !== 'VISITOR' || message.clientId) return false;
    return this.#items.some(
      (each) =>
        each.progress !== 'failed' &&
        each.text.trim() === message.text.trim() &&
        (each.threadId === null || each.threadId === message.threadId),
    );
  }

  /** Another visitor uses this browser from now on. */
  forget(): void {
    for (const key of this.plan.keep.keys()) this.plan.keep.remove(key);
    this.#items = [];
    this.plan.changed();
  }

  #keep(item: Outgoing): void {
    this.plan.keep.set(PREFIX + item.clientId, JSON.stringify(item));
  }

  #find(clientId: string): Waiting | undefined {
    return this.#items.find((each) => each.clientId === clientId);
  }

  #set(clientId: string, change: Partial<Waiting>): void {
    this.#items = this.#items.map((each) => (each.clientId === clientId ? { ...each, ...change } : each));
    this.plan.changed();
  }

  async #pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    let tries = 0;
    for (;;) {
      const item = this.#items.find((each) => each.progress !== 'failed');
      if (!item) break;
      try {
        const answer = await this.plan.send(item);
        tries = 0;
        // It may have been confirmed by the stream, or forgotten, in the meantime.
        this.bind(item.talk, answer.thread.id);
        this.plan.sent(item, answer);
        this.discard(item.clientId);
      } catch (error) {
        if (!passing(error)) {
          this.#set(item.clientId, { progress: 'failed', lost: false });
          tries = 0;
        } else if (++tries >= TRIES) {
          this.#giveUp();
          tries = 0;
        } else {
          this.#set(item.clientId, { progress: 'waiting' });
          const told = error instanceof Refused && error.retryAfter ? error.retryAfter * 1000 : 0;
          await this.#pause.wait(Math.max(told, backoff(tries, this.plan.random)));
        }
      }
    }
    this.#sending = false;
  }

  #giveUp(): void {
    this.#items = this.#items.map((each) =>
      each.progress === 'failed' ? each : { ...each, progress: 'failed', lost: true },
    );
    this.plan.changed();
  }
}

function parse(text: string | null): Outgoing | null {
  try {
    const item = JSON.parse(text ?? '') as Outgoing;
    return typeof item.clientId === 'string' && typeof item.at === 'number' && Array.isArray(item.files)
      ? item
      : null;
  } catch {
    return null;
  }
}
