import { describe, expect, it } from 'vitest';
import type { ChatSettings } from '../../api/shapes';
import { body, filled, lines, textOn } from './chatting';

const plain: ChatSettings = {
  accountId: '7', title: 'Chat', color: '#2f6f5e', position: 'RIGHT', quickReplies: [], askEmail: 'OUTSIDE_HOURS', attachments: true, cookieBanner: 'OFF', domains: [], pages: [],
};

describe('a chat as it is filled in', () => {
  it('is told as it was read', () => {
    const whole: ChatSettings = {
      ...plain,
      title: 'Ask us',
      welcomeMessage: 'Hello!',
      awayMessage: 'Back on Monday.',
      language: 'de',
      quickReplies: ['Yes', 'No'],
      domains: ['*.example.com'],
      pages: ['/shop/*'],
      officeHours: { timeZone: 'Europe/Berlin', days: [{ day: 1, from: '09:00', to: '12:00' }, { day: 1, from: '13:00', to: '24:00' }, { day: 7, from: '00:00', to: '06:00' }] },
    };
    const { accountId: _, ...told } = whole;
    expect(body(filled(whole, 'Chat', 'UTC'))).toEqual(told);
  });

  it('leaves out what is empty, the name of the account and hours that nobody set', () => {
    const { accountId: _, title: __, ...told } = plain;
    expect(body(filled(plain, 'Chat', 'UTC'))).toEqual(told);
  });

  it('begins with the hours that are usual', () => {
    const form = filled(plain, 'Chat', 'Europe/Berlin');
    expect(form.always).toBe(true);
    const said = body({ ...form, always: false });
    expect(said.officeHours?.timeZone).toBe('Europe/Berlin');
    expect(said.officeHours?.days.map(({ day }) => day)).toEqual([1, 2, 3, 4, 5]);
  });

  it('takes a line for an entry', () => {
    expect(lines(' a.example \n\n b.example')).toEqual(['a.example', 'b.example']);
  });

  it('writes so that it can be read', () => {
    expect(['#ffffff', '#000000', '#2f6f5e', '#ffd400'].map(textOn)).toEqual(['black', 'white', 'white', 'black']);
  });
});
