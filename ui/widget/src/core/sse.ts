// Server-sent events out of a stream that may be cut anywhere.

export interface StreamEvent {
  id: string | null;
  name: string;
  data: string;
}

export class EventReader {
  #rest = '';
  #skipFeed = false;
  #id: string | null = null;
  #name = '';
  #data: string[] = [];
  /** The last position that was said completely. */
  position: string | null = null;
  /** What the server says about waiting before a reconnect, in milliseconds. */
  retry: number | null = null;

  /** The events that are complete with this piece. */
  read(piece: string): StreamEvent[] {
    const found: StreamEvent[] = [];
    let text = this.#rest + piece;
    if (this.#skipFeed && text.startsWith('\n')) text = text.slice(1);
    this.#skipFeed = false;
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const end = text[at];
      if (end !== '\n' && end !== '\r') continue;
      this.#line(text.slice(from, at), found);
      if (end === '\r') {
        if (text[at + 1] === '\n') at++;
        else if (at + 1 === text.length) this.#skipFeed = true;
      }
      from = at + 1;
    }
    this.#rest = text.slice(from);
    return found;
  }

  #line(line: string, found: StreamEvent[]): void {
    if (line === '') {
      this.position = this.#id;
      if (this.#data.length > 0) {
        found.push({ id: this.#id, name: this.#name || 'message', data: this.#data.join('\n') });
      }
      this.#name = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const after = colon < 0 ? '' : line.slice(colon + 1);
    const value = after.startsWith(' ') ? after.slice(1) : after;
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
  }
}
