/** Notes in which colleagues called on us. */
import { api, ok } from '../api/client';
import type { Mention } from '../api/shapes';

class Mentions {
  all = $state.raw<Mention[]>([]);
  unseen = $state(0);
  state = $state<'loading' | 'ready' | 'failed'>('loading');

  async load(): Promise<void> {
    try {
      const page = await ok(api.GET('/antiphon/v1/mentions', {}));
      this.all = page.results;
      this.unseen = page.unseen ?? 0;
      this.state = 'ready';
    } catch {
      if (this.state === 'loading') this.state = 'failed';
    }
  }
}

export const mentions = new Mentions();
