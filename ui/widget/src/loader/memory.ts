// What is remembered between pages, and whether it may be: before consent, nothing leaves this page.

import { HIDE_WELCOME, IS_OPEN, KEY, type Cookies } from './cookies';

const CONSENT = 'antiphon-consent';

export interface Memory {
  /** Whether the visitor has to be asked first. A refusal is remembered for this tab. */
  asks(required: boolean): boolean;
  answer(given: boolean): void;
  key(): string | null;
  setKey(key: string): void;
  get(name: typeof IS_OPEN | typeof HIDE_WELCOME): boolean;
  set(name: typeof IS_OPEN | typeof HIDE_WELCOME, value: boolean): void;
  clear(): void;
}

export function memoryOf(view: Window, cookies: Cookies): Memory {
  const waiting = new Map<string, string>();
  let held = false;
  const stored = (place: 'localStorage' | 'sessionStorage', value?: string | null): string | null => {
    try {
      const storage = view[place];
      if (value) storage.setItem(CONSENT, value);
      else if (value === null) storage.removeItem(CONSENT);
      return storage.getItem(CONSENT);
    } catch {
      return null;
    }
  };
  const write = (name: string, value: string) => {
    if (held) waiting.set(name, value);
    else cookies.write(name, value);
  };
  const read = (name: string) => waiting.get(name) ?? cookies.read(name);
  const drop = (name: string) => {
    waiting.delete(name);
    cookies.drop(name);
  };
  return {
    asks(required) {
      held = required && !stored('localStorage');
      return held && !stored('sessionStorage');
    },
    answer(given) {
      if (!given) {
        stored('sessionStorage', 'no');
        return;
      }
      stored('localStorage', 'yes');
      held = false;
      waiting.forEach((value, name) => cookies.write(name, value));
      waiting.clear();
    },
    key() {
      const key = read(KEY);
      if (!key || !/^[0-9a-f]{32}$/.test(key)) return null;
      write(KEY, key);
      return key;
    },
    setKey(key) {
      if (/^[0-9a-f]{32}$/.test(key)) write(KEY, key);
    },
    get: (name) => read(name) === 'true',
    set(name, value) {
      if (value) write(name, 'true');
      else drop(name);
    },
    clear() {
      [KEY, IS_OPEN, HIDE_WELCOME].forEach(drop);
      waiting.clear();
      stored('localStorage', null);
      stored('sessionStorage', null);
    },
  };
}
