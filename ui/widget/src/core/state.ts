// What is known of the visitor and of what was said: one value, replaced as a whole on every change. Whoever shows it
// subscribes.

import type { Waiting } from './outbox';
import type { Connection } from './stream';
import * as talks from './talks';
import type { Talk } from './talks';
import type { Agent, ChatConfig, Contact } from './types';

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

export class Held {
  readonly #listeners = new Set<(state: State) => void>();

  constructor(public state: State) {}

  subscribe(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.#listeners) listener(this.state);
  }

  /** The talk that is shown. */
  current(): Talk | undefined {
    return this.talk(this.state.current);
  }

  talk(key: string | null): Talk | undefined {
    return this.state.talks.find((talk) => talk.key === key);
  }

  ofThread(threadId: number): Talk | undefined {
    return this.state.talks.find((talk) => talk.id === threadId);
  }

  /** Changes a talk by its key, or by the one that its thread has; tells whether there is one. */
  change(key: string, with_: (talk: Talk) => Partial<Talk>): boolean {
    const named = (talk: Talk) => talk.key === key || (talk.id !== null && talks.keyOf(talk.id) === key);
    const found = this.state.talks.find(named);
    if (found) this.set({ talks: talks.change(this.state.talks, found.key, with_) });
    return found !== undefined;
  }
}
