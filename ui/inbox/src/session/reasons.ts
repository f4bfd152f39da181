/** Why somebody is not signed in yet. */
import type { Problem } from '../api/problem';
import type { Key } from '../i18n/index.svelte';

/** What the server writes behind `?error=` when somebody comes back from where they sign in. */
const REASONS: Record<string, Key> = {
  oidc_unavailable: 'session.oidcUnavailable',
  oidc_expired: 'session.oidcExpired',
  oidc_cancelled: 'session.oidcCancelled',
  oidc_failed: 'session.oidcFailed',
  oidc_unverified: 'session.oidcUnverified',
  oidc_unknown: 'session.oidcUnknown',
  oidc_domain: 'session.oidcDomain',
  oidc_taken: 'session.oidcTaken',
  oidc_inactive: 'session.oidcInactive',
  oidc_several: 'session.oidcSeveral',
};

/** What to say. Nothing of the address itself is ever shown. */
export function reasonOf(search: string): Key | null {
  const error = new URLSearchParams(search).get('error');
  if (error === null) return null;
  return Object.hasOwn(REASONS, error) ? (REASONS[error] ?? null) : 'session.oidcFailed';
}

/** Reads it, and takes it out of the address: it is not true for ever. */
export function takeReason(): Key | null {
  const found = reasonOf(location.search);
  if (found) history.replaceState(history.state, '', location.pathname + location.hash);
  return found;
}

export interface Choice {
  id: string;
  name: string;
}

/** The portals of which one has to be chosen. */
export function choices(problem: Problem): Choice[] {
  if (problem.status !== 409 || problem.subCategory !== 'SEVERAL_PORTALS') return [];
  const names = problem.context['name'] ?? [];
  return (problem.context['portalId'] ?? []).map((id, n) => ({ id, name: names[n] || id }));
}
