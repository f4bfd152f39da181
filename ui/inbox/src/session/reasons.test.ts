import { describe, expect, it } from 'vitest';
import { Problem } from '../api/problem';
import { choices, reasonOf } from './reasons';

describe('why somebody is not signed in', () => {
  it.each([
    ['', null],
    ['?portal=7', null],
    ['?error=oidc_domain', 'session.oidcDomain'],
    ['?error=oidc_expired&portal=7', 'session.oidcExpired'],
    ['?error=', 'session.oidcFailed'],
    ['?error=Your%20account%20is%20gone', 'session.oidcFailed'],
    ['?error=__proto__', 'session.oidcFailed'],
    ['?error=constructor', 'session.oidcFailed'],
  ])('%s', (search, key) => {
    expect(reasonOf(search)).toBe(key);
  });

  it('is that they have to choose a portal', () => {
    const context = { portalId: ['7', '9'], name: ['Larkspur', ''] };
    const problem = (status: number, kind: string) => new Problem(status, 'Say which one.', 'CONFLICT', kind, context);
    expect(choices(problem(409, 'SEVERAL_PORTALS'))).toEqual([{ id: '7', name: 'Larkspur' }, { id: '9', name: '9' }]);
    expect(choices(problem(409, 'NEWER_MESSAGE'))).toEqual([]);
    expect(choices(problem(401, 'SEVERAL_PORTALS'))).toEqual([]);
    expect(choices(new Problem(409, '', 'CONFLICT', 'SEVERAL_PORTALS'))).toEqual([]);
  });
});
