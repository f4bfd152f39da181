/** Who works in the portal, how they sign in, and what was done there. */
import { api, ok } from './client';
import type { Agent, AuditEntry, Invitation, Page, Role } from './shapes';

const AGENT = '/antiphon/v1/agents/{agentId}';
const of = (agentId: string) => ({ params: { path: { agentId } } });

export function agents(after?: string): Promise<Page<Agent>> {
  return ok(api.GET('/antiphon/v1/agents', { params: { query: { limit: 100, ...(after ? { after } : {}) } } })) as Promise<Page<Agent>>;
}

export function changeAgent(agentId: string, body: { name?: string; email?: string; active?: boolean }): Promise<Agent> {
  return ok(api.PATCH(AGENT, { ...of(agentId), body }));
}

/** Sets how an agent signs in; without a password, only what they may do. */
export function setLogin(agentId: string, body: { role: Role; password?: string }): Promise<unknown> {
  return ok(api.PUT(`${AGENT}/login`, { ...of(agentId), body }));
}

export function resetAuthenticator(agentId: string): Promise<unknown> {
  return ok(api.DELETE(`${AGENT}/totp`, of(agentId)));
}

export async function invitations(): Promise<Invitation[]> {
  return (await ok(api.GET('/antiphon/v1/invitations', {}))).results;
}

/** Makes a link, which is told this once. One that the agent had before ends. */
export function invite(body: { agentId: string } | { name: string; email: string; role: Role }): Promise<Invitation> {
  return ok(api.POST('/antiphon/v1/invitations', { body }));
}

export function revoke(agentId: string): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/invitations/{agentId}', of(agentId)));
}

export interface AuditAsked {
  actor?: string;
  action?: string;
}

export function audit(asked: AuditAsked, after?: string): Promise<Page<AuditEntry>> {
  const query = { limit: 50, ...asked, ...(after ? { after } : {}) };
  return ok(api.GET('/antiphon/v1/audit', { params: { query } })) as Promise<Page<AuditEntry>>;
}
