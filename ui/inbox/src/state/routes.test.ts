import { describe, expect, it } from 'vitest';
import { HOME, parse, pathOf, type Route } from './routes';

describe('addresses', () => {
  const routes: Route[] = [
    { name: 'work', place: { kind: 'inbox', inboxId: null, shelf: 'unassigned' }, threadId: null },
    { name: 'work', place: { kind: 'inbox', inboxId: '640', shelf: 'closed' }, threadId: '55120034' },
    { name: 'work', place: { kind: 'view', viewId: '3' }, threadId: '7' },
    { name: 'work', place: { kind: 'mentions' }, threadId: null },
    { name: 'settings', page: '' },
    { name: 'settings', page: 'inboxes/640' },
    { name: 'setup' },
    { name: 'invite' },
  ];
  it.each(routes.map((route) => [pathOf(route), route] as const))('%s', (path, route) => {
    expect(parse(path)).toEqual(route);
  });

  it.each(['/inbox', '/inbox/', '/inbox/nothing/known', '/inbox/in/x', '/inbox/all/x', '/inbox/%E0%A4%A/t'])('%s leads home', (path) => {
    expect(parse(path)).toEqual({ name: 'work', place: HOME, threadId: null });
  });

  it('never takes anything but a number for a thread', () => {
    expect(parse('/inbox/all/open/t/%2e%2e')).toMatchObject({ threadId: null });
    expect(parse('/inbox/all/open/t/12345678901234567890123')).toMatchObject({ threadId: null });
  });
});
