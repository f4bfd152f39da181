/**
 * What happens in the portal, as it happens: the WebSocket, resumed where it ended.
 *
 * Nothing is missing between two connections: each begins behind the last position that was told. Where that is no longer
 * kept, `lost` says that everything has to be read anew.
 */
import { api, ok } from './client';
import type { Happening, Passed } from './shapes';

/** How the line is: `off` until the first connection, then up or down. */
export type Line = 'off' | 'up' | 'down';

export interface Listener {
  happened(event: Happening): void;
  passed(said: Passed): void;
  /** What was read before may be old. */
  lost(): void;
  line(line: Line): void;
  /** The server no longer lets us listen. */
  refused(): void;
}

/** What the socket says, in all its forms. */
type Told = { kind: string; position?: number; reason?: string } & Partial<Happening> & Partial<Passed>;

/** What is left of the last connection when the next one begins. */
export interface Standing {
  position: number | null;
  attempts: number;
}

export type Step =
  | { do: 'nothing' }
  | { do: 'happened'; event: Happening }
  | { do: 'passed'; said: Passed }
  | { do: 'lost' }
  | { do: 'end'; unauthorized: boolean };

/** What a frame means, and where we stand behind it. */
export function step(standing: Standing, told: Told): [Standing, Step] {
  const moved = (position: number | undefined): Standing => ({
    attempts: 0,
    position: position === undefined ? standing.position : Math.max(position, standing.position ?? 0),
  });
  switch (told.kind) {
    case 'position':
      return [moved(told.position), { do: 'nothing' }];
    case 'resync':
      // The stream goes on there, be it before or behind what we knew.
      return [{ attempts: 0, position: told.position ?? null }, { do: 'lost' }];
    case 'cutOff':
      return [
        { ...standing, position: told.position ?? standing.position },
        { do: 'end', unauthorized: told.reason === 'unauthorized' },
      ];
    case 'typing':
    case 'presence':
      return [standing, { do: 'passed', said: told as Passed }];
    case 'refused':
      return [standing, { do: 'nothing' }];
    default:
      if (told.position === undefined || told.objectType === undefined) return [standing, { do: 'nothing' }];
      // After a resume nothing comes twice; should it, it does no harm to leave it out.
      if (standing.position !== null && told.position <= standing.position) return [standing, { do: 'nothing' }];
      return [moved(told.position), { do: 'happened', event: told as Happening }];
  }
}

const FIRST = 400;
const LONGEST = 20_000;

/** How long to wait before another attempt: doubled each time, and never for all at the same moment. */
export function pause(attempts: number, chance: number): number {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.min(attempts, 10));
  return Math.round(most / 2 + (most / 2) * chance);
}

/** How often a silent line is looked at. */
const LOOK = 45_000;

export class Live {
  private socket: WebSocket | null = null;
  private standing: Standing = { position: null, attempts: 0 };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  private stopped = false;

  constructor(
    private readonly listener: Listener,
    private readonly address = `${location.origin.replace(/^http/, 'ws')}/antiphon/v1/events`,
  ) {}

  start(): void {
    this.stopped = false;
    addEventListener('online', this.hurry);
    addEventListener('offline', this.broken);
    document.addEventListener('visibilitychange', this.seen);
    this.looking = setInterval(() => void this.look(), LOOK);
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearInterval(this.looking);
    removeEventListener('online', this.hurry);
    removeEventListener('offline', this.broken);
    document.removeEventListener('visibilitychange', this.seen);
    this.socket?.close();
    this.socket = null;
  }

  /** Tells the others something that is kept nowhere. */
  say(said: { type: 'typing' | 'presence'; threadId?: string; actorId: string; state: string }): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(said));
  }

  private open(): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const after = this.standing.position === null ? '' : `?after=${this.standing.position}`;
    const socket = new WebSocket(this.address + after);
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket === this.socket) this.hear(String(data));
    };
    socket.onclose = ({ code }) => {
      if (socket === this.socket) this.closed(code);
    };
  }

  private hear(data: string): void {
    let told: Told;
    try {
      told = JSON.parse(data) as Told;
    } catch {
      return;
    }
    const [standing, act] = step(this.standing, told);
    this.standing = standing;
    // The first thing that is said on every connection is where it stands.
    if (told.kind === 'position') this.listener.line('up');
    if (act.do === 'happened') this.listener.happened(act.event);
    else if (act.do === 'passed') this.listener.passed(act.said);
    else if (act.do === 'lost') this.listener.lost();
    else if (act.do === 'end' && act.unauthorized) this.listener.refused();
  }

  private closed(code: number): void {
    this.socket = null;
    if (this.stopped) return;
    this.listener.line('down');
    // A handshake that is refused says no more than this; whether we are still known is asked on the way.
    if (code === 1006 && this.standing.attempts > 0) this.listener.refused();
    const wait = pause(this.standing.attempts, Math.random());
    this.standing = { ...this.standing, attempts: this.standing.attempts + 1 };
    this.timer = setTimeout(() => this.open(), wait);
  }

  private readonly hurry = (): void => {
    if (this.socket !== null) return void this.look();
    this.standing = { ...this.standing, attempts: 0 };
    this.open();
  };

  private readonly broken = (): void => this.renew();

  private readonly seen = (): void => {
    if (document.visibilityState === 'visible') this.hurry();
  };

  private renew(): void {
    const old = this.socket;
    if (!old) return;
    this.socket = null;
    old.close();
    this.closed(1000);
  }

  /** A line that was cut without a word is found by asking whether there is something that it should have told. */
  private async look(): Promise<void> {
    const { position } = this.standing;
    const socket = this.socket;
    if (position === null || socket?.readyState !== WebSocket.OPEN) return;
    try {
      const query = { after: position, limit: 1 };
      const page = await ok(api.GET('/antiphon/v1/events', { params: { query } }));
      if (typeof page !== 'string' && page.results.length === 0 && !page.resync) return;
      await new Promise((wake) => setTimeout(wake, 2000));
    } catch {
      // Nobody there: the socket is as dead as the request.
    }
    if (socket === this.socket && this.standing.position === position) this.renew();
  }
}
