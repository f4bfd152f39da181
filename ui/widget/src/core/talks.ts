// What the panel shows of the visitor's threads: plain values, replaced whenever something happens to them.

import type { Agent, Message, MessagePage, Thread } from './types';

export interface Talk {
  /** Stays the same when a fresh talk gets its thread. */
  key: string;
  id: number | null;
  status: 'OPEN' | 'CLOSED';
  preview: string;
  unread: number;
  latestAt: string;
  agent: Agent | null;
  messages: Message[];
  /** Whether its messages have been asked for, and whether earlier ones are left. */
  loaded: boolean;
  more: boolean;
  /** Up to which message an agent has read. */
  readUpTo: string | null;
  typing: { name: string | null } | null;
  /** It began on this page, so the greeting that stood above it stays there. */
  begunHere: boolean;
}

export const keyOf = (threadId: number): string => 't' + threadId;

export function freshTalk(key: string): Talk {
  return {
    key,
    id: null,
    status: 'OPEN',
    preview: '',
    unread: 0,
    latestAt: '',
    agent: null,
    messages: [],
    loaded: true,
    more: false,
    readUpTo: null,
    typing: null,
    begunHere: true,
  };
}

export function change(talks: Talk[], key: string, with_: (talk: Talk) => Partial<Talk>): Talk[] {
  return talks.map((talk) => (talk.key === key ? { ...talk, ...with_(talk) } : talk));
}

/** The server's list over ours. A talk that the server does not know yet stays. */
export function mergeThreads(talks: Talk[], threads: Thread[]): Talk[] {
  const known = new Map(talks.filter((talk) => talk.id !== null).map((talk) => [talk.id, talk]));
  const merged = threads.map((thread): Talk => {
    const old = known.get(thread.id);
    known.delete(thread.id);
    return {
      ...(old ?? { ...freshTalk(keyOf(thread.id)), loaded: false, begunHere: false }),
      id: thread.id,
      status: thread.status,
      preview: thread.preview ?? '',
      unread: thread.unread ?? 0,
      latestAt: thread.latestAt ?? '',
      agent: thread.agent ?? null,
    };
  });
  // Older ones than the server's list reaches.
  merged.push(...known.values());
  return [...talks.filter((talk) => talk.id === null), ...merged];
}

/**
 * A fresh talk has its thread. The thread may be known by itself already, because the list was asked for in between; then
 * the two are one, under the key that is shown.
 */
export function bind(talks: Talk[], key: string, threadId: number): Talk[] {
  const known = talks.find((talk) => talk.id === threadId && talk.key !== key);
  return talks
    .filter((talk) => talk !== known)
    .map((talk) => {
      if (talk.key !== key) return talk;
      const messages = insert(known?.messages ?? [], talk.messages);
      return { ...talk, ...known, key, id: threadId, messages, loaded: true, begunHere: true };
    });
}

/** The newest first. */
export function byLatest(talks: Talk[]): Talk[] {
  return [...talks].sort((a, b) => (a.latestAt < b.latestAt ? 1 : a.latestAt > b.latestAt ? -1 : 0));
}

/** Ids grow with time, so they also say where a message belongs. */
export function insert(messages: Message[], added: Message[]): Message[] {
  const all = new Map(messages.map((message) => [message.id, message]));
  for (const message of added) all.set(message.id, { ...all.get(message.id), ...message });
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Something may have been said that was not told: what is not shown is asked for when it is. */
export function missed(talks: Talk[], shown: string | null): Talk[] {
  return talks.map((talk) =>
    talk.id === null || talk.key === shown ? talk : { ...talk, messages: [], loaded: false },
  );
}

/** What was known before the newest page goes where it may not reach up to that; it is asked for again. */
export function withPage(talk: Talk, page: MessagePage, earlier: boolean): Partial<Talk> {
  const [first] = page.results;
  const reaches = earlier || !page.more || !first || talk.messages.some((message) => message.id === first.id);
  const known = reaches ? talk.messages : talk.messages.filter((message) => message.id > first.id);
  const all = earlier || !talk.loaded || known.length < talk.messages.length;
  return {
    messages: insert(known, page.results),
    loaded: true,
    more: all ? (page.more ?? false) : talk.more,
    readUpTo: later(talk.readUpTo, page.readUpTo ?? null),
  };
}

/** A message arrived; `seen` when the visitor is looking at it. */
export function withMessage(talk: Talk, message: Message, seen: boolean): Partial<Talk> {
  const known = talk.messages.some((each) => each.id === message.id);
  const theirs = message.from !== 'VISITOR';
  const newest = message.createdAt >= talk.latestAt;
  return {
    messages: talk.loaded ? insert(talk.messages, [message]) : talk.messages,
    unread: theirs && !known && !seen ? talk.unread + 1 : talk.unread,
    preview: newest ? previewOf(message) : talk.preview,
    latestAt: newest ? message.createdAt : talk.latestAt,
    agent:
      message.from === 'AGENT' && message.name
        ? { name: message.name, ...(message.avatar ? { avatar: message.avatar } : {}) }
        : talk.agent,
    typing: theirs ? null : talk.typing,
  };
}

export function previewOf(message: Message): string {
  return message.text.trim() || (message.attachments?.[0]?.name ?? '');
}

export function later(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null ? a : a > b ? a : b;
}

export function unreadThreads(talks: Talk[]): number {
  return talks.filter((talk) => talk.unread > 0).length;
}

/** The newest message of the house, up to which a visitor who looks has read. */
export function newestOfHouse(talk: Talk): Message | null {
  return talk.messages.findLast((message) => message.from !== 'VISITOR') ?? null;
}
