// Parts of ourselves that are fetched later. A server that is too busy for a moment, a lost network or a new version of us must
// not leave a launcher that does nothing; but a browser never asks twice for a script that it could not get. So the frame
// begins anew, once the server answers again; the loader knows whether it was open.

import { backoff } from '../core/backoff';

export interface Surroundings {
  /** Whether the server answers for this page now. */
  answers(): Promise<boolean>;
  reload(): void;
  /** Whether that has been done before, and was of no use. */
  reloaded(): boolean;
}

const browser: Surroundings = {
  answers: () =>
    fetch(location.href, { cache: 'no-store' }).then(
      (response) => response.ok,
      () => false,
    ),
  reload: () => location.reload(),
  reloaded: () =>
    performance.getEntriesByType('navigation').some((entry) => 'type' in entry && entry.type === 'reload'),
};

let reviving: Promise<void> | null = null;

/** The part, or nothing ever: then the page goes. */
export async function part<T>(fetched: Promise<T>, around = browser): Promise<T> {
  try {
    return await fetched;
  } catch {
    reviving ??= revive(around).finally(() => (reviving = null));
    return new Promise(() => void 0);
  }
}

async function revive(around: Surroundings): Promise<void> {
  // What one reload did not mend is not hurried.
  for (let tries = around.reloaded() ? 6 : 1; ; tries++) {
    await new Promise((resolve) => setTimeout(resolve, backoff(tries, Math.random)));
    if (await around.answers()) break;
  }
  around.reload();
}
