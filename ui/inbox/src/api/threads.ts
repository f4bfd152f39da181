/** What is asked and done about threads. */
import { api, ok } from './client';
import type { ChatOrigin, Entry, Page, WorkState, WorkThread } from './shapes';

const V3 = '/conversations/v3/conversations/threads/{threadId}';

/** Which threads. */
export interface Asked {
  state?: WorkState;
  inboxId?: string;
  assignee?: string;
  tagId?: string;
  viewId?: string;
  contactId?: string;
}

export const PAGE = 50;

export function list(asked: Asked, after?: string, limit = PAGE): Promise<Page<WorkThread>> {
  const { state, inboxId, assignee, tagId, viewId, contactId } = asked;
  const query = {
    limit,
    ...(state ? { state: [state] } : {}),
    ...(inboxId ? { inboxId: [Number(inboxId)] } : {}),
    ...(assignee ? { assignee } : {}),
    ...(tagId ? { tagId: Number(tagId) } : {}),
    ...(viewId ? { viewId: Number(viewId) } : {}),
    ...(contactId ? { contactId: Number(contactId) } : {}),
    ...(after ? { after } : {}),
  };
  return ok(api.GET('/antiphon/v1/threads', { params: { query } }));
}

export function read(threadId: string): Promise<WorkThread> {
  return ok(api.GET('/antiphon/v1/threads/{threadId}', { params: { path: { threadId } } }));
}

export function entries(threadId: string, archived: boolean, after?: string): Promise<Page<Entry>> {
  const query = { limit: PAGE, archived, ...(after ? { after } : {}) };
  return ok(api.GET(`${V3}/messages`, { params: { path: { threadId }, query } })) as Promise<Page<Entry>>;
}

export function entry(threadId: string, messageId: string): Promise<Entry> {
  return ok(api.GET(`${V3}/messages/{messageId}`, { params: { path: { threadId, messageId } } }));
}

export function original(threadId: string, messageId: string): Promise<{ text?: string; richText?: string }> {
  const path = { threadId, messageId };
  return ok(api.GET(`${V3}/messages/{messageId}/original-content`, { params: { path } }));
}

export function assign(threadId: string, actorId: string | null): Promise<unknown> {
  const params = { path: { threadId } };
  if (actorId === null) return ok(api.DELETE(`${V3}/assignee`, { params }));
  return ok(api.PUT(`${V3}/assignee`, { params, body: { actorId } }));
}

export function setStatus(threadId: string, status: 'OPEN' | 'CLOSED'): Promise<unknown> {
  return ok(api.PATCH(V3, { params: { path: { threadId } }, body: { status } }));
}

export function archive(threadId: string): Promise<unknown> {
  return ok(api.DELETE(V3, { params: { path: { threadId } } }));
}

export function restore(threadId: string): Promise<unknown> {
  return ok(api.PATCH(V3, { params: { path: { threadId }, query: { archived: true } }, body: { archived: false } }));
}

export function setSpam(threadId: string, spam: boolean): Promise<unknown> {
  const params = { path: { threadId } };
  if (!spam) return ok(api.DELETE('/antiphon/v1/threads/{threadId}/spam', { params }));
  return ok(api.PUT('/antiphon/v1/threads/{threadId}/spam', { params }));
}

export function move(threadId: string, inboxId: string): Promise<unknown> {
  return ok(api.PUT('/antiphon/v1/threads/{threadId}/inbox', { params: { path: { threadId } }, body: { inboxId } }));
}

export function snooze(threadId: string, until: string | null): Promise<unknown> {
  const params = { path: { threadId } };
  if (until === null) return ok(api.DELETE('/antiphon/v1/threads/{threadId}/snooze', { params }));
  return ok(api.PUT('/antiphon/v1/threads/{threadId}/snooze', { params, body: { until } }));
}

export function tag(threadId: string, add: string[], remove: string[]): Promise<unknown> {
  const params = { path: { threadId } };
  return ok(api.PUT('/antiphon/v1/threads/{threadId}/tags', { params, body: { add, remove } }));
}

export function markRead(threadId: string, messageId: string): Promise<unknown> {
  const params = { path: { threadId } };
  return ok(api.PUT('/antiphon/v1/threads/{threadId}/read', { params, body: { messageId } }));
}

export function chat(threadId: string): Promise<ChatOrigin> {
  return ok(api.GET('/antiphon/v1/threads/{threadId}/chat', { params: { path: { threadId } } }));
}

/** Who said lately that they look at a thread. */
export async function present(threadId: string): Promise<{ actorId: string; threadId?: string; state?: string; at: string }[]> {
  const query = { threadId: Number(threadId) };
  return (await ok(api.GET('/antiphon/v1/presence', { params: { query } }))).results;
}
