/** Threads in which we have begun an answer. */
import { SvelteSet } from 'svelte/reactivity';
import { drafts } from '../api/answers';

class Drafted {
  private readonly threads = new SvelteSet<string>();

  async load(): Promise<void> {
    try {
      const found = await drafts();
      this.threads.clear();
      found.forEach((threadId) => this.threads.add(threadId));
    } catch {
      // A mark that is missing keeps nobody from writing on.
    }
  }

  has(threadId: string): boolean {
    return this.threads.has(threadId);
  }

  set(threadId: string, begun: boolean): void {
    if (begun) this.threads.add(threadId);
    else this.threads.delete(threadId);
  }
}

export const drafted = new Drafted();
