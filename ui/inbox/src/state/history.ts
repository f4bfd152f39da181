/** The entries of a thread, and what is on its way into it. */
import type { Answer, Entry, Page } from '../api/shapes';

export interface History {
  /** Oldest first. */
  entries: Entry[];
  /** Where older ones begin; `null` once the first is there. */
  older: string | null;
  complete: boolean;
}

export const EMPTY: History = { entries: [], older: null, complete: false };

/** Ids grow within a thread, as its moments do. */
function inOrder(one: Entry, other: Entry): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

/** Adds entries, or puts newer forms of them in place. */
export function merge(known: Entry[], more: Entry[]): Entry[] {
  if (more.length === 0) return known;
  const all = new Map(known.map((entry) => [entry.id, entry]));
  for (const entry of more) {
    const had = all.get(entry.id);
    if (!had || !('updatedAt' in had) || !('updatedAt' in entry) || (had.updatedAt ?? '') <= (entry.updatedAt ?? '')) {
      all.set(entry.id, entry);
    }
  }
  return [...all.values()].sort(inOrder);
}

/** The newest page, which the server tells newest first. What lay between it and what was known is asked for again. */
export function begin(history: History, page: Page<Entry>): History {
  const oldest = page.results[page.results.length - 1];
  const touches = !oldest || history.entries.some((entry) => entry.id === oldest.id);
  if (!history.complete || !touches) {
    const older = page.paging?.next?.after ?? null;
    return { entries: merge([], page.results), older, complete: true };
  }
  return { ...history, entries: merge(history.entries, page.results) };
}

export function addOlder(history: History, page: Page<Entry>): History {
  return { ...history, entries: merge(history.entries, page.results), older: page.paging?.next?.after ?? null };
}

/** The newest entry that somebody said, which is what an answer answers. */
export function newestSaid(entries: Entry[]): string | null {
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const entry = entries[at];
    if (entry && (entry.type === 'MESSAGE' || entry.type === 'COMMENT')) return entry.id;
  }
  return null;
}

/** What was said behind an entry, by others. */
export function saidSince(entries: Entry[], seen: string | null, me: string): Entry[] {
  const at = seen === null ? -1 : entries.findIndex((entry) => entry.id === seen);
  return entries
    .slice(at + 1)
    .filter((entry) => (entry.type === 'MESSAGE' || entry.type === 'COMMENT') && entry.createdBy !== me);
}

/** Why the server does not take an answer, where it leaves the choice to us. */
export type Guard = 'NEWER_MESSAGE' | 'COLLEAGUE_ANSWERING';

/** An answer that the server has not confirmed. */
export interface Outgoing {
  clientId: string;
  threadId: string;
  body: Answer;
  closeAfter: boolean;
  seen: string | null;
  at: string;
  /** The newest entry there was when it set out: its own stands behind it. */
  behind: string | null;
  state: 'SENDING' | 'FAILED' | 'HELD';
  /** Whether it may be sent again as it is. */
  retry: boolean;
  problem?: string;
  guard?: Guard;
  by?: string[];
}

export type Fate =
  | { kind: 'taken' }
  | { kind: 'held'; guard: Guard; by: string[] }
  | { kind: 'failed'; problem: string; retry: boolean }
  | { kind: 'again'; seen: string | null }
  | { kind: 'dropped' };

/** What becomes of an answer on its way. */
export function settle(outgoing: Outgoing[], clientId: string, fate: Fate): Outgoing[] {
  if (fate.kind === 'taken' || fate.kind === 'dropped') return outgoing.filter((one) => one.clientId !== clientId);
  return outgoing.map((one) => {
    if (one.clientId !== clientId) return one;
    const { problem: _problem, guard: _guard, by: _by, ...rest } = one;
    if (fate.kind === 'again') return { ...rest, seen: fate.seen, state: 'SENDING' };
    if (fate.kind === 'held') return { ...rest, state: 'HELD', guard: fate.guard, by: fate.by };
    return { ...rest, state: 'FAILED', problem: fate.problem, retry: fate.retry };
  });
}

/** What is shown of it: an answer whose event was quicker than its confirmation is there already. */
export function stillOut(outgoing: Outgoing[], entries: Entry[], me: string): Outgoing[] {
  const taken = new Set<string>();
  return outgoing.filter((one) => {
    if (one.state !== 'SENDING') return true;
    const there = entries.find(
      (entry) =>
        entry.type === one.body.type &&
        entry.createdBy === me &&
        !taken.has(entry.id) &&
        (one.behind === null || entry.id > one.behind) &&
        'text' in entry &&
        entry.text.trim() === one.body.text.trim(),
    );
    if (there) taken.add(there.id);
    return !there;
  });
}
