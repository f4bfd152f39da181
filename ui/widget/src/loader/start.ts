// Defines `window.HubSpotConversations` once, calls whoever waited for it, and loads the
// chat unless the page wants to decide when.

import { cookiesOf } from './cookies';
import { homeOf } from './home';
import { safely } from './listeners';
import { memoryOf } from './memory';
import { runReady } from './ready';
import { readSettings } from './settings';
import { makeSurface, type Surface } from './surface';
import { makeWidget, type Page } from './widget';

export interface HostPage extends Page {
  HubSpotConversations?: Surface;
  hsConversationsOnReady?: unknown;
}

export function start(view: HostPage): void {
  if (view.HubSpotConversations) return;
  const home = homeOf(view.document);
  if (!home) {
    console.warn('[Antiphon] The address of this script names no portal.');
    return;
  }
  const memory = memoryOf(view, cookiesOf(view.document, view.location));
  const { surface, widget } = makeSurface(
    (emit) => makeWidget(view, home, memory, emit),
    () => view.performance.now(),
  );
  view.HubSpotConversations = surface;
  if (readSettings(view.hsConversationsSettings).loadImmediately) safely(() => widget.load({}));
  runReady(view);
}
