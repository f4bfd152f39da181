/** What is offered while somebody writes: `/` for what is said often, `@` for colleagues. */
import type { Agent, CannedReply } from '../api/shapes';

export interface Asked {
  trigger: '/' | '@';
  query: string;
  /** How many letters before the cursor belong to it, the sign included. */
  length: number;
}

const ASKED = /(?:^|[\s(])([/@])([\p{L}\p{N}._-]{0,30})$/u;

/** What the text before the cursor asks for. */
export function asked(before: string): Asked | null {
  const found = ASKED.exec(before);
  if (!found) return null;
  const query = found[2] ?? '';
  return { trigger: found[1] as '/' | '@', query, length: query.length + 1 };
}

export interface Offer {
  id: string;
  title: string;
  detail: string;
  reply?: CannedReply;
  agent?: Agent;
}

const MOST = 8;

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

/** Better the earlier it is found; `null` when it is not. */
function rank(query: string, ...texts: (string | undefined)[]): number | null {
  if (query === '') return 0;
  const wanted = fold(query);
  let best: number | null = null;
  texts.forEach((text, at) => {
    const place = text === undefined ? -1 : fold(text).indexOf(wanted);
    if (place < 0) return;
    const value = at * 100 + Math.min(place, 99);
    if (best === null || value < best) best = value;
  });
  return best;
}

function best<T>(all: T[], of: (one: T) => number | null): T[] {
  return all
    .map((one) => ({ one, value: of(one) }))
    .filter((each): each is { one: T; value: number } => each.value !== null)
    .sort((a, b) => a.value - b.value)
    .slice(0, MOST)
    .map((each) => each.one);
}

export function offers(wanted: Asked, canned: CannedReply[], agents: Agent[], me: string): Offer[] {
  if (wanted.trigger === '/') {
    return best(canned, (one) => rank(wanted.query, one.shortcut, one.name, one.text)).map((reply) => ({
      id: reply.id,
      title: reply.shortcut ? `/${reply.shortcut} · ${reply.name}` : reply.name,
      detail: reply.text.slice(0, 120),
      reply,
    }));
  }
  const others = agents.filter((one) => one.actorId !== me);
  return best(others, (one) => rank(wanted.query, one.name, one.email)).map((agent) => ({
    id: agent.actorId,
    title: agent.name ?? agent.email ?? agent.actorId,
    detail: agent.email ?? '',
    agent,
  }));
}

/** Fills the places of a canned reply. What is not known is left out, with the blank before it. */
export function fillPlaces(text: string, values: Record<string, string | undefined>, escape: (value: string) => string): string {
  return text.replace(/(\s?)\{\{\s*([\w.]+)\s*\}\}/gu, (_whole, blank: string, name: string) => {
    const value = values[name]?.trim();
    return value ? blank + escape(value) : '';
  });
}

export function escapeHtml(value: string): string {
  return value.replace(/&/gu, '&amp;').replace(/</gu, '&lt;').replace(/>/gu, '&gt;').replace(/"/gu, '&quot;');
}

/** Plain text as the paragraphs of an editor. */
export function paragraphs(text: string): string {
  return text
    .split(/\n{2,}/u)
    .map((part) => `<p>${escapeHtml(part).replace(/\n/gu, '<br>')}</p>`)
    .join('');
}
