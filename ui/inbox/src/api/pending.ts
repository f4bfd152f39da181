/** Operations that the description does not have yet. */
import type * as S from './shapes';

type Json<T> = { content: { 'application/json': T } };
type None = { content?: never };

type Op<Answer, Body = never, Query = never, Path = never> = {
  parameters: { query?: Query; header?: never; cookie?: never } & ([Path] extends [never] ? { path?: never } : { path: Path });
  responses: { 200: [Answer] extends [never] ? None : Json<Answer> };
} & ([Body] extends [never] ? { requestBody?: never } : { requestBody: Json<Body> });

export interface Pending {
  '/antiphon/v1/setup': {
    post: Op<S.Session, { token: string; portalName?: string; name: string; email: string; password: string }>;
  };
  '/antiphon/v1/invitations/accept': { post: Op<S.Session, { token: string; name?: string; password: string }> };
  '/antiphon/v1/contacts/{contactId}/export': { get: Op<unknown, never, never, { contactId: string }> };
  '/antiphon/v1/contacts/{contactId}/erase': { post: Op<never, never, never, { contactId: string }> };
}
