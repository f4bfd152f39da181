import { describe, expect, it } from 'vitest';
import { fill, type Key } from '../../i18n/catalogue';
import { en } from '../../i18n/en';
import { act, ASKED, asked, differences } from './acts';

const say = (key: Key, values: Record<string, string> = {}) => fill(en[key], values, new Intl.PluralRules('en'), new Intl.NumberFormat('en'));
const nobody = () => undefined;

describe('an act', () => {
  it('is said in a sentence', () => {
    const inbox = { object: 'INBOX', id: '7', before: { name: 'Care' }, after: { name: 'Careful' } };
    expect(act({ action: 'own.inboxes.update', changes: [inbox] }, say, nobody)).toBe('changed the inbox “Careful”');
    const token = { object: 'TOKEN', id: '9', before: { label: 'Importer' } };
    expect(act({ action: 'tokens.revoke', changes: [token] }, say, nobody)).toBe('revoked the token “Importer”');
  });

  it('is said of whom it is about, be that named elsewhere', () => {
    const login = { object: 'LOGIN', id: '71', after: { role: 'AGENT' } };
    const agent = { object: 'AGENT', id: '71', after: { name: 'Ada' } };
    expect(act({ action: 'invitations.create', changes: [login, agent] }, say, nobody)).toBe('invited Ada');
    expect(act({ action: 'agents.totp.reset', changes: [login] }, say, () => 'Tom')).toContain('Tom');
    expect(act({ action: 'agents.totp.reset', changes: [login] }, say, nobody)).toContain('71');
  });

  it('is shown as it is named where it is not known', () => {
    expect(act({ action: 'moons.align', changes: [{ object: 'MOON', id: '1' }] }, say, nobody)).toBe('moons.align · MOON 1');
    expect(act({ action: 'moons.create', changes: [{ object: 'MOON', id: '1', after: { name: 'Io' } }] }, say, nobody)).toBe('moons.create · MOON Io');
    for (const action of ['', 'x', 'toString', 'a.constructor']) expect(act({ action, changes: [] }, say, nobody)).toBe(action);
  });

  it('can be asked for in words', () => {
    for (const action of Object.keys(ASKED)) expect(asked(action, say), action).not.toBe(action);
    expect(asked('own.inboxes.create', say)).toBe('Created the inbox “…”');
  });
});

it('what an act changed is told value by value', () => {
  const change = { object: 'X', id: '1', before: { name: 'Care', on: true }, after: { name: 'Careful', list: [1, 2], gone: null } };
  expect(differences(change)).toEqual([
    { field: 'name', before: 'Care', after: 'Careful' },
    { field: 'on', before: 'true' },
    { field: 'list', after: '[1,2]' },
    { field: 'gone' },
  ]);
});
