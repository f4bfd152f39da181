// The live stream of events: read by fetch, since an EventSource cannot carry a session; resumed after the last event that
// arrived, however often the line is cut.

import { Refused } from './api';
import { backoff, Pause } from './backoff';
import { EventReader, type StreamEvent } from './sse';

export type Connection = 'idle' | 'connecting' | 'live' | 'offline';

export interface StreamPlan {
  /** Asks for the events after a position, or from now on. */
  connect(after: string | null, signal: AbortSignal): Promise<Response>;
  event(event: StreamEvent): void;
  /** The line stands. Without a position, whatever happened before has to be asked for. */
  opened(resumed: boolean): void;
  state(connection: Connection): void;
  random(): number;
}

/** The server says something at least every 25 seconds; after this much silence nobody is there. */
const SILENCE = 60_000;

export class Stream {
  #position: string | null = null;
  #running: AbortController | null = null;
  readonly #pause = new Pause();

  constructor(readonly plan: StreamPlan) {}

  get running(): boolean {
    return this.#running !== null;
  }

  start(): void {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    void this.#run(running.signal);
  }

  /** Closes the line; what happens meanwhile is told after the next start. */
  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#pause.end();
    this.plan.state('idle');
  }

  /** The network is back: no need to wait any longer. */
  wake(): void {
    this.#pause.end();
  }

  /** Events after the known position are of no use, since they are somebody else's or too old. */
  forget(): void {
    this.#position = null;
  }

  async #run(stopped: AbortSignal): Promise<void> {
    let tries = 0;
    while (!stopped.aborted) {
      this.plan.state('connecting');
      let wait: number | null = null;
      try {
        if (await this.#read(stopped)) tries = 0;
      } catch (error) {
        if (error instanceof Refused) {
          // The position is older than what the server keeps.
          if (error.status === 400 || error.status === 410) this.forget();
          if (error.retryAfter) wait = error.retryAfter * 1000;
        }
      }
      if (stopped.aborted) return;
      tries++;
      if (tries > 1) this.plan.state('offline');
      await this.#pause.wait(wait ?? backoff(tries, this.plan.random));
    }
  }

  /** Reads until the line is cut. Whether anything came at all. */
  async #read(stopped: AbortSignal): Promise<boolean> {
    const quiet = new AbortController();
    let timer = setTimeout(() => quiet.abort(), SILENCE);
    const cut = () => quiet.abort();
    stopped.addEventListener('abort', cut);
    let heard = false;
    try {
      const resumed = this.#position;
      const response = await this.plan.connect(resumed, quiet.signal);
      if (!response.body || stopped.aborted) return false;
      this.plan.state('live');
      this.plan.opened(resumed !== null);
      heard = true;
      const events = new EventReader();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || stopped.aborted) return heard;
        clearTimeout(timer);
        timer = setTimeout(() => quiet.abort(), SILENCE);
        for (const event of events.read(decoder.decode(value, { stream: true }))) {
          this.plan.event(event);
        }
        this.#position = events.position ?? this.#position;
      }
    } catch (error) {
      if (heard) return true;
      throw error;
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener('abort', cut);
      quiet.abort();
    }
  }
}
