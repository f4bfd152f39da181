// How long to wait before trying again: twice as long each time, and never all browsers at the same moment.

const FIRST = 1000;
const LONGEST = 30_000;

export function backoff(tries: number, random: () => number): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.max(0, tries - 1));
  return full / 2 + (random() * full) / 2;
}

/** A wait that somebody can end early. */
export class Pause {
  #end: (() => void) | null = null;

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end?.(), milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        this.#end = null;
        resolve();
      };
    });
  }

  end(): void {
    this.#end?.();
  }
}
