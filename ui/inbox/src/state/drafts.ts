/** What was begun and not sent: kept on the server, a moment after each pause. */
import type { Draft } from '../api/shapes';

export const PAUSE = 700;

export interface Shelf {
  save(threadId: string, answer: Draft): Promise<unknown>;
  drop(threadId: string): Promise<unknown>;
}

export function isEmpty(answer: Draft): boolean {
  return answer.text.trim() === '' && answer.attachments.length === 0;
}

function same(one: Draft | null, other: Draft | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Keeps one thread's draft. Writes are one after another, and only the newest that waits is written. */
export class Keeper {
  /** What the server has, as far as we know. */
  private kept: Draft | null = null;
  private wanted: Draft | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy: Promise<void> | null = null;

  constructor(
    private readonly threadId: string,
    private readonly shelf: Shelf,
    private readonly told: (saved: 'saving' | 'saved' | 'failed') => void = () => {},
  ) {}

  /** Begins with what the server has. */
  found(draft: Draft | null): void {
    this.kept = draft;
    this.wanted = draft;
  }

  change(answer: Draft): void {
    this.wanted = isEmpty(answer) ? null : answer;
    clearTimeout(this.timer);
    if (!same(this.wanted, this.kept)) this.timer = setTimeout(() => void this.flush(), PAUSE);
  }

  /** It was sent, and the server has put the draft away with it. */
  sent(): void {
    clearTimeout(this.timer);
    this.kept = null;
    this.wanted = null;
    // What was being written when it was sent would come back as a draft.
    void this.busy?.then(() => this.flush());
  }

  /** Writes now what waits. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    while (this.busy) await this.busy;
    if (same(this.wanted, this.kept)) return;
    this.busy = this.write(this.wanted).finally(() => {
      this.busy = null;
    });
    await this.busy;
  }

  private async write(answer: Draft | null): Promise<void> {
    this.told('saving');
    try {
      if (answer === null) await this.shelf.drop(this.threadId);
      else await this.shelf.save(this.threadId, answer);
      this.kept = answer;
      this.told('saved');
    } catch {
      this.told('failed');
      // Tried again with the next change, and when the thread is left.
    }
  }
}
