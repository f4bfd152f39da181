// Who types: the visitor, which is told now and then, and the house, which is shown for a while.

const SHOWN = 12_000;
const TOLD = 4_000;

export class Typing {
  readonly #shown = new Map<number, ReturnType<typeof setTimeout>>();
  #told = 0;

  /** Whether it is to be told that the visitor types, or has stopped. */
  tells(typing: boolean, now: number): boolean {
    if (typing ? now - this.#told < TOLD : this.#told === 0) return false;
    this.#told = typing ? now : 0;
    return true;
  }

  /** What was typed was sent. */
  sent(): void {
    this.#told = 0;
  }

  /** Shows that somebody types, until they stop or say nothing any more. */
  heard(
    threadId: number,
    data: Record<string, unknown>,
    show: (typing: { name: string | null } | null) => void,
  ): void {
    clearTimeout(this.#shown.get(threadId));
    if (data['typing'] !== true) return show(null);
    show({ name: typeof data['name'] === 'string' ? data['name'] : null });
    this.#shown.set(
      threadId,
      setTimeout(() => show(null), SHOWN),
    );
  }
}
