/** Addresses of the application, and what they mean. */
import type { WorkState } from '../api/shapes';

export const BASE = '/inbox';

export const SHELVES = ['mine', 'unassigned', 'open', 'snoozed', 'closed', 'spam', 'archived'] as const;
export type Shelf = (typeof SHELVES)[number];

/** Which threads a list shows. */
export type Place =
  | { kind: 'inbox'; inboxId: string | null; shelf: Shelf }
  | { kind: 'view'; viewId: string }
  | { kind: 'mentions' };

export type Route =
  | { name: 'work'; place: Place; threadId: string | null }
  | { name: 'setup' }
  | { name: 'invite' }
  | { name: 'settings'; page: string };

export const HOME: Place = { kind: 'inbox', inboxId: null, shelf: 'mine' };

const ID = /^\d{1,19}$/;

export function parse(path: string): Route {
  const parts = path.replace(/^\/inbox\/?/u, '').split('/').filter(Boolean).map(safely);
  const [first, second, third] = parts;
  if (first === 'setup') return { name: 'setup' };
  if (first === 'invite') return { name: 'invite' };
  if (first === 'settings') return { name: 'settings', page: parts.slice(1).join('/') };
  const at = parts.indexOf('t');
  const named = at >= 0 ? parts[at + 1] : undefined;
  const threadId = named !== undefined && ID.test(named) ? named : null;
  const work = (place: Place): Route => ({ name: 'work', place, threadId });
  if (first === 'mentions') return work({ kind: 'mentions' });
  if (first === 'views' && second && ID.test(second)) return work({ kind: 'view', viewId: second });
  if (first === 'all' && isShelf(second)) return work({ kind: 'inbox', inboxId: null, shelf: second });
  if (first === 'in' && second && ID.test(second)) {
    return work({ kind: 'inbox', inboxId: second, shelf: isShelf(third) ? third : 'open' });
  }
  return work(HOME);
}

export function pathOf(route: Route): string {
  switch (route.name) {
    case 'setup':
    case 'invite':
      return `${BASE}/${route.name}`;
    case 'settings':
      return `${BASE}/settings${route.page ? `/${route.page}` : ''}`;
    case 'work':
      return `${BASE}/${placePath(route.place)}${route.threadId ? `/t/${route.threadId}` : ''}`;
  }
}

function placePath(place: Place): string {
  if (place.kind === 'mentions') return 'mentions';
  if (place.kind === 'view') return `views/${place.viewId}`;
  return place.inboxId === null ? `all/${place.shelf}` : `in/${place.inboxId}/${place.shelf}`;
}

export function samePlace(one: Place, other: Place): boolean {
  return placePath(one) === placePath(other);
}

function isShelf(word: string | undefined): word is Shelf {
  return (SHELVES as readonly string[]).includes(word ?? '');
}

function safely(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

/** What a shelf asks of the server. */
export function askedByShelf(shelf: Shelf): { state: WorkState; assignee?: string } {
  switch (shelf) {
    case 'mine':
      return { state: 'OPEN', assignee: 'me' };
    case 'unassigned':
      return { state: 'OPEN', assignee: 'unassigned' };
    case 'open':
      return { state: 'OPEN' };
    case 'snoozed':
      return { state: 'SNOOZED' };
    case 'closed':
      return { state: 'CLOSED' };
    case 'spam':
      return { state: 'SPAM' };
    case 'archived':
      return { state: 'ARCHIVED' };
  }
}
