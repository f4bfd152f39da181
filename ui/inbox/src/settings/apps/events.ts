/** What apps are told of: the kinds of events that happen here, and what people call them. */
import { type Key, t } from '../../i18n/index.svelte';
import type { Subscription } from '../../api/shapes';

/** Others can be asked for through the API; of those nothing is ever told. */
export const TOLD: readonly { type: Subscription['eventType']; says: Key }[] = [
  { type: 'conversation.newMessage', says: 'told.newMessage' },
  { type: 'conversation.creation', says: 'told.creation' },
  { type: 'conversation.propertyChange', says: 'told.propertyChange' },
  { type: 'conversation.deletion', says: 'told.deletion' },
  { type: 'conversation.privacyDeletion', says: 'told.privacyDeletion' },
];

export const PROPERTIES: readonly { name: string; says: Key }[] = [
  { name: 'status', says: 'told.status' },
  { name: 'assignedTo', says: 'told.assignedTo' },
  { name: 'isArchived', says: 'told.isArchived' },
];

/** What a subscription is about, in words where we have them. */
export function said(subscription: Subscription): string {
  const kind = TOLD.find((one) => one.type === subscription.eventType);
  const property = PROPERTIES.find((one) => one.name === subscription.propertyName);
  if (property && kind) return t(property.says);
  return kind ? t(kind.says) : [subscription.eventType, subscription.propertyName].filter(Boolean).join(' · ');
}
