/** Everything that can be done from the keyboard and from the palette. */
import type { IconName } from '../lib/ui/icons';
import type { Key } from '../i18n/catalogue';
import { t } from '../i18n/index.svelte';
import { pagesFor } from '../settings/pages';
import * as act from '../state/actions';
import { directory } from '../state/directory.svelte';
import { list } from '../state/list.svelte';
import { open } from '../state/open.svelte';
import { router } from '../state/router.svelte';
import type { Shelf } from '../state/routes';
import { session } from '../state/session.svelte';
import { settings } from '../state/settings.svelte';
import { ui } from '../state/ui.svelte';
import { APPLE, type CommandId, written } from './shortcuts';

export interface Command {
  id: string;
  label: string;
  icon: IconName;
  group: Key;
  hint?: string;
  run: () => void;
}

function go(shelf: Shelf): void {
  router.show({ kind: 'inbox', inboxId: null, shelf });
}

function step(by: 1 | -1): void {
  const next = list.beside(router.threadId, by);
  if (next) router.open(next, router.threadId !== null);
}

/** Does something, where it can be done now. */
export function run(id: CommandId): void {
  const thread = open.thread;
  const may = thread !== null && session.mayWrite;
  switch (id) {
    case 'palette': ui.palette = !ui.palette; return;
    case 'keys': ui.keys = true; return;
    case 'next': return step(1);
    case 'previous': return step(-1);
    case 'back':
      if (router.route.name === 'settings') go('mine');
      else router.open(null);
      return;
    case 'goMine': return go('mine');
    case 'goUnassigned': return go('unassigned');
    case 'goOpen': return go('open');
    case 'goSnoozed': return go('snoozed');
    case 'goClosed': return go('closed');
    case 'goMentions': return router.show({ kind: 'mentions' });
    case 'goSettings': return router.settings();
    case 'contact':
      if (thread) ui.contact = !ui.contact;
      return;
  }
  if (!may) return;
  switch (id) {
    case 'reply': return ui.write('MESSAGE');
    case 'note': return ui.write('COMMENT');
    case 'assign':
    case 'snooze':
    case 'tag':
    case 'move':
      ui.chooser = id;
      return;
    case 'take': return void act.assign(thread, session.me);
    case 'close': return void (thread.status === 'OPEN' ? act.close(thread) : act.reopen(thread));
    case 'spam': return void act.setSpam(thread, !thread.spam);
    case 'archive': return void (thread.archived ? act.restore(thread) : act.archive(thread));
  }
}

const ICON: Partial<Record<CommandId, IconName>> = {
  reply: 'reply', note: 'note', assign: 'person', take: 'bolt', close: 'check', snooze: 'clock', tag: 'tag', move: 'move', spam: 'shield',
  archive: 'trash', contact: 'panel', goMine: 'person', goUnassigned: 'inbox', goOpen: 'people', goSnoozed: 'clock', goClosed: 'check',
  goMentions: 'at', goSettings: 'gear', keys: 'key',
};

function known(id: CommandId, label: Key, group: Key): Command {
  return { id, label: t(label), icon: ICON[id] ?? 'bolt', group, hint: written(id, APPLE), run: () => run(id) };
}

/** What the palette offers now. */
export function commands(): Command[] {
  const all: Command[] = [];
  const { thread } = open;
  if (thread && session.mayWrite) {
    const closed = thread.status === 'CLOSED';
    all.push(
      known('reply', 'command.reply', 'palette.thread'),
      known('note', 'command.note', 'palette.thread'),
      known('assign', 'command.assign', 'palette.thread'),
      known('take', 'command.take', 'palette.thread'),
      known('close', closed ? 'act.reopen' : 'act.close', 'palette.thread'),
      known('snooze', 'command.snooze', 'palette.thread'),
      known('tag', 'command.tag', 'palette.thread'),
      known('move', 'command.move', 'palette.thread'),
      known('spam', thread.spam ? 'act.noSpam' : 'act.spam', 'palette.thread'),
      known('archive', thread.archived ? 'act.restore' : 'act.archive', 'palette.thread'),
    );
  }
  all.push(
    known('goMine', 'command.goMine', 'palette.go'),
    known('goUnassigned', 'command.goUnassigned', 'palette.go'),
    known('goOpen', 'command.goOpen', 'palette.go'),
    known('goSnoozed', 'command.goSnoozed', 'palette.go'),
    known('goClosed', 'command.goClosed', 'palette.go'),
    known('goMentions', 'command.goMentions', 'palette.go'),
  );
  for (const inbox of directory.inboxes) {
    const run = () => router.show({ kind: 'inbox', inboxId: inbox.id, shelf: 'open' });
    all.push({ id: `inbox-${inbox.id}`, label: inbox.name, icon: 'inbox', group: 'palette.go', run });
  }
  for (const view of directory.views) {
    const run = () => router.show({ kind: 'view', viewId: view.id });
    all.push({ id: `view-${view.id}`, label: view.name, icon: 'star', group: 'palette.go', run });
  }
  for (const row of list.rows.threads.slice(0, 100)) {
    const name = row.contact.name ?? row.contact.email ?? t('person.visitor');
    const label = [name, row.subject ?? row.preview ?? ''].filter(Boolean).join(' · ');
    all.push({ id: `thread-${row.id}`, label, icon: 'chat', group: 'palette.threads', run: () => router.open(row.id) });
  }
  const dark = settings.now.theme === 'dark';
  all.push(
    known('contact', 'command.contact', 'palette.view'),
    known('keys', 'command.keys', 'palette.view'),
    known('goSettings', 'command.goSettings', 'palette.view'),
    { id: 'theme', label: t(dark ? 'command.light' : 'command.dark'), icon: 'sun', group: 'palette.view', run: () => settings.set({ theme: dark ? 'light' : 'dark' }) },
    { id: 'leave', label: t('session.signOut'), icon: 'leave', group: 'palette.view', run: () => void session.signOut() },
  );
  for (const page of pagesFor(session.admin)) {
    all.push({ id: `settings-${page.path}`, label: t(page.title), icon: page.icon, group: 'settings.title', run: () => router.settings(page.path) });
  }
  return all;
}
