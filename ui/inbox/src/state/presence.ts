/** Who looks at what, and who writes: heard from the line, and forgotten when it is not said again. */
import type { Passed } from '../api/shapes';

/** How long somebody who said so is taken to be there, and to be writing. */
export const THERE = 45_000;
export const WRITING = 6_000;

export interface Present {
  actorId: string;
  threadId: string;
  doing: 'viewing' | 'replying';
  /** Until when what was said holds. */
  until: number;
}

export function hear(known: Present[], said: Passed, me: string, now: number): Present[] {
  const alive = known.filter((one) => one.until > now);
  const { actorId, threadId, state } = said;
  if (!actorId || actorId === me) return alive;
  const others = alive.filter((one) => one.actorId !== actorId || one.threadId !== (threadId ?? one.threadId));
  if (!threadId) return state === 'away' ? others : alive;
  if (said.kind === 'typing') {
    const before = alive.find((one) => one.actorId === actorId && one.threadId === threadId);
    if (state === 'stopped' || state === 'false') {
      return before && before.doing === 'replying' && !isVisitor(actorId)
        ? [...others, { ...before, doing: 'viewing', until: now + THERE }]
        : others;
    }
    return [...others, { actorId, threadId, doing: 'replying', until: now + WRITING }];
  }
  if (state === 'away') return others;
  return [...others, { actorId, threadId, doing: state === 'replying' ? 'replying' : 'viewing', until: now + THERE }];
}

export function isVisitor(actorId: string): boolean {
  return actorId.startsWith('V-');
}

export function here(known: Present[], threadId: string, now: number): Present[] {
  return known.filter((one) => one.threadId === threadId && one.until > now);
}

/** What a visitor was writing has come: nobody writes it any more. */
export function said(known: Present[], threadId: string): Present[] {
  const others = known.filter((one) => one.threadId !== threadId || !isVisitor(one.actorId));
  return others.length === known.length ? known : others;
}
