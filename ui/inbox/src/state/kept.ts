/** What is kept of somebody's preferences. */
import { type Language, LANGUAGES } from '../i18n/languages';

export type Theme = 'system' | 'light' | 'dark';

export interface Kept {
  theme: Theme;
  language: Language;
  /** Single keys act; without it only keys with Ctrl or Cmd do. */
  keys: boolean;
  sound: boolean;
  notify: boolean;
  contactPane: boolean;
}

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
    language: typeof said.language === 'string' && Object.hasOwn(LANGUAGES, said.language) ? (said.language as Language) : language,
    keys: flag('keys'),
    sound: flag('sound'),
    notify: flag('notify'),
    contactPane: flag('contactPane'),
  };
}
