/** The list of threads: how pages and changes become one list, newest activity first. */
import type { Page, ViewFilter, WorkState, WorkThread } from '../api/shapes';

/** What decides whether a thread is in the list. */
export interface Wanted {
  states: WorkState[];
  inboxIds: string[];
  channelAccountIds: string[];
  /** `me` is somebody by now. */
  assignee: string | null | 'anybody';
  tagId: string | null;
}

/** The state that follows from the rest. */
export function stateOf(thread: Pick<WorkThread, 'archived' | 'spam' | 'status' | 'snoozedUntil'>): WorkState {
  if (thread.archived) return 'ARCHIVED';
  if (thread.spam) return 'SPAM';
  if (thread.status === 'CLOSED') return 'CLOSED';
  return thread.snoozedUntil ? 'SNOOZED' : 'OPEN';
}

export function wantedBy(filter: ViewFilter, me: string): Wanted {
  const asked = filter.assignee?.toUpperCase();
  const assignee = !asked || asked === 'ANY' ? 'anybody' : asked === 'UNASSIGNED' ? null : asked === 'ME' ? me : (filter.assignee ?? null);
  return {
    states: filter.states ?? [],
    inboxIds: filter.inboxIds ?? [],
    channelAccountIds: filter.channelAccountIds ?? [],
    assignee,
    tagId: filter.tagId ?? null,
  };
}

export function fits(thread: WorkThread, wanted: Wanted): boolean {
  if (wanted.states.length > 0 && !wanted.states.includes(thread.state)) return false;
  if (wanted.inboxIds.length > 0 && !wanted.inboxIds.includes(thread.inboxId)) return false;
  if (wanted.channelAccountIds.length > 0 && !wanted.channelAccountIds.includes(thread.channelAccountId)) return false;
  if (wanted.tagId !== null && !thread.tags.includes(wanted.tagId)) return false;
  if (wanted.assignee === 'anybody') return true;
  return wanted.assignee === null ? !thread.assignedTo : thread.assignedTo === wanted.assignee;
}

/** When something last happened in it, as the server orders by. */
export function activity(thread: WorkThread): string {
  return thread.latestMessageTimestamp ?? thread.createdAt;
}

/** Newest activity first, then the newer thread, as the server orders. */
export function byActivity(one: WorkThread, other: WorkThread): number {
  const [a, b] = [activity(one), activity(other)];
  if (a !== b) return a < b ? 1 : -1;
  return Number(other.id) - Number(one.id);
}

export interface Rows {
  threads: WorkThread[];
  /** Where the next page begins; `null` behind the last. */
  after: string | null;
}

export const NONE: Rows = { threads: [], after: null };

/** Another page below what is known. What is known already stays as it is. */
export function extend(rows: Rows, page: Page<WorkThread>): Rows {
  const known = new Set(rows.threads.map((thread) => thread.id));
  const fresh = page.results.filter((thread) => !known.has(thread.id));
  return { threads: [...rows.threads, ...fresh], after: page.paging?.next?.after ?? null };
}

/** The first page anew, with what was loaded below it kept. */
export function renew(rows: Rows, page: Page<WorkThread>): Rows {
  const after = page.paging?.next?.after ?? null;
  const last = page.results[page.results.length - 1];
  // Everything is on the page, or nothing was loaded below it.
  if (after === null || !last || rows.threads.length <= page.results.length) return { threads: page.results, after };
  const fresh = new Set(page.results.map((thread) => thread.id));
  const below = rows.threads.filter((thread) => !fresh.has(thread.id) && byActivity(last, thread) < 0);
  return { threads: [...page.results, ...below], after: below.length > 0 ? rows.after : after };
}

/** A thread as it is now: put where it belongs, or taken out. One that would stand below what is loaded waits for its page. */
export function place(rows: Rows, thread: WorkThread, wanted: Wanted): Rows {
  const others = rows.threads.filter((other) => other.id !== thread.id);
  const was = others.length !== rows.threads.length;
  if (!fits(thread, wanted)) return was ? { ...rows, threads: others } : rows;
  const at = others.findIndex((other) => byActivity(thread, other) < 0);
  if (at < 0 && rows.after !== null && !was) return rows;
  const threads = at < 0 ? [...others, thread] : [...others.slice(0, at), thread, ...others.slice(at)];
  return { ...rows, threads };
}

/** Without a thread that is gone. */
export function remove(rows: Rows, threadId: string): Rows {
  const threads = rows.threads.filter((thread) => thread.id !== threadId);
  return threads.length === rows.threads.length ? rows : { ...rows, threads };
}

/** The thread beside another: what is opened once that is done. */
export function neighbour(rows: Rows, threadId: string | null, step: 1 | -1): string | null {
  const at = rows.threads.findIndex((thread) => thread.id === threadId);
  if (at < 0) return rows.threads[0]?.id ?? null;
  return rows.threads[at + step]?.id ?? null;
}
