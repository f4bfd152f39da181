import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Draft } from '../api/shapes';
import { Keeper, PAUSE } from './drafts';

const text = (words: string): Draft => ({ type: 'MESSAGE', text: words, richText: `<p>${words}</p>`, attachments: [] });

function shelf() {
  const written: string[] = [];
  let hold: Promise<void> = Promise.resolve();
  let broken = false;
  return {
    written,
    holdUntil: (promise: Promise<void>) => (hold = promise),
    break: (now: boolean) => (broken = now),
    save: async (_thread: string, answer: Draft) => {
      await hold;
      if (broken) throw new Error('away');
      written.push(answer.text);
    },
    drop: async () => {
      await hold;
      if (broken) throw new Error('away');
      written.push('-');
    },
  };
}

describe('a draft', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is written a moment after the last key, once', async () => {
    const kept = shelf();
    const keeper = new Keeper('7', kept);
    for (const words of ['a', 'ab', 'abc']) {
      keeper.change(text(words));
      await vi.advanceTimersByTimeAsync(PAUSE / 2);
    }
    expect(kept.written).toEqual([]);
    await vi.advanceTimersByTimeAsync(PAUSE);
    expect(kept.written).toEqual(['abc']);
  });

  it('that is as the server has it is not written again', async () => {
    const kept = shelf();
    const keeper = new Keeper('7', kept);
    keeper.found(text('abc'));
    keeper.change(text('abc'));
    await vi.advanceTimersByTimeAsync(PAUSE * 2);
    await keeper.flush();
    expect(kept.written).toEqual([]);
  });

  it('that was emptied is put away', async () => {
    const kept = shelf();
    const keeper = new Keeper('7', kept);
    keeper.found(text('abc'));
    keeper.change(text('  '));
    await keeper.flush();
    expect(kept.written).toEqual(['-']);
  });

  it('is written at once when its thread is left', async () => {
    const kept = shelf();
    const keeper = new Keeper('7', kept);
    keeper.change(text('abc'));
    await keeper.flush();
    expect(kept.written).toEqual(['abc']);
  });

  it('that was sent does not come back, though it was being written just then', async () => {
    const kept = shelf();
    const keeper = new Keeper('7', kept);
    let release = () => {};
    kept.holdUntil(new Promise((done) => (release = done)));
    keeper.change(text('abc'));
    const writing = keeper.flush();
    keeper.sent();
    release();
    await writing;
    await vi.advanceTimersByTimeAsync(0);
    expect(kept.written).toEqual(['abc', '-']);
  });

  it('that could not be written says so, and is written with the next change', async () => {
    const kept = shelf();
    const told: string[] = [];
    const keeper = new Keeper('7', kept, (now) => told.push(now));
    kept.break(true);
    keeper.change(text('abc'));
    await vi.advanceTimersByTimeAsync(PAUSE);
    expect(told).toEqual(['saving', 'failed']);
    kept.break(false);
    keeper.change(text('abcd'));
    await vi.advanceTimersByTimeAsync(PAUSE);
    expect(kept.written).toEqual(['abcd']);
  });
});
