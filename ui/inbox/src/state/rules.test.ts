import { describe, expect, it } from 'vitest';
import { Problem } from '../api/problem';
import type { Entry, WorkThread } from '../api/shapes';
import { safeHref } from '../lib/rich';
import { browser, initials, pieces, shade } from '../lib/text';
import { demoOf, tokenOf } from '../session/token';
import { pageAt } from '../settings/pages';
import { concerns } from './concerns';
import { restore } from './kept';
import { stateOf } from './rows';

describe('what a thread waits for', () => {
  const open = { archived: false, spam: false, status: 'OPEN' as const };
  it.each([
    ['OPEN', open],
    ['SNOOZED', { ...open, snoozedUntil: '2026-12-01T08:00:00Z' }],
    ['CLOSED', { ...open, status: 'CLOSED' as const, snoozedUntil: '2026-12-01T08:00:00Z' }],
    ['SPAM', { ...open, spam: true, status: 'CLOSED' as const }],
    ['ARCHIVED', { ...open, archived: true, spam: true }],
  ])('%s', (state, thread) => expect(stateOf(thread)).toBe(state));
});

describe('for what somebody is called back', () => {
  const message = { type: 'MESSAGE', direction: 'INCOMING', createdBy: 'V-9' } as Entry;
  const thread = { spam: false, archived: false } as WorkThread;
  it.each([
    ['a message that nobody has', message, thread, true],
    ['a message to me', message, { ...thread, assignedTo: 'A-71' }, true],
    ["a message to somebody else", message, { ...thread, assignedTo: 'A-72' }, false],
    ['what we wrote ourselves', { ...message, direction: 'OUTGOING' }, thread, false],
    ['spam', message, { ...thread, spam: true }, false],
    ['a note on what is mine', { type: 'COMMENT', createdBy: 'A-72' }, { ...thread, assignedTo: 'A-71' }, true],
    ['my own note', { type: 'COMMENT', createdBy: 'A-71' }, { ...thread, assignedTo: 'A-71' }, false],
    ['an assignment', { type: 'ASSIGNMENT', createdBy: 'A-72' }, { ...thread, assignedTo: 'A-71' }, false],
  ] as [string, Entry, WorkThread, boolean][])('%s', (_name, entry, about, called) => expect(concerns(entry, about, 'A-71')).toBe(called));
});

describe('what was kept in the browser', () => {
  it.each([null, '', '{', '[]', 'null', '7', '"x"'])('is forgiven: %j', (kept) => {
    expect(restore(kept, 'de')).toMatchObject({ theme: 'system', language: 'de', keys: true });
  });
  it('is believed where it makes sense', () => {
    const kept = JSON.stringify({ theme: 'dark', language: 'ar', keys: false, sound: 'yes', more: 1 });
    expect(restore(kept, 'en')).toEqual({ theme: 'dark', language: 'ar', keys: false, sound: true, notify: false, contactPane: true });
    expect(restore('{"language":"toString","theme":"pink"}', 'en')).toMatchObject({ language: 'en', theme: 'system' });
  });
});

describe('links that sign in', () => {
  it('carry their secret behind the #', () => {
    expect(tokenOf('#token=abc-_1')).toBe('abc-_1');
    expect([tokenOf(''), tokenOf('#token='), tokenOf('#other=1')]).toEqual([null, null, null]);
    expect(demoOf('#demo=mia@larkspur.example:demo-antiphon')).toEqual({ email: 'mia@larkspur.example', password: 'demo-antiphon' });
    expect(demoOf('#demo=a:b:c')).toEqual({ email: 'a', password: 'b:c' });
    expect([demoOf('#demo=mia'), demoOf(''), demoOf('#demo=%:%')]).toEqual([null, null, null]);
  });
});

describe('addresses that may be followed', () => {
  it.each(['https://example.org/a', 'http://example.org/', 'mailto:a@example.org', 'tel:+4930'])('%s', (href) => expect(safeHref(href)).toBe(href));
  it.each(['javascript:alert(1)', ' JaVaScRiPt:alert(1)', 'java\tscript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://x/y', '/relative', '', null])('not %j', (href) =>
    expect(safeHref(href)).toBeUndefined(),
  );
});

describe('text', () => {
  it('has its addresses found, without what stands behind them', () => {
    expect(pieces('See https://example.org/a, or (https://example.org/b). Or a@example.org!')).toEqual([
      { text: 'See ' },
      { text: 'https://example.org/a', href: 'https://example.org/a' },
      { text: ', or (' },
      { text: 'https://example.org/b', href: 'https://example.org/b' },
      { text: '). Or ' },
      { text: 'a@example.org', href: 'mailto:a@example.org' },
      { text: '!' },
    ]);
    expect(pieces('nothing')).toEqual([{ text: 'nothing' }]);
    expect(pieces('')).toEqual([]);
  });

  it('says what people call a browser', () => {
    expect(browser('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36')).toBe('Chrome · Linux');
    expect(browser('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1')).toBe('Safari · iPhone');
    expect(browser('curl/8')).toBe('curl/8');
  });

  it('names have letters, in every script', () => {
    expect(['Mia Torvald', 'ليلى الحدّاد', 'ines@example.org', '李', '', 'jean-luc'].map(initials)).toEqual(['MT', 'لا', 'I', '李', '', 'JL']);
    expect(shade('Mia', 6)).toBe(shade('Mia', 6));
  });
});

describe('settings', () => {
  it('have a page for an address, and what stands behind it', () => {
    const load = () => Promise.reject(new Error('not loaded here'));
    const pages = ['', 'inboxes', 'inboxes/chat'].map((path) => ({ path, title: 'settings.title' as const, icon: 'gear' as const, group: 'settings.mine' as const, load }));
    const at = (path: string) => pageAt(path, pages);
    expect(at('')?.page.path).toBe('');
    expect(at('inboxes/640')).toMatchObject({ page: { path: 'inboxes' }, rest: '640' });
    expect(at('inboxes/chat/7/x')).toMatchObject({ page: { path: 'inboxes/chat' }, rest: '7/x' });
    expect(at('inboxesx')).toBeNull();
  });
});

describe('a problem', () => {
  it('says every reason that the server gives', () => {
    const problem = Problem.of(400, { message: 'Multiple errors', category: 'VALIDATION_ERROR', errors: [{ message: 'One.' }, { message: 'Two.' }] });
    expect([problem.reasons, problem.passing]).toEqual(['One. Two.', false]);
    expect(Problem.of(502, '<html>').passing).toBe(true);
    expect(Problem.from(new TypeError('failed')).status).toBe(0);
  });
});
