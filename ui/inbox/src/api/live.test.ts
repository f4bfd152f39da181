import { describe, expect, it } from 'vitest';
import { pause, type Standing, step } from './live';

const at = (position: number | null): Standing => ({ position, attempts: 3 });
const event = (position: number) => ({
  kind: 'conversation.newMessage', position, objectType: 'THREAD', objectId: 7, revision: 1, occurredAt: '2026-10-06T08:14:02.118Z',
});

describe('the line', () => {
  it('begins where the server says, and forgets its failed attempts', () => {
    expect(step(at(null), { kind: 'position', position: 41 })).toEqual([{ position: 41, attempts: 0 }, { do: 'nothing' }]);
  });

  it('moves on with every event, and tells each once', () => {
    const [standing, act] = step(at(41), event(44));
    expect(standing.position).toBe(44);
    expect(act).toMatchObject({ do: 'happened', event: { position: 44 } });
    expect(step(standing, event(44))[1]).toEqual({ do: 'nothing' });
    expect(step(standing, event(43))).toEqual([standing, { do: 'nothing' }]);
  });

  it('never goes back on a position, but goes wherever a resync says', () => {
    expect(step(at(50), { kind: 'position', position: 40 })[0].position).toBe(50);
    expect(step(at(50), { kind: 'resync', position: 12 })).toEqual([{ position: 12, attempts: 0 }, { do: 'lost' }]);
  });

  it('resumes where it was cut off, and says when it may not', () => {
    expect(step(at(50), { kind: 'cutOff', reason: 'slow', position: 49 })).toEqual([{ position: 49, attempts: 3 }, { do: 'end', unauthorized: false }]);
    expect(step(at(50), { kind: 'cutOff', reason: 'unauthorized', position: 50 })[1]).toEqual({ do: 'end', unauthorized: true });
  });

  it('passes on what has no place, without moving', () => {
    const said = { kind: 'typing', appId: '1', threadId: '7', actorId: 'A-72' };
    expect(step(at(50), said)).toEqual([at(50), { do: 'passed', said }]);
  });

  it('leaves out what it does not know', () => {
    for (const kind of ['refused', 'something.new', '']) expect(step(at(5), { kind })).toEqual([at(5), { do: 'nothing' }]);
  });

  it('waits longer each time, within bounds, and never for all at the same moment', () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 40].map((attempts) => pause(attempts, 1));
    expect(longest).toEqual([400, 800, 1600, 3200, 6400, 12800, 20000, 20000]);
    expect(pause(2, 0)).toBe(800);
    expect(pause(2, 0.5)).toBe(1200);
  });
});
