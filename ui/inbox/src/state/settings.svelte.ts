/** What somebody prefers on this device. */
import { type Language, LANGUAGES, preferred, speak } from '../i18n/index.svelte';

export type Theme = 'system' | 'light' | 'dark';

interface Kept {
  theme: Theme;
  language: Language;
  /** Single keys act; without it only keys with Ctrl or Cmd do. */
  keys: boolean;
  sound: boolean;
  notify: boolean;
  contactPane: boolean;
}

const PLACE = 'antiphon.inbox.settings';
const THEMES: Theme[] = ['system', 'light', 'dark'];

/** Reads what was kept, and forgives whatever it is. */
export function restore(kept: string | null, language: Language): Kept {
  const fresh: Kept = { theme: 'system', language, keys: true, sound: true, notify: false, contactPane: true };
  let said: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(kept ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) said = parsed as Record<string, unknown>;
  } catch {
    return fresh;
  }
  const flag = (name: 'keys' | 'sound' | 'notify' | 'contactPane') =>
    typeof said[name] === 'boolean' ? said[name] : fresh[name];
  return {
    theme: THEMES.find((one) => one === said.theme) ?? fresh.theme,
    language: typeof said.language === 'string' && said.language in LANGUAGES ? (said.language as Language) : language,
    keys: flag('keys'),
    sound: flag('sound'),
    notify: flag('notify'),
    contactPane: flag('contactPane'),
  };
}

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
