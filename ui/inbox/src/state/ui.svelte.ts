/** What is shown beside the work itself. */
import { settings } from './settings.svelte';

export type Chooser = 'assign' | 'snooze' | 'tag' | 'move' | 'more' | null;

/** Below this a pane stands alone; below the other the contact lies over the thread. */
const PHONE = matchMedia('(max-width: 47.99rem)');
const NARROW = matchMedia('(max-width: 79.99rem)');

class Ui {
  phone = $state(PHONE.matches);
  narrow = $state(NARROW.matches);
  /** The views, where they are not always there. */
  rail = $state(false);
  palette = $state(false);
  keys = $state(false);
  chooser = $state<Chooser>(null);
  /** What the composer is asked to do from elsewhere; counted, so that the same can be asked twice. */
  compose = $state.raw<{ type: 'MESSAGE' | 'COMMENT'; turn: number } | null>(null);
  private drawer = $state(false);

  constructor() {
    PHONE.addEventListener('change', () => (this.phone = PHONE.matches));
    NARROW.addEventListener('change', () => (this.narrow = NARROW.matches));
  }

  get contact(): boolean {
    return this.narrow ? this.drawer : settings.now.contactPane;
  }

  set contact(shown: boolean) {
    if (this.narrow) this.drawer = shown;
    else settings.set({ contactPane: shown });
  }

  write(type: 'MESSAGE' | 'COMMENT'): void {
    this.compose = { type, turn: (this.compose?.turn ?? 0) + 1 };
  }

  /** Whether something lies over the work, to which keys belong now. */
  get covered(): boolean {
    return this.palette || this.keys || this.chooser !== null;
  }
}

export const ui = new Ui();
