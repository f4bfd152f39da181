import { describe, expect, it } from 'vitest';
import { press, type Pressed, SHORTCUTS, written } from './shortcuts';

const key = (name: string, more: Partial<Pressed> = {}): Pressed => ({ key: name, mod: false, alt: false, typing: false, ...more });

describe('shortcuts', () => {
  it.each([['j', 'next'], ['k', 'previous'], ['r', 'reply'], ['e', 'close'], ['#', 'archive'], ['!', 'spam'], ['?', 'keys']])('%s does %s', (name, id) => {
    expect(press(null, key(name), true, 0)).toEqual([null, id]);
  });

  it('letters are letters while somebody writes, and the palette opens all the same', () => {
    expect(press(null, key('r', { typing: true }), true, 0)).toEqual([null, null]);
    expect(press(null, key('k', { typing: true, mod: true }), true, 0)).toEqual([null, 'palette']);
    expect(press(null, key('K', { mod: true }), true, 0)).toEqual([null, 'palette']);
  });

  it('single keys do nothing once they are switched off, and those with Ctrl still do', () => {
    expect(press(null, key('r'), false, 0)).toEqual([null, null]);
    expect(press(null, key('?'), false, 0)).toEqual([null, null]);
    expect(press(null, key('k', { mod: true }), false, 0)).toEqual([null, 'palette']);
  });

  it('leave what the browser does alone', () => {
    for (const name of ['r', 'c', 'v', 'a', 't']) expect(press(null, key(name, { mod: true }), true, 0)).toEqual([null, null]);
    expect(press(null, key('e', { alt: true }), true, 0)).toEqual([null, null]);
  });

  it('come in twos when the second follows soon', () => {
    const [begun, nothing] = press(null, key('g'), true, 0);
    expect(nothing).toBeNull();
    expect(press(begun, key('u'), true, 500)).toEqual([null, 'goUnassigned']);
    expect(press(begun, key('x'), true, 500)).toEqual([null, null]);
    // Too late: then it is what it is by itself.
    expect(press(begun, key('u'), true, 5000)).toEqual([null, 'back']);
  });

  it('none hides another', () => {
    const all = SHORTCUTS.map((one) => one.keys.join(' '));
    expect(new Set(all).size).toBe(all.length);
    const starts = SHORTCUTS.filter((one) => one.keys.length === 2).map((one) => one.keys[0]);
    expect(SHORTCUTS.filter((one) => one.keys.length === 1 && starts.includes(one.keys[0]))).toEqual([]);
  });

  it('are written as the keyboard has them', () => {
    expect([written('palette', true), written('palette', false), written('goMine', false)]).toEqual(['⌘K', 'Ctrl+K', 'G M']);
  });
});
