/** Who may change which canned replies, and what may stand in them. */
import type { CannedReply } from '../../api/shapes';
import type { Key } from '../../i18n/catalogue';
import { session } from '../../state/session.svelte';

/** One's own, and as an administrator everybody's. */
export function mayChange(reply: CannedReply): boolean {
  if (!session.mayWrite) return false;
  return reply.ownerActorId === session.me || (reply.shared && session.admin);
}

/** What is filled in when a reply is used. */
export const PLACES: { place: string; means: Key }[] = [
  { place: '{{contact.firstName}}', means: 'canned.firstName' },
  { place: '{{contact.name}}', means: 'canned.contactName' },
  { place: '{{agent.name}}', means: 'canned.agentName' },
  { place: '{{portal.name}}', means: 'canned.portalName' },
];
