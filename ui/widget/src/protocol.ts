// What the loader, in somebody's page, and the frame, on our origin, tell each other. Each side knows the other's
// origin and window and ignores whatever else arrives; each checks the form of what it uses.

export interface Identification {
  email: string;
  token: string;
}

export type Theme = 'light' | 'dark' | 'auto';

/** Everything the frame starts from. It may have no storage of its own, so keys come from here. */
export interface Init {
  type: 'init';
  portalId: number;
  account: string;
  inline: boolean;
  open: boolean;
  /** Start with an empty thread instead of the latest one. */
  fresh: boolean;
  /** Whether the input takes the focus when an inline chat has loaded. */
  focus: boolean;
  attachments: boolean;
  newThreads: boolean;
  visitorKey: string | null;
  identification: Identification | null;
  /** The languages to choose from, the most wanted first. */
  languages: string[];
  color: string | null;
  align: 'left' | 'right';
  title: string | null;
  /** The bubble beside the launcher; null when there is none or it was dismissed. */
  welcome: string | null;
  url: string;
  theme: Theme;
  phone: boolean;
  banner: boolean;
  /** What was not sent yet belongs to somebody who has left. */
  forget: boolean;
}

export type ToFrame =
  | Init
  | { type: 'open' }
  | { type: 'close' }
  | { type: 'page'; url: string; fresh: boolean }
  | { type: 'phone'; phone: boolean }
  | { type: 'banner' }
  | { type: 'key'; visitorKey: string | null }
  | { type: 'forget' };

export type ToLoader =
  | { type: 'loaded' }
  | { type: 'size'; width: number; height: number; open: boolean }
  | { type: 'opened' }
  | { type: 'closed' }
  | { type: 'key'; visitorKey: string }
  | { type: 'anonymous' }
  | { type: 'dismissed' }
  | { type: 'consent'; given: boolean }
  | { type: 'running'; running: boolean }
  | { type: 'event'; name: EventName; payload: Record<string, unknown> }
  | { type: 'warn'; text: string };

/** The events that the frame tells; the loader adds those it sees by itself. */
export const FRAME_EVENTS = [
  'conversationStarted',
  'conversationClosed',
  'userSelectedThread',
  'unreadConversationCountChanged',
  'contactAssociated',
  'userInteractedWithWidget',
  'quickReplyButtonClick',
] as const;

export type EventName = (typeof FRAME_EVENTS)[number];

/** A name that tells our messages from those of other scripts. */
const MARK = 'antiphon-widget';

export function wrap<M extends ToFrame | ToLoader>(message: M): M & { antiphon: string } {
  return { ...message, antiphon: MARK };
}

/** The message in what arrived, if it is one of ours at all. */
export function unwrap<M extends ToFrame | ToLoader>(data: unknown): M | null {
  if (typeof data !== 'object' || data === null) return null;
  const message = data as { antiphon?: unknown; type?: unknown };
  return message.antiphon === MARK && typeof message.type === 'string' ? (data as M) : null;
}
