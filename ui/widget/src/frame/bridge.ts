// The line to the loader in the page around us. The first page that starts us is the only one we ever talk to.

import { unwrap, wrap, type Init, type ToFrame, type ToLoader } from '../protocol';

export interface Bridge {
  tell(message: ToLoader): void;
}

/** Which pages may be around us at all, the server's policy says (`frame-ancestors`). */
export function bridge(
  view: Window,
  started: (init: Init, bridge: Bridge) => void,
  heard: (message: ToFrame) => void,
): void {
  let origin: string | null = null;
  const line: Bridge = {
    tell(message) {
      if (origin !== null) view.parent.postMessage(wrap(message), origin);
    },
  };
  view.addEventListener('message', (event) => {
    if (event.source !== view.parent || view.parent === view) return;
    const message = unwrap<ToFrame>(event.data);
    if (!message) return;
    if (origin === null) {
      if (message.type !== 'init') return;
      // A page without an origin of its own, such as a file or a sandbox, can only be told what everybody may hear.
      if (event.origin === 'null') return;
      origin = event.origin;
      started(message, line);
    } else if (event.origin === origin && message.type !== 'init') {
      heard(message);
    }
  });
}
