/** The channels that every portal has, and what their accounts need. */
import { type Key, t } from '../../i18n/index.svelte';
import type { Channel } from '../../api/shapes';

export const LIVE_CHAT = '1000';

const NAMES: Record<string, Key> = {
  '1000': 'channel.chat',
  '1001': 'channel.messenger',
  '1002': 'channel.email',
  '1003': 'channel.forms',
  '1004': 'channel.portal',
  '1007': 'channel.whatsapp',
  '1009': 'channel.sms',
  '1010': 'channel.instagram',
  '1011': 'channel.migration',
};

/** In the order in which people look for them. */
export const OFFERED = ['1000', '1002', '1007', '1009', '1001', '1010', '1003'];

/** Whether an app has brought it. */
export function brought(channelId: string): boolean {
  return !(channelId in NAMES);
}

export function channelName(channelId: string, channels: readonly Channel[] = []): string {
  const known = NAMES[channelId];
  return known ? t(known) : (channels.find((one) => one.id === channelId)?.name ?? t('channel.other', { id: channelId }));
}

/** What is asked for where accounts of a channel have an address of their own. */
export function addressOf(channelId: string): { type: string; label: Key; input: 'email' | 'tel' } | null {
  if (channelId === '1002') return { type: 'HS_EMAIL_ADDRESS', label: 'contact.email', input: 'email' };
  if (channelId === '1007' || channelId === '1009') return { type: 'HS_PHONE_NUMBER', label: 'contact.phone', input: 'tel' };
  return null;
}

/** A short code is a phone number that nobody can call. */
export function identifier(channelId: string, sent: string): { type: string; value: string } | undefined {
  const kind = addressOf(channelId);
  const value = sent.trim();
  if (!kind || !value) return undefined;
  const short = channelId === '1009' && /^\d{3,8}$/u.test(value);
  return { type: short ? 'HS_SHORT_CODE' : kind.type, value };
}
