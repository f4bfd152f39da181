/** How agents are called, and how it stands with their signing in. */
import type { Agent } from '../../api/shapes';
import { t } from '../../i18n/index.svelte';
import { moment } from '../../lib/time';

export function agentName(agent: Pick<Agent, 'name' | 'email' | 'actorId'>): string {
  return agent.name || agent.email || agent.actorId;
}

export function standing(agent: Pick<Agent, 'login' | 'email' | 'active'>): string {
  const { login } = agent;
  if (!agent.active) return t('agents.cannot');
  if (login?.password) return t(login.totp ? 'agents.withTotp' : 'agents.withPassword');
  if (login?.elsewhere) return t('agents.elsewhere');
  if (login?.invitedUntil) return t('agents.invitedUntil', { at: moment(login.invitedUntil) });
  return t(agent.email ? 'agents.cannot' : 'agents.noEmail');
}
