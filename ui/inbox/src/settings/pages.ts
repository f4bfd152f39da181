/** The pages below /inbox/settings: a new one is a line here. */
import type { Component } from 'svelte';
import type { Key } from '../i18n/catalogue';
import type { IconName } from '../lib/ui/icons';

export interface SettingsPage {
  /** Below /inbox/settings/; what follows it in the address is given to the page as `rest`. */
  path: string;
  title: Key;
  icon: IconName;
  /** 'settings.mine', or 'settings.portal' for what is everybody's. */
  group: Key;
  /** For administrators alone. */
  admin?: boolean;
  load: () => Promise<{ default: Component<{ rest: string }> }>;
}

export const PAGES: SettingsPage[] = [
  { path: '', title: 'settings.preferences', icon: 'gear', group: 'settings.mine', load: () => import('./Preferences.svelte') },
  { path: 'account', title: 'settings.account', icon: 'person', group: 'settings.mine', load: () => import('./Account.svelte') },
  { path: 'general', title: 'general.title', icon: 'globe', group: 'settings.portal', admin: true, load: () => import('./General.svelte') },
  { path: 'inboxes', title: 'settings.inboxes', icon: 'inbox', group: 'settings.portal', admin: true, load: () => import('./Inboxes.svelte') },
  { path: 'channels', title: 'settings.channels', icon: 'chat', group: 'settings.portal', admin: true, load: () => import('./channels/Channels.svelte') },
  { path: 'agents', title: 'agents.title', icon: 'people', group: 'settings.portal', admin: true, load: () => import('./agents/Agents.svelte') },
  { path: 'canned', title: 'canned.title', icon: 'bolt', group: 'settings.portal', load: () => import('./canned/Canned.svelte') },
  { path: 'tags', title: 'tags.title', icon: 'tag', group: 'settings.portal', load: () => import('./marks/Tags.svelte') },
  { path: 'views', title: 'rail.views', icon: 'star', group: 'settings.portal', load: () => import('./marks/Views.svelte') },
  { path: 'tokens', title: 'settings.tokens', icon: 'token', group: 'settings.portal', admin: true, load: () => import('./tokens/Tokens.svelte') },
  { path: 'apps', title: 'settings.apps', icon: 'plug', group: 'settings.portal', admin: true, load: () => import('./apps/Apps.svelte') },
  { path: 'audit', title: 'audit.title', icon: 'clock', group: 'settings.portal', admin: true, load: () => import('./audit/Audit.svelte') },
];

/** Those that somebody may see. */
export function pagesFor(admin: boolean): SettingsPage[] {
  return PAGES.filter((page) => !page.admin || admin);
}

/** The page that an address names, and what stands behind it. */
export function pageAt(path: string, pages: SettingsPage[] = PAGES): { page: SettingsPage; rest: string } | null {
  const fits = pages
    .filter((page) => path === page.path || (page.path !== '' && path.startsWith(`${page.path}/`)))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return fits ? { page: fits, rest: path.slice(fits.path.length).replace(/^\//u, '') } : null;
}
