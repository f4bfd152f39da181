/** Notes in which colleagues called on us. */
import { api, ok } from '../api/client';
import type { Mention } from '../api/shapes';

class Mentions {
  all = $state.raw<Mention[]>([]);
  unseen = $state(0);
  state = $state<'loading' | 'ready' | 'failed'>('loading');

  async load(): Promise<void> {
    try {
      const [page, count] = await Promise.all([
        ok(api.GET('/antiphon/v1/mentions', { params: { query: { limit: 50 } } })),
        ok(api.GET('/antiphon/v1/mentions/unseen', {})),
      ]);
      this.all = page.results;
      this.unseen = count.unseen;
      this.state = 'ready';
    } catch {
      if (this.state === 'loading') this.state = 'failed';
    }
  }
}

export const mentions = new Mentions();
