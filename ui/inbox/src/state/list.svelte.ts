/** The list that is shown: which threads, as far as they are loaded. */
import * as door from '../api/threads';
import { Problem } from '../api/problem';
import type { ViewFilter, WorkThread } from '../api/shapes';
import { directory } from './directory.svelte';
import { askedByShelf, type Place, samePlace } from './routes';
import { extend, neighbour, NONE, place as put, remove, renew, type Rows, type Wanted, wantedBy } from './rows';
import { session } from './session.svelte';

class List {
  place = $state.raw<Place | null>(null);
  rows = $state.raw<Rows>(NONE);
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<Problem | null>(null);
  more = $state(false);
  private wanted: Wanted | null = null;
  private turn = 0;

  /** Shows another place; what was there before is not. */
  async show(place: Place): Promise<void> {
    if (this.place && samePlace(this.place, place) && this.state !== 'failed') return;
    this.place = place;
    this.rows = NONE;
    await this.load();
  }

  async load(): Promise<void> {
    const turn = ++this.turn;
    this.state = 'loading';
    this.problem = null;
    const asked = this.asked();
    if (!asked) {
      this.state = 'ready';
      return;
    }
    try {
      const page = await door.list(asked);
      if (turn !== this.turn) return;
      this.rows = extend(NONE, page);
      this.state = 'ready';
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = Problem.from(error);
      this.state = 'failed';
    }
  }

  async loadMore(): Promise<void> {
    const asked = this.asked();
    const { after } = this.rows;
    if (this.more || after === null || !asked) return;
    const turn = this.turn;
    this.more = true;
    try {
      const page = await door.list(asked, after);
      if (turn === this.turn) this.rows = extend(this.rows, page);
    } catch {
      // Scrolling on asks again.
    } finally {
      this.more = false;
    }
  }

  /** Reads the first page anew, without a flicker. */
  async refresh(): Promise<void> {
    const asked = this.asked();
    if (!asked || this.state === 'loading') return;
    const turn = this.turn;
    try {
      const page = await door.list(asked);
      if (turn === this.turn) this.rows = renew(this.rows, page);
      if (this.state === 'failed') this.state = 'ready';
    } catch {
      // What is shown stays until the line is back.
    }
  }

  /** A thread is otherwise now. */
  changed(thread: WorkThread): void {
    this.wanted ??= this.wants();
    if (this.wanted && this.state === 'ready') this.rows = put(this.rows, thread, this.wanted);
  }

  gone(threadId: string): void {
    this.rows = remove(this.rows, threadId);
  }

  beside(threadId: string | null, step: 1 | -1): string | null {
    return neighbour(this.rows, threadId, step);
  }

  thread(threadId: string): WorkThread | undefined {
    return this.rows.threads.find((thread) => thread.id === threadId);
  }

  clear(): void {
    this.turn += 1;
    this.place = null;
    this.rows = NONE;
    this.state = 'loading';
  }

  private asked(): door.Asked | null {
    this.wanted = this.wants();
    const { place } = this;
    if (place?.kind === 'view') return { viewId: place.viewId };
    if (place?.kind !== 'inbox') return null;
    return { ...askedByShelf(place.shelf), ...(place.inboxId === null ? {} : { inboxId: place.inboxId }) };
  }

  private wants(): Wanted | null {
    const filter = this.filter();
    return filter ? wantedBy(filter, session.me) : null;
  }

  /** The same as a filter, by which it is known whether a thread belongs here. */
  filter(): ViewFilter | null {
    const { place } = this;
    if (place?.kind === 'view') return directory.view(place.viewId)?.filter ?? null;
    if (place?.kind !== 'inbox') return null;
    const { state, assignee } = askedByShelf(place.shelf);
    return {
      states: [state],
      inboxIds: place.inboxId === null ? [] : [place.inboxId],
      ...(assignee ? { assignee: assignee.toUpperCase() } : {}),
    };
  }
}

export const list = new List();
