import { describe, expect, it } from 'vitest';
import { hear, here, said as come, THERE, WRITING } from './presence';

const said = (kind: string, actorId: string, state: string, threadId = '7') => ({ kind, actorId, state, threadId, appId: '0' });

describe('who is there', () => {
  it('is who said so, and not we ourselves', () => {
    expect(hear([], said('presence', 'A-72', 'viewing'), 'A-71', 0)).toMatchObject([{ actorId: 'A-72', doing: 'viewing', until: THERE }]);
    expect(hear([], said('presence', 'A-71', 'viewing'), 'A-71', 0)).toEqual([]);
  });

  it('is forgotten when it is not said again', () => {
    const known = hear([], said('presence', 'A-72', 'viewing'), 'A-71', 0);
    expect(here(known, '7', THERE - 1)).toHaveLength(1);
    expect(here(known, '7', THERE + 1)).toHaveLength(0);
    expect(here(known, '8', 0)).toHaveLength(0);
  });

  it('is gone at once when it says so', () => {
    const known = hear([], said('presence', 'A-72', 'replying'), 'A-71', 0);
    expect(hear(known, said('presence', 'A-72', 'away'), 'A-71', 1)).toEqual([]);
  });

  it('writes for a few seconds, and looks on when it stops', () => {
    const known = hear([], said('typing', 'A-72', 'started'), 'A-71', 0);
    expect(known).toMatchObject([{ doing: 'replying', until: WRITING }]);
    expect(hear(known, said('typing', 'A-72', 'stopped'), 'A-71', 1)).toMatchObject([{ doing: 'viewing' }]);
  });

  it('a visitor who stops writing is not said to look', () => {
    const known = hear([], said('typing', 'V-9', 'started'), 'A-71', 0);
    expect(hear(known, said('typing', 'V-9', 'stopped'), 'A-71', 1)).toEqual([]);
  });

  it('a visitor whose message has come writes no more, and colleagues still look', () => {
    const both = hear(hear([], said('typing', 'V-9', 'started'), 'A-71', 0), said('presence', 'A-72', 'viewing'), 'A-71', 0);
    expect(come(both, '7').map((one) => one.actorId)).toEqual(['A-72']);
    expect(come(both, '8')).toBe(both);
  });

  it('somebody may be in two threads at a time', () => {
    const one = hear([], said('presence', 'A-72', 'viewing', '7'), 'A-71', 0);
    expect(hear(one, said('presence', 'A-72', 'viewing', '8'), 'A-71', 0)).toHaveLength(2);
  });
});
