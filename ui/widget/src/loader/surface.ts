// `window.HubSpotConversations`, complete from the start: every call works before the widget has loaded, and none throws.

import { listeners, safely } from './listeners';
import type { Widget } from './widget';

/** What `load` and `refresh` are spared: more than one call a second. */
const PACE = 1000;

export interface Surface {
  widget: {
    load(options?: unknown): void;
    refresh(options?: unknown): void;
    open(): void;
    close(): void;
    remove(): void;
    status(): { loaded: boolean; pending: boolean };
  };
  on(name: unknown, fn: unknown): void;
  off(name: unknown, fn: unknown): void;
  clear(options?: unknown): void;
  resetAndReloadWidget(): void;
  debug(): void;
}

export function makeSurface(
  make: (emit: (name: string, payload: object) => void) => Widget,
  now: () => number,
): { surface: Surface; widget: Widget } {
  const heard = listeners();
  const widget = make(heard.emit);
  const paced = (run: (options: unknown) => void) => {
    let last = -Infinity;
    return (options?: unknown): void => {
      if (now() - last < PACE) return;
      last = now();
      safely(() => run(options));
    };
  };
  const quiet = (run: () => void) => (): void => {
    safely(run);
  };
  const surface: Surface = {
    widget: {
      load: paced((options) => widget.load({ open: option(options, 'widgetOpen') })),
      refresh: paced((options) => widget.refresh(option(options, 'openToNewThread'))),
      open: quiet(widget.open),
      close: quiet(widget.close),
      remove: quiet(widget.remove),
      status: () => safely(widget.status) ?? { loaded: false, pending: false },
    },
    on: (name, fn) => heard.on(name, fn),
    off: (name, fn) => heard.off(name, fn),
    clear: (options) => {
      safely(() => widget.clear(option(options, 'resetWidget')));
    },
    resetAndReloadWidget: quiet(() => widget.clear(true)),
    debug: quiet(() => console.log('[Antiphon]', widget.status())),
  };
  return { surface, widget };
}

function option(options: unknown, name: string): boolean {
  return (
    typeof options === 'object' && options !== null && (options as Record<string, unknown>)[name] === true
  );
}
