/** What agents may be chosen to be. */
import type { Role } from '../../api/shapes';
import { t } from '../../i18n/index.svelte';

const ROLES: Role[] = ['AGENT', 'ADMIN', 'READ_ONLY'];

export function roles(): { value: Role; label: string }[] {
  return ROLES.map((value) => ({ value, label: t(`role.${value}`) }));
}

/** What a role may do, in a sentence. */
export function mayDo(role: string): string {
  return t(role === 'ADMIN' ? 'agents.mayAdmin' : role === 'AGENT' ? 'agents.mayAgent' : 'agents.mayRead');
}
