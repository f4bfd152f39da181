import { describe, expect, it } from 'vitest';
import { EventReader } from './sse';

const WHOLE =
  ': hello\n\nid: 4\nevent: message\ndata: {"a":1}\n\nid: 5\r\nevent: typing\r\ndata: one\r\ndata: two\r\n\r\nretry: 900\rdata:bare\r\rid: 6\nevent: message\ndata: torn';

describe('events', () => {
  it('are the same wherever the stream is cut', () => {
    for (let at = 0; at <= WHOLE.length; at++) {
      const reader = new EventReader();
      const found = [...reader.read(WHOLE.slice(0, at)), ...reader.read(WHOLE.slice(at))];
      expect(found, `cut at ${at}`).toEqual([
        { id: '4', name: 'message', data: '{"a":1}' },
        { id: '5', name: 'typing', data: 'one\ntwo' },
        { id: '5', name: 'message', data: 'bare' },
      ]);
      expect(reader.retry).toBe(900);
    }
  });

  it('do not count before they are whole', () => {
    const reader = new EventReader();
    reader.read(WHOLE);
    expect(reader.position).toBe('5');
    expect(reader.read('\n\n')).toEqual([{ id: '6', name: 'message', data: 'torn' }]);
    expect(reader.position).toBe('6');
  });
});
