/** Who we are. */
import { api, ok } from './client';
import type { OpenSession, Session } from './shapes';

export function current(): Promise<Session> {
  return ok(api.GET('/antiphon/v1/session', {}));
}

export function signIn(email: string, password: string, code?: string, portalId?: string): Promise<Session> {
  const body = { email, password, ...(code ? { code } : {}), ...(portalId ? { portalId } : {}) };
  return ok(api.POST('/antiphon/v1/session', { body }));
}

export function signOut(): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/session', {}));
}

export function options(): Promise<{ oidc?: { name: string }; setup: boolean; demo: boolean }> {
  return ok(api.GET('/antiphon/v1/sign-in/options', {}));
}

export interface SetUp {
  token: string;
  portalName?: string;
  name: string;
  email: string;
  password: string;
}

export function setUp(body: SetUp): Promise<Session> {
  return ok(api.POST('/antiphon/v1/setup', { body }));
}

export function accept(token: string, password: string, name?: string): Promise<Session> {
  return ok(api.POST('/antiphon/v1/invitations/accept', { body: { token, password, ...(name ? { name } : {}) } }));
}

/** Where we are signed in. */
export async function sessions(): Promise<OpenSession[]> {
  return (await ok(api.GET('/antiphon/v1/session/list', {}))).results;
}

export function endOthers(): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/session/others', {}));
}
