import { safely } from './listeners';

/** Calls whoever waited in `window.hsConversationsOnReady`, and whoever comes later at once. */
export function runReady(page: { hsConversationsOnReady?: unknown }): void {
  const call = (fn: unknown) => {
    if (typeof fn === 'function') safely(() => fn());
  };
  const waiting = page.hsConversationsOnReady;
  // A callback may push another one; it is found by this loop, since the array is still there.
  if (Array.isArray(waiting)) for (let at = 0; at < waiting.length; at++) call(waiting[at]);
  page.hsConversationsOnReady = {
    length: 0,
    push: (...fns: unknown[]) => {
      fns.forEach(call);
      return 0;
    },
  };
}
