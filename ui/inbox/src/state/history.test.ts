import { describe, expect, it } from 'vitest';
import type { Entry } from '../api/shapes';
import { addOlder, begin, EMPTY, merge, newestSaid, type Outgoing, saidSince, settle, stillOut } from './history';

function said(id: number, more: Record<string, unknown> = {}): Entry {
  const createdAt = `2026-10-06T08:00:${String(id).padStart(2, '0')}.000Z`;
  return {
    type: 'MESSAGE', id: String(id).padStart(32, '0'), conversationsThreadId: '7', createdAt, updatedAt: createdAt, createdBy: 'V-9',
    client: { clientType: 'HUBSPOT' }, senders: [], recipients: [], archived: false, text: `text ${id}`, richText: '', attachments: [],
    direction: 'INCOMING', channelId: '1000', channelAccountId: '1', truncationStatus: 'NOT_TRUNCATED', ...more,
  } as unknown as Entry;
}
const event = (id: number) => said(id, { type: 'ASSIGNMENT', text: undefined });
const page = (entries: Entry[], after?: string) => ({ results: entries, ...(after ? { paging: { next: { after } } } : {}) });
const numbers = (entries: Entry[]) => entries.map((entry) => Number(entry.id));
const id = (number: number) => String(number).padStart(32, '0');

describe('the entries of a thread', () => {
  it('stand oldest first, whatever order they come in, and never twice', () => {
    expect(numbers(merge([said(2)], [said(3), said(1), said(2)]))).toEqual([1, 2, 3]);
  });

  it('take the newer form of an entry and never an older one', () => {
    const failed = said(1, { status: { statusType: 'FAILED' }, updatedAt: '2026-10-06T09:00:00.000Z' });
    expect(merge([said(1)], [failed])[0]).toBe(failed);
    expect(merge([failed], [said(1)])[0]).toBe(failed);
  });

  it('go back page by page', () => {
    const first = begin(EMPTY, page([said(4), said(3)], 'a'));
    expect([numbers(first.entries), first.older]).toEqual([[3, 4], 'a']);
    const whole = addOlder(first, page([said(2), said(1)]));
    expect([numbers(whole.entries), whole.older]).toEqual([[1, 2, 3, 4], null]);
  });

  it('keep what was loaded when the newest page touches it, and begin anew when it does not', () => {
    const known = addOlder(begin(EMPTY, page([said(4), said(3)], 'a')), page([said(2), said(1)]));
    expect(numbers(begin(known, page([said(5), said(4)], 'b')).entries)).toEqual([1, 2, 3, 4, 5]);
    const far = begin(known, page([said(9), said(8)], 'c'));
    expect([numbers(far.entries), far.older]).toEqual([[8, 9], 'c']);
  });

  it('know what was said last, and by others since', () => {
    const entries = [said(1), said(2, { createdBy: 'A-71' }), said(3, { type: 'COMMENT', createdBy: 'A-72' }), event(4)];
    expect(newestSaid(entries)).toBe(id(3));
    expect(newestSaid([event(1)])).toBeNull();
    expect(numbers(saidSince(entries, id(1), 'A-71'))).toEqual([3]);
    expect(numbers(saidSince(entries, null, 'A-71'))).toEqual([1, 3]);
  });
});

describe('an answer on its way', () => {
  const body = { type: 'MESSAGE' as const, text: 'hello', richText: '<p>hello</p>', attachments: [] };
  const one: Outgoing = { clientId: 'c', threadId: '7', body, closeAfter: false, seen: id(1), at: '', behind: id(1), state: 'SENDING', retry: false };

  it('is gone once it is taken or dropped', () => {
    expect(settle([one], 'c', { kind: 'taken' })).toEqual([]);
    expect(settle([one], 'c', { kind: 'dropped' })).toEqual([]);
    expect(settle([one], 'other', { kind: 'taken' })).toEqual([one]);
  });

  it('says honestly that it failed, and forgets that when it is tried again', () => {
    const failed = settle([one], 'c', { kind: 'failed', problem: 'no line', retry: true });
    expect(failed[0]).toMatchObject({ state: 'FAILED', problem: 'no line', retry: true });
    const again = settle(failed, 'c', { kind: 'again', seen: id(2) });
    expect(again[0]).toMatchObject({ state: 'SENDING', seen: id(2), clientId: 'c' });
    expect(again[0]).not.toHaveProperty('problem');
  });

  it('is held for somebody to decide', () => {
    const held = settle([one], 'c', { kind: 'held', guard: 'NEWER_MESSAGE', by: ['V-9'] });
    expect(held[0]).toMatchObject({ state: 'HELD', guard: 'NEWER_MESSAGE', by: ['V-9'] });
    expect(settle(held, 'c', { kind: 'again', seen: id(2) })[0]).not.toHaveProperty('guard');
  });

  it('is not shown beside itself when its event was quicker than its confirmation', () => {
    const mine = said(2, { text: 'hello', createdBy: 'A-71', direction: 'OUTGOING' });
    expect(stillOut([one], [said(1)], 'A-71')).toEqual([one]);
    expect(stillOut([one], [said(1), mine], 'A-71')).toEqual([]);
  });

  it('is shown while only an older or a colleague\'s equal message is there', () => {
    const older = said(1, { text: 'hello', createdBy: 'A-71' });
    const theirs = said(2, { text: 'hello', createdBy: 'A-72' });
    expect(stillOut([one], [older, theirs], 'A-71')).toEqual([one]);
  });

  it('twice the same hides no more than one', () => {
    const mine = said(2, { text: 'hello', createdBy: 'A-71' });
    expect(stillOut([one, { ...one, clientId: 'd' }], [mine], 'A-71').map((each) => each.clientId)).toEqual(['d']);
  });

  it('that failed stays in sight', () => {
    const mine = said(2, { text: 'hello', createdBy: 'A-71' });
    const failed = { ...one, state: 'FAILED' as const };
    expect(stillOut([failed], [mine], 'A-71')).toEqual([failed]);
  });
});
