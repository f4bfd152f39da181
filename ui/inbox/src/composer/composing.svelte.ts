/** What goes back into the composer instead of to the server. */
import type { Answer } from '../api/shapes';
import type { Outgoing } from '../state/history';

class Composing {
  returned = $state.raw<{ threadId: string; body: Answer } | null>(null);

  takeBack(outgoing: Outgoing): void {
    this.returned = { threadId: outgoing.threadId, body: outgoing.body };
  }
}

export const composing = new Composing();
