import { describe, expect, it } from 'vitest';
import * as talks from './talks';
import type { Message } from './types';

const message = (id: string, change: Partial<Message> = {}): Message => ({
  id,
  threadId: 5,
  from: 'AGENT',
  text: id,
  createdAt: `2026-01-01T00:00:${id}Z`,
  ...change,
});

const thread = (id: number, change = {}) => ({
  id,
  status: 'OPEN' as const,
  preview: 'p',
  unread: 0,
  latestAt: '',
  ...change,
});

describe('talks', () => {
  it('keep their messages in order, each once, however they arrive', () => {
    const first = talks.insert([], [message('02'), message('04')]);
    const both = talks.insert(first, [message('03'), message('02', { text: 'changed' })]);
    expect(both.map((each) => each.text)).toEqual(['changed', '03', '04']);
  });

  it('count what is unread once, and nothing that is seen or the visitor’s own', () => {
    let talk: talks.Talk = { ...talks.freshTalk('t5'), id: 5 };
    const add = (added: Message, seen: boolean) =>
      (talk = { ...talk, ...talks.withMessage(talk, added, seen) });
    add(message('01'), false);
    add(message('01'), false);
    expect(talk.unread).toBe(1);
    add(message('02', { from: 'VISITOR' }), false);
    add(message('03'), true);
    expect(talk.unread).toBe(1);
    expect(talk.preview).toBe('03');
  });

  it('are one when the list knew the thread before the answer did', () => {
    const fresh = talks.freshTalk('f1');
    const merged = talks.mergeThreads([fresh], [thread(5, { preview: 'hello' })]);
    expect(merged.map((talk) => talk.key)).toEqual(['f1', 't5']);
    const bound = talks.bind(merged, 'f1', 5);
    expect(bound).toMatchObject([{ key: 'f1', id: 5, preview: 'hello', loaded: true, begunHere: true }]);
    expect(talks.mergeThreads(bound, [thread(5)]).map((talk) => talk.key)).toEqual(['f1']);
  });

  it('keep what is known of them when the list comes again', () => {
    const known = { ...talks.freshTalk('t5'), id: 5, messages: [message('01')] };
    const merged = talks.mergeThreads([known], [thread(6), thread(5, { unread: 2 })]);
    expect(merged.map((talk) => [talk.id, talk.messages.length, talk.unread, talk.loaded])).toEqual([
      [6, 0, 0, false],
      [5, 1, 2, true],
    ]);
  });

  it('have no gap where more was said meanwhile than a page holds', () => {
    const ids = (talk: Partial<talks.Talk>) => [talk.messages!.map((each) => each.id).join(' '), talk.more];
    const known = {
      ...talks.freshTalk('t5'),
      id: 5,
      messages: ['02', '03', '09'].map((id) => message(id)),
      more: false,
    };
    const page = (...of: string[]) => ({ results: of.map((id) => message(id)), more: true });
    expect(ids(talks.withPage(known, page('07', '08', '09'), false))).toEqual(['07 08 09', true]);
    expect(ids(talks.withPage(known, page('03', '08', '09'), false))).toEqual(['02 03 08 09', false]);
    expect(ids(talks.withPage(known, page('00', '01'), true))).toEqual(['00 01 02 03 09', true]);
    expect(ids(talks.withPage(known, { ...page('02', '03', '08'), more: false }, false))).toEqual([
      '02 03 08 09',
      false,
    ]);
  });

  it('know up to where they were read', () => {
    expect(talks.later(null, '02')).toBe('02');
    expect(talks.later('03', '02')).toBe('03');
  });
});
