/** Notes in which colleagues called on us. */
import { api, ok } from '../api/client';
import { Problem } from '../api/problem';
import type { Mention, Page } from '../api/shapes';

const LIMIT = 50;

class Mentions {
  all = $state.raw<Mention[]>([]);
  unseen = $state(0);
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<Problem | null>(null);
  private after: string | null = null;
  private more = false;

  /** Reads the newest anew; those below them stay. */
  async load(): Promise<void> {
    try {
      const [page, count] = await Promise.all([this.page(), ok(api.GET('/antiphon/v1/mentions/unseen', {}))]);
      const next = page.paging?.next?.after ?? null;
      const last = page.results.at(-1)?.messageId ?? '';
      const below = next === null ? [] : this.all.filter((mention) => mention.messageId < last);
      this.all = [...page.results, ...below];
      if (below.length === 0) this.after = next;
      this.unseen = count.unseen;
      this.state = 'ready';
    } catch (error) {
      // What is shown stays until the line is back.
      if (this.state === 'ready') return;
      this.problem = Problem.from(error);
      this.state = 'failed';
    }
  }

  async loadMore(): Promise<void> {
    if (this.more || this.after === null) return;
    this.more = true;
    try {
      const page = await this.page(this.after);
      const known = new Set(this.all.map((mention) => mention.messageId));
      this.all = [...this.all, ...page.results.filter((mention) => !known.has(mention.messageId))];
      this.after = page.paging?.next?.after ?? null;
    } catch {
      // Scrolling on asks again.
    } finally {
      this.more = false;
    }
  }

  private page(after?: string): Promise<Page<Mention>> {
    return ok(api.GET('/antiphon/v1/mentions', { params: { query: { limit: LIMIT, ...(after ? { after } : {}) } } }));
  }
}

export const mentions = new Mentions();
