/** What somebody prefers on this device. */
import { preferred, speak } from '../i18n/index.svelte';
import { type Kept, restore } from './kept';

export type { Theme } from './kept';

const PLACE = 'antiphon.inbox.settings';
class Settings {
  private kept = $state<Kept>(restore(read(), preferred()));

  async apply(): Promise<void> {
    this.paint();
    await speak(this.kept.language);
  }

  get now(): Readonly<Kept> {
    return this.kept;
  }

  set(change: Partial<Kept>): void {
    Object.assign(this.kept, change);
    try {
      localStorage.setItem(PLACE, JSON.stringify(this.kept));
    } catch {
      // A browser that keeps nothing still does what it is told now.
    }
    if (change.theme) this.paint();
    if (change.language) void speak(change.language);
  }

  private paint(): void {
    const { theme } = this.kept;
    if (theme === 'system') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.setAttribute('data-theme', theme);
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

export const settings = new Settings();
