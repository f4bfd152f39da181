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

export function accept(token: string, password: string, name?: string, code?: string): Promise<Session> {
  const body = { token, password, ...(name ? { name } : {}), ...(code ? { code } : {}) };
  return ok(api.POST('/antiphon/v1/invitations/accept', { body }));
}

/** Where we are signed in. */
export async function sessions(): Promise<OpenSession[]> {
  return (await ok(api.GET('/antiphon/v1/session/list', {}))).results;
}

export function endOthers(): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/session/others', {}));
}

export function endOne(sessionId: string): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/session/list/{sessionId}', { params: { path: { sessionId } } }));
}

/** What we change about ourselves. An empty picture is none. */
export function change(body: { name?: string; avatar?: string; password?: { old: string; new: string } }): Promise<Session> {
  return ok(api.PATCH('/antiphon/v1/session/agent', { body }));
}

/** A secret for an authenticator: to be typed, and to be drawn. It counts once `confirm` has a code of it. */
export function authenticator(): Promise<{ secret: string; uri: string }> {
  return ok(api.POST('/antiphon/v1/session/totp', {}));
}

/** Answers the recovery codes, which nobody is told again. */
export async function confirm(code: string): Promise<string[]> {
  return (await ok(api.PUT('/antiphon/v1/session/totp', { body: { code } }))).recoveryCodes;
}

export function noAuthenticator(password: string): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/session/totp', { body: { password } }));
}
