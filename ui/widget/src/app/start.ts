// The application proper, mounted once and then shown and hidden.

import { mount } from 'svelte';
import type { Conversations } from '../core/conversations';
import type { Language } from '../messages';
import App from './App.svelte';

export interface PanelProps {
  conversations: Conversations;
  language: Language;
  inline: boolean;
  attachments: boolean;
  newThreads: boolean;
  close(): void;
  /** Moves the focus without that counting as something the visitor did. */
  focus(element: HTMLElement): void;
}

export interface Panel {
  open(fresh: boolean, focus: boolean): void;
  close(): void;
}

export function start(target: HTMLElement, props: PanelProps): Panel {
  return mount(App, { target, props });
}
