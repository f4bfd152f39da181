/** How people and channels are called, when they may have no name. */
import type { ThreadContact } from '../api/shapes';
import { t } from '../i18n/index.svelte';
import type { IconName } from '../lib/ui/icons';

export function contactName(contact: Pick<ThreadContact, 'name' | 'email' | 'phone' | 'id'>): string {
  return contact.name || contact.email || contact.phone || t('person.visitorNumber', { id: contact.id });
}

const ICONS: Record<string, IconName> = { '1000': 'chat', '1001': 'chat', '1002': 'mail', '1003': 'file', '1007': 'phone', '1009': 'phone' };

export function channelIcon(channelId: string): IconName {
  return ICONS[channelId] ?? 'globe';
}

/** Whether what is written there is letters, with subjects and recipients. */
export function isEmail(channelId: string): boolean {
  return channelId === '1002' || channelId === '1003';
}
