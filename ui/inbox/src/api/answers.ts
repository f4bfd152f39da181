/** Answering: replies and notes, their drafts, and what is said often. */
import { api, ok } from './client';
import { Problem } from './problem';
import type { Answer, CannedReply, Draft, Entry, Page } from './shapes';

const THREAD = '/antiphon/v1/threads/{threadId}';

export interface Sent extends Answer {
  /** The newest entry that was seen when it was written. */
  seen: string | null;
  /** The same for every attempt, so that none is made twice. */
  clientId: string;
  anyway?: boolean;
  closeAfter?: boolean;
}

export function send(threadId: string, body: Sent): Promise<Entry> {
  return ok(api.POST(`${THREAD}/replies`, { params: { path: { threadId } }, body }));
}

export function retry(threadId: string, messageId: string): Promise<unknown> {
  return ok(api.POST(`${THREAD}/messages/{messageId}/retry`, { params: { path: { threadId, messageId } } }));
}

export async function draft(threadId: string): Promise<Draft | null> {
  try {
    const found = await ok(api.GET(`${THREAD}/draft`, { params: { path: { threadId } } }));
    return { ...found, type: found.type === 'COMMENT' ? 'COMMENT' : 'MESSAGE' };
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

export function saveDraft(threadId: string, body: Draft): Promise<unknown> {
  return ok(api.PUT(`${THREAD}/draft`, { params: { path: { threadId } }, body, keepalive: true }));
}

export function dropDraft(threadId: string): Promise<unknown> {
  return ok(api.DELETE(`${THREAD}/draft`, { params: { path: { threadId } }, keepalive: true }));
}

/** The threads in which the caller has drafts. */
export async function drafts(): Promise<string[]> {
  return (await ok(api.GET('/antiphon/v1/drafts', {}))).results.map((one) => one.threadId);
}

export async function canned(): Promise<CannedReply[]> {
  return (await ok(api.GET('/antiphon/v1/canned-replies', { params: { query: { limit: 500 } } }))).results;
}

/** What is said of a canned reply to keep or change it; an empty shortcut is none. */
export interface CannedBody {
  name: string;
  shortcut: string;
  text: string;
  richText: string;
  shared: boolean;
}

const CANNED = '/antiphon/v1/canned-replies/{cannedReplyId}';
const ofCanned = (cannedReplyId: string) => ({ params: { path: { cannedReplyId } } });

export function cannedPage(after?: string): Promise<Page<CannedReply>> {
  const query = { limit: 100, ...(after ? { after } : {}) };
  return ok(api.GET('/antiphon/v1/canned-replies', { params: { query } })) as Promise<Page<CannedReply>>;
}

export function makeCanned(body: CannedBody): Promise<CannedReply> {
  return ok(api.POST('/antiphon/v1/canned-replies', { body }));
}

export function changeCanned(id: string, body: CannedBody): Promise<CannedReply> {
  return ok(api.PATCH(CANNED, { ...ofCanned(id), body }));
}

export function dropCanned(id: string): Promise<unknown> {
  return ok(api.DELETE(CANNED, ofCanned(id)));
}
