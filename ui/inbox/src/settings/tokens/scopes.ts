/** What a token or an app can be let into, in the order in which people look for it. */
import type { Key } from '../../i18n/index.svelte';

export const SCOPES: readonly { name: string; says: Key }[] = [
  { name: 'conversations.read', says: 'scope.read' },
  { name: 'conversations.write', says: 'scope.write' },
  { name: 'antiphon.inbound', says: 'scope.inbound' },
  { name: 'antiphon.admin', says: 'scope.admin' },
  { name: 'files.read', says: 'scope.filesRead' },
  { name: 'files.write', says: 'scope.filesWrite' },
  { name: 'files.delete', says: 'scope.filesDelete' },
  { name: 'conversations.custom_channels.read', says: 'scope.channelsRead' },
  { name: 'conversations.custom_channels.write', says: 'scope.channelsWrite' },
  { name: 'conversations.visitor_identification.tokens.create', says: 'scope.visitors' },
  { name: 'webhooks-journal-data-access', says: 'scope.journal' },
  { name: 'webhooks-journal-subscription-read', says: 'scope.journalRead' },
  { name: 'webhooks-journal-subscription-management', says: 'scope.journalManage' },
  { name: 'webhooks-journal-snapshot-management', says: 'scope.journalSnapshots' },
];

/** With which most integrations begin. */
export const USUAL = ['conversations.read', 'conversations.write'];

/** In their order, whatever order they were chosen in; those that are not listed come last. */
export function ordered(chosen: readonly string[]): string[] {
  const known = SCOPES.map((one) => one.name).filter((name) => chosen.includes(name));
  return [...known, ...chosen.filter((name) => !known.includes(name))];
}
