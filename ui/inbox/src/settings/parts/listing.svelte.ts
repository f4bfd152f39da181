/** What a page of the settings lists: a page at a time, and what became of asking for it. */
import type { Page } from '../../api/shapes';
import { Problem } from '../../api/problem';
import { reason } from '../../state/announce.svelte';

export class Listing<T> {
  items = $state.raw<T[]>([]);
  /** `ready` with no items is an empty list; while it is read anew, what was known stays. */
  standing = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state('');
  /** Whether a further page is on its way. */
  busy = $state(false);
  private next = $state<string | undefined>();
  /** Counts what was asked, so that an answer to an earlier question is not taken for this one's. */
  private turn = 0;

  constructor(private readonly read: (after?: string) => Promise<Page<T>>) {}

  /** Reads from the beginning. */
  async load(): Promise<void> {
    const turn = ++this.turn;
    this.busy = false;
    try {
      const page = await this.read();
      if (turn !== this.turn) return;
      this.items = page.results;
      this.next = page.paging?.next?.after;
      this.standing = 'ready';
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = reason(Problem.from(error));
      this.standing = 'failed';
    }
  }

  /** Begins anew with nothing, as when something else is asked for. */
  async afresh(): Promise<void> {
    this.items = [];
    this.next = undefined;
    this.standing = 'loading';
    await this.load();
  }

  /** Whether there is more than is shown. */
  get goesOn(): boolean {
    return this.next !== undefined;
  }

  /** Reads the next page. Throws why that did not work; what is shown stays. */
  async more(): Promise<void> {
    if (this.next === undefined || this.busy) return;
    const turn = this.turn;
    this.busy = true;
    try {
      const page = await this.read(this.next);
      if (turn !== this.turn) return;
      this.items = [...this.items, ...page.results];
      this.next = page.paging?.next?.after;
    } finally {
      if (turn === this.turn) this.busy = false;
    }
  }
}
