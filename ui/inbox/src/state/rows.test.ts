import { describe, expect, it } from 'vitest';
import type { WorkThread } from '../api/shapes';
import { extend, fits, neighbour, NONE, place, remove, renew, wantedBy } from './rows';

function thread(id: number, minute: number, more: Partial<WorkThread> = {}): WorkThread {
  const at = `2026-10-06T08:${String(minute).padStart(2, '0')}:00.000Z`;
  return {
    id: String(id), state: 'OPEN', status: 'OPEN', inboxId: '1', channelId: '1000', channelAccountId: '1',
    contact: { id: '9', actorId: 'V-9', contact: true }, tags: [], spam: false, archived: false, createdAt: at,
    latestMessageTimestamp: at, latestEntryTimestamp: at, unread: false, ...more,
  };
}
const page = (threads: WorkThread[], after?: string) => ({ results: threads, ...(after ? { paging: { next: { after } } } : {}) });
const ids = (rows: { threads: WorkThread[] }) => rows.threads.map((one) => one.id).join(' ');
const open = wantedBy({ states: ['OPEN'] }, 'A-71');

describe('which threads belong', () => {
  const cases: [string, Parameters<typeof wantedBy>[0], Partial<WorkThread>, boolean][] = [
    ['any state where none is named', {}, { state: 'SPAM' }, true],
    ['another state', { states: ['OPEN'] }, { state: 'CLOSED' }, false],
    ['mine', { assignee: 'ME' }, { assignedTo: 'A-71' }, true],
    ["somebody else's", { assignee: 'me' }, { assignedTo: 'A-72' }, false],
    ['nobody has it', { assignee: 'UNASSIGNED' }, {}, true],
    ['somebody has it', { assignee: 'unassigned' }, { assignedTo: 'A-72' }, false],
    ['of one agent', { assignee: 'A-72' }, { assignedTo: 'A-72' }, true],
    ['whoever has it', { assignee: 'ANY' }, { assignedTo: 'A-72' }, true],
    ['another inbox', { inboxIds: ['2'] }, {}, false],
    ['one of several inboxes', { inboxIds: ['2', '1'] }, {}, true],
    ['another account', { channelAccountIds: ['5'] }, {}, false],
    ['with the tag', { tagId: '4' }, { tags: ['4'] }, true],
    ['without the tag', { tagId: '4' }, { tags: ['5'] }, false],
  ];
  it.each(cases)('%s', (_name, filter, more, fit) => {
    expect(fits(thread(1, 1, more), wantedBy(filter, 'A-71'))).toBe(fit);
  });
});

describe('the list', () => {
  const three = extend(NONE, page([thread(3, 30), thread(2, 20), thread(1, 10)], 'x'));

  it('grows by pages, and shows nothing twice', () => {
    const more = extend(three, page([thread(1, 10), thread(7, 5)]));
    expect(ids(more)).toBe('3 2 1 7');
    expect(more.after).toBeNull();
  });

  it('moves a thread up when something happens in it', () => {
    expect(ids(place(three, thread(1, 40), open))).toBe('1 3 2');
  });

  it('takes out what no longer belongs, and puts in what does now', () => {
    expect(ids(place(three, thread(2, 20, { state: 'CLOSED' }), open))).toBe('3 1');
    expect(ids(place(three, thread(9, 25), open))).toBe('3 9 2 1');
  });

  it('leaves what stands below the last page to its page, but not at the very end', () => {
    expect(place(three, thread(9, 1), open)).toBe(three);
    expect(ids(place({ ...three, after: null }, thread(9, 1), open))).toBe('3 2 1 9');
  });

  it('keeps what was loaded below when the first page is read anew', () => {
    const long = extend(three, page([thread(8, 8), thread(7, 7)], 'y'));
    const fresh = renew(long, page([thread(1, 50), thread(3, 30), thread(2, 20)], 'z'));
    expect(ids(fresh)).toBe('1 3 2 8 7');
    expect(fresh.after).toBe('y');
    expect(ids(renew(long, page([thread(3, 30)])))).toBe('3');
  });

  it('breaks ties by number, the newer first', () => {
    expect(ids(place(three, thread(11, 20), open))).toBe('3 11 2 1');
  });

  it('knows the neighbour that comes next', () => {
    expect([neighbour(three, '2', 1), neighbour(three, '2', -1), neighbour(three, '1', 1), neighbour(three, null, 1)]).toEqual(['1', '3', null, '3']);
    expect(neighbour(NONE, '4', 1)).toBeNull();
    expect(remove(three, '99')).toBe(three);
  });
});
