import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { part } from './parts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('parts', () => {
  it('are what was fetched', async () => {
    const reload = vi.fn();
    expect(
      await part(Promise.resolve('there'), { answers: async () => true, reload, reloaded: () => false }),
    ).toBe('there');
    expect(reload).not.toHaveBeenCalled();
  });

  it('that cannot be fetched begin the frame anew, once, as soon as the server answers', async () => {
    const answers = vi.fn().mockResolvedValueOnce(false).mockResolvedValue(true);
    const reload = vi.fn();
    const around = { answers, reload, reloaded: () => false };
    void part(Promise.reject(new Error('503')), around);
    void part(Promise.reject(new Error('503')), around);
    await vi.advanceTimersByTimeAsync(3001);
    expect(answers).toHaveBeenCalledTimes(2);
    expect(reload).toHaveBeenCalledOnce();
  });

  it('are not hurried when that was of no use', async () => {
    const reload = vi.fn();
    void part(Promise.reject(new Error('404')), { answers: async () => true, reload, reloaded: () => true });
    await vi.advanceTimersByTimeAsync(14_000);
    expect(reload).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(17_000);
    expect(reload).toHaveBeenCalledOnce();
  });
});
