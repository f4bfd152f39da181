import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refused, Unreachable } from './api';
import { Stream, type StreamPlan } from './stream';

/** A server that the test speaks for. */
function line() {
  const asked: (string | null)[] = [];
  const events: string[] = [];
  const states: string[] = [];
  const opened: boolean[] = [];
  let answer: () => Response | Promise<Response> = () => Promise.reject(new Unreachable());
  let say: ReadableStreamDefaultController<Uint8Array> | null = null;
  const serve = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => void (say = controller),
      }),
    );
  const plan: StreamPlan = {
    connect: async (after, signal) => {
      asked.push(after);
      const response = await answer();
      const cut = say;
      signal.addEventListener('abort', () => {
        try {
          cut?.error(new DOMException('aborted', 'AbortError'));
        } catch {
          // It had ended already.
        }
      });
      return response;
    },
    event: (event) => events.push(`${event.id} ${event.name} ${event.data}`),
    opened: (resumed) => opened.push(resumed),
    state: (state) => states.push(state),
    random: () => 1,
  };
  return {
    stream: new Stream(plan),
    asked,
    events,
    states,
    opened,
    answers: (next: () => Response | Promise<Response>) => (answer = next),
    serve,
    say: (text: string) => say?.enqueue(new TextEncoder().encode(text)),
    cut: () => say?.close(),
  };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the stream', () => {
  it('resumes after the last whole event', async () => {
    const { stream, asked, events, opened, answers, serve, say, cut } = line();
    answers(serve);
    stream.start();
    await settle();
    say('id: 7\nevent: message\ndata: {}\n\nid: 8\nevent: mess');
    await settle();
    cut();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toEqual([null, '7']);
    expect(opened).toEqual([false, true]);
    expect(events).toEqual(['7 message {}']);
    stream.stop();
  });

  it('tries ever more seldom while nobody answers, and starts over once somebody does', async () => {
    const { stream, asked, states, answers, serve, cut } = line();
    stream.start();
    await settle();
    expect(asked).toHaveLength(1);
    for (const [wait, tries] of [
      [1000, 2],
      [2000, 3],
      [4000, 4],
    ] as const) {
      // prettier-ignore
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(asked).toHaveLength(tries - 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(asked).toHaveLength(tries);
    }
    expect(states).toContain('offline');
    answers(serve);
    await vi.advanceTimersByTimeAsync(8000);
    expect(states.at(-1)).toBe('live');
    cut();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toHaveLength(6);
    stream.stop();
  });

  it('does not wait any longer when the network is back', async () => {
    const { stream, asked } = line();
    stream.start();
    await vi.advanceTimersByTimeAsync(1000 + 2000 + 4000);
    expect(asked).toHaveLength(4);
    stream.wake();
    await settle();
    expect(asked).toHaveLength(5);
    stream.stop();
  });

  it('waits as long as the server says', async () => {
    const { stream, asked, answers } = line();
    answers(() => Promise.reject(new Refused(429, 20)));
    stream.start();
    await vi.advanceTimersByTimeAsync(19_999);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
    stream.stop();
  });

  it('gives a silent line up', async () => {
    const { stream, asked, answers, serve, say } = line();
    answers(serve);
    stream.start();
    await settle();
    say(': still here\n\n');
    await vi.advanceTimersByTimeAsync(59_000);
    say(': still here\n\n');
    await vi.advanceTimersByTimeAsync(59_000);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(2);
    stream.stop();
  });

  it('asks from now on when its position is too old', async () => {
    const { stream, asked, opened, answers, serve, say, cut } = line();
    answers(serve);
    stream.start();
    await settle();
    say('id: 7\ndata: {}\n\n');
    await settle();
    answers(() => Promise.reject(new Refused(410, null)));
    cut();
    await vi.advanceTimersByTimeAsync(1000);
    answers(serve);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toEqual([null, '7', null]);
    expect(opened).toEqual([false, false]);
    stream.stop();
  });

  it('says nothing after it was stopped, and goes on where it was', async () => {
    const { stream, asked, events, answers, serve, say } = line();
    answers(serve);
    stream.start();
    await settle();
    say('id: 3\ndata: {}\n\n');
    await settle();
    stream.stop();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(asked).toHaveLength(1);
    stream.start();
    await settle();
    expect(asked).toEqual([null, '3']);
    expect(events).toHaveLength(1);
    stream.stop();
  });
});
