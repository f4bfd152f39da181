/** Operations that the description does not have yet. */
import type * as S from './shapes';

type Json<T> = { content: { 'application/json': T } };
type None = { content?: never };

type Op<Answer, Body = never, Query = never, Path = never> = {
  parameters: { query?: Query; header?: never; cookie?: never } & ([Path] extends [never] ? { path?: never } : { path: Path });
  responses: { 200: [Answer] extends [never] ? None : Json<Answer> };
} & ([Body] extends [never] ? { requestBody?: never } : { requestBody: Json<Body> });
type InThread = { threadId: string };

export interface Pending {
  '/antiphon/v1/setup': {
    post: Op<S.Session, { token: string; portalName?: string; name: string; email: string; password: string }>;
  };
  '/antiphon/v1/invitations/accept': { post: Op<S.Session, { token: string; name?: string; password: string }> };
  '/antiphon/v1/threads/{threadId}/replies': {
    post: Op<
      S.Entry,
      S.Answer & { seen: string | null; anyway?: boolean; clientId: string; closeAfter?: boolean },
      never,
      InThread
    >;
  };
  '/antiphon/v1/threads/{threadId}/draft': {
    get: Op<S.Draft, never, never, InThread>;
    put: Op<S.Draft, S.Draft, never, InThread>;
    delete: Op<never, never, never, InThread>;
  };
  '/antiphon/v1/threads/{threadId}/messages/{messageId}/retry': {
    post: Op<S.Entry, never, never, InThread & { messageId: string }>;
  };
  '/antiphon/v1/drafts': { get: Op<S.Page<{ threadId: string }>> };
  '/antiphon/v1/canned-replies': {
    get: Op<S.Page<S.CannedReply>, never, { limit?: number }>;
    post: Op<S.CannedReply, Omit<S.CannedReply, 'id'>>;
  };
  '/antiphon/v1/presence': {
    get: Op<S.Page<{ actorId: string; threadId?: string; state?: string; at: string }>, never, { threadId?: number }>;
  };
  '/antiphon/v1/mentions': { get: Op<S.Page<S.Mention>, never, { after?: string; limit?: number }> };
  '/antiphon/v1/mentions/unseen': { get: Op<{ unseen: number }> };
  '/antiphon/v1/contacts/{contactId}/export': { get: Op<unknown, never, never, { contactId: string }> };
  '/antiphon/v1/contacts/{contactId}/erase': { post: Op<never, never, never, { contactId: string }> };
}
