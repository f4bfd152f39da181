/** The thread that is open. */
import * as answers from '../api/answers';
import { Problem } from '../api/problem';
import * as door from '../api/threads';
import type { Answer, Entry, WorkThread } from '../api/shapes';
import { announcer, reason } from './announce.svelte';
import { addOlder, begin, EMPTY, type Guard, type History, merge, newestSaid, type Outgoing, settle } from './history';
import { list } from './list.svelte';
import { session } from './session.svelte';

class Open {
  id = $state<string | null>(null);
  thread = $state.raw<WorkThread | null>(null);
  history = $state.raw<History>(EMPTY);
  state = $state<'loading' | 'ready' | 'failed' | 'gone'>('loading');
  problem = $state.raw<Problem | null>(null);
  older = $state(false);
  /** Of all threads: an answer goes on its way whatever is looked at meanwhile. */
  outgoing = $state.raw<Outgoing[]>([]);
  private readonly histories = new Map<string, History>();
  private marked = '';

  async show(threadId: string | null): Promise<void> {
    if (threadId === this.id && this.state !== 'failed') return;
    this.keep();
    this.id = threadId;
    this.marked = '';
    this.thread = threadId ? (list.thread(threadId) ?? null) : null;
    // What was seen before is shown at once, and read again behind it.
    this.history = (threadId && this.histories.get(threadId)) || EMPTY;
    this.state = this.thread && this.history.complete ? 'ready' : 'loading';
    if (threadId) await this.read(threadId);
  }

  private keep(): void {
    if (!this.id || !this.history.complete) return;
    this.histories.delete(this.id);
    this.histories.set(this.id, this.history);
    const oldest = this.histories.keys().next();
    if (this.histories.size > 30 && !oldest.done) this.histories.delete(oldest.value);
  }

  private async read(threadId: string): Promise<void> {
    try {
      const known = this.thread;
      // Where a thread is known from the list, both are asked for at once.
      const [thread, page] = known
        ? await Promise.all([door.read(threadId), door.entries(threadId, known.archived)])
        : await door.read(threadId).then(async (found) => [found, await door.entries(threadId, found.archived)] as const);
      if (this.id !== threadId) return;
      this.thread = thread;
      this.history = begin(this.history, page);
      this.problem = null;
      this.state = 'ready';
    } catch (error) {
      if (this.id !== threadId) return;
      const problem = Problem.from(error);
      this.problem = problem;
      if (problem.status === 404) this.state = 'gone';
      else if (this.state !== 'ready') this.state = 'failed';
    }
  }

  /** Reads it anew: after the line was lost, or when something about it changed. */
  async refresh(): Promise<void> {
    if (this.id) await this.read(this.id);
  }

  async loadOlder(): Promise<void> {
    const { id, thread } = this;
    const after = this.history.older;
    if (!id || !thread || after === null || this.older) return;
    this.older = true;
    try {
      const page = await door.entries(id, thread.archived, after);
      if (this.id === id) this.history = addOlder(this.history, page);
    } catch (error) {
      announcer.failed(error);
    } finally {
      this.older = false;
    }
  }

  /** An entry was added or rewritten. */
  async touched(messageId: string): Promise<Entry | null> {
    const { id } = this;
    if (!id) return null;
    try {
      const entry = await door.entry(id, messageId);
      if (this.id === id) this.add(entry);
      return entry;
    } catch {
      void this.refresh();
      return null;
    }
  }

  add(entry: Entry): void {
    if (entry.conversationsThreadId !== this.id || !this.history.complete) return;
    this.history = { ...this.history, entries: merge(this.history.entries, [entry]) };
  }

  changed(thread: WorkThread): void {
    if (thread.id === this.id) this.thread = thread;
  }

  /** Tells the server how far we have read, once for each newest entry. */
  markRead(): void {
    const newest = newestSaid(this.history.entries);
    const { id } = this;
    if (!id || !newest || this.marked === newest || !session.mayWrite) return;
    if (document.visibilityState !== 'visible') return;
    this.marked = newest;
    const row = list.thread(id);
    if (row?.unread) list.changed({ ...row, unread: false });
    door.markRead(id, newest).catch(() => {
      this.marked = '';
    });
  }

  get newest(): string | null {
    return newestSaid(this.history.entries);
  }

  /** Sends an answer: it is shown at once, and says honestly what becomes of it. */
  async send(threadId: string, body: Answer, closeAfter: boolean): Promise<boolean> {
    const entries = threadId === this.id ? this.history.entries : [];
    const outgoing: Outgoing = {
      clientId: crypto.randomUUID(),
      threadId,
      body,
      closeAfter,
      seen: newestSaid(entries),
      at: new Date().toISOString(),
      behind: entries[entries.length - 1]?.id ?? null,
      state: 'SENDING',
      retry: false,
    };
    this.outgoing = [...this.outgoing, outgoing];
    return this.attempt(outgoing, false);
  }

  async again(clientId: string, anyway: boolean): Promise<boolean> {
    const one = this.outgoing.find((each) => each.clientId === clientId);
    if (!one) return false;
    const seen = one.threadId === this.id && anyway ? this.newest : one.seen;
    this.outgoing = settle(this.outgoing, clientId, { kind: 'again', seen });
    return this.attempt({ ...one, seen }, anyway);
  }

  drop(clientId: string): void {
    this.outgoing = settle(this.outgoing, clientId, { kind: 'dropped' });
  }

  private async attempt(one: Outgoing, anyway: boolean): Promise<boolean> {
    const { clientId, threadId, body, seen, closeAfter } = one;
    try {
      const sent = { ...body, seen, clientId, ...(anyway ? { anyway } : {}), ...(closeAfter ? { closeAfter } : {}) };
      const entry = await answers.send(threadId, sent);
      this.add(entry);
      this.outgoing = settle(this.outgoing, clientId, { kind: 'taken' });
      return true;
    } catch (error) {
      const problem = Problem.from(error);
      const guard = problem.status === 409 ? guardOf(problem) : null;
      const fate = guard
        ? { kind: 'held' as const, guard, by: problem.context.by ?? problem.context.actorId ?? [] }
        : { kind: 'failed' as const, problem: reason(problem), retry: problem.passing };
      this.outgoing = settle(this.outgoing, clientId, fate);
      if (guard === 'NEWER_MESSAGE') await this.refresh();
      return false;
    }
  }

  clear(): void {
    this.id = null;
    this.thread = null;
    this.history = EMPTY;
    this.histories.clear();
    this.outgoing = [];
  }
}

function guardOf(problem: Problem): Guard | null {
  const named = problem.subCategory;
  return named === 'NEWER_MESSAGE' || named === 'COLLEAGUE_ANSWERING' ? named : null;
}

export const open = new Open();
