/** Keys, and what they do. */
import type { Key } from '../i18n/catalogue';

export type CommandId =
  | 'palette' | 'keys' | 'next' | 'previous' | 'back' | 'reply' | 'note' | 'assign' | 'take' | 'close' | 'snooze' | 'tag' | 'move'
  | 'spam' | 'archive' | 'contact' | 'goMine' | 'goUnassigned' | 'goOpen' | 'goSnoozed' | 'goClosed' | 'goMentions' | 'goSettings';

export type GroupKey = Extract<Key, `keys.group.${string}`>;

export interface Shortcut {
  id: CommandId;
  /** Pressed one after the other. `Mod` is Ctrl, or Cmd where that is the key for such things. */
  keys: string[];
  label: Key;
  group: GroupKey;
}

export const SHORTCUTS: Shortcut[] = [
  { id: 'palette', keys: ['Mod+k'], label: 'command.palette', group: 'keys.group.anywhere' },
  { id: 'keys', keys: ['?'], label: 'command.keys', group: 'keys.group.anywhere' },
  { id: 'next', keys: ['j'], label: 'command.next', group: 'keys.group.list' },
  { id: 'previous', keys: ['k'], label: 'command.previous', group: 'keys.group.list' },
  { id: 'back', keys: ['u'], label: 'command.back', group: 'keys.group.list' },
  { id: 'reply', keys: ['r'], label: 'command.reply', group: 'keys.group.thread' },
  { id: 'note', keys: ['n'], label: 'command.note', group: 'keys.group.thread' },
  { id: 'assign', keys: ['a'], label: 'command.assign', group: 'keys.group.thread' },
  { id: 'take', keys: ['i'], label: 'command.take', group: 'keys.group.thread' },
  { id: 'close', keys: ['e'], label: 'command.close', group: 'keys.group.thread' },
  { id: 'snooze', keys: ['s'], label: 'command.snooze', group: 'keys.group.thread' },
  { id: 'tag', keys: ['t'], label: 'command.tag', group: 'keys.group.thread' },
  { id: 'move', keys: ['v'], label: 'command.move', group: 'keys.group.thread' },
  { id: 'spam', keys: ['!'], label: 'command.spam', group: 'keys.group.thread' },
  { id: 'archive', keys: ['#'], label: 'command.archive', group: 'keys.group.thread' },
  { id: 'contact', keys: ['c'], label: 'command.contact', group: 'keys.group.thread' },
  { id: 'goMine', keys: ['g', 'm'], label: 'command.goMine', group: 'keys.group.go' },
  { id: 'goUnassigned', keys: ['g', 'u'], label: 'command.goUnassigned', group: 'keys.group.go' },
  { id: 'goOpen', keys: ['g', 'o'], label: 'command.goOpen', group: 'keys.group.go' },
  { id: 'goSnoozed', keys: ['g', 's'], label: 'command.goSnoozed', group: 'keys.group.go' },
  { id: 'goClosed', keys: ['g', 'c'], label: 'command.goClosed', group: 'keys.group.go' },
  { id: 'goMentions', keys: ['g', 'n'], label: 'command.goMentions', group: 'keys.group.go' },
  { id: 'goSettings', keys: ['g', ','], label: 'command.goSettings', group: 'keys.group.go' },
];

export interface Pressed {
  key: string;
  mod: boolean;
  alt: boolean;
  /** Somebody writes, so letters are letters. */
  typing: boolean;
}

/** The beginning of a sequence, and until when it waits for its end. */
export type Begun = { key: string; until: number } | null;

const PATIENCE = 1200;

/** What a key does: a command, the beginning of one, or nothing. */
export function press(begun: Begun, pressed: Pressed, single: boolean, now: number): [Begun, CommandId | null] {
  const name = pressed.mod ? `Mod+${pressed.key.toLowerCase()}` : pressed.key;
  const first = SHORTCUTS.filter((one) => one.keys[0] === name);
  if (pressed.mod) return [null, first[0]?.id ?? null];
  if (!single || pressed.typing || pressed.alt) return [null, null];
  if (begun && begun.until > now) {
    const ended = SHORTCUTS.find((one) => one.keys.length === 2 && one.keys[0] === begun.key && one.keys[1] === name);
    return [null, ended?.id ?? null];
  }
  const whole = first.find((one) => one.keys.length === 1);
  if (whole) return [null, whole.id];
  return [first.length > 0 ? { key: name, until: now + PATIENCE } : null, null];
}

/** How a shortcut is written for people. */
export function written(id: CommandId, apple: boolean): string {
  const keys = SHORTCUTS.find((one) => one.id === id)?.keys ?? [];
  return keys.map((key) => spell(key, apple)).join(' ');
}

function spell(key: string, apple: boolean): string {
  if (!key.startsWith('Mod+')) return key.length === 1 ? key.toUpperCase() : key;
  const letter = key.slice(4).toUpperCase();
  return apple ? `⌘${letter}` : `Ctrl+${letter}`;
}

export const APPLE = /mac|iphone|ipad/iu.test(globalThis.navigator?.platform ?? '');
