/** What is done to a thread by hand: shown at once, taken back when the server does not take it. */
import * as door from '../api/threads';
import type { WorkThread } from '../api/shapes';
import { t } from '../i18n/index.svelte';
import { announcer } from './announce.svelte';
import { desk } from './desk.svelte';
import { directory } from './directory.svelte';
import { list } from './list.svelte';
import { open } from './open.svelte';
import { router } from './router.svelte';
import { session } from './session.svelte';
import { stateOf } from './rows';
import { ui } from './ui.svelte';

function show(thread: WorkThread): void {
  list.changed(thread);
  open.changed(thread);
}

/** Changes a thread; with a whole thread for `patch`, what is missing in it is taken away. */
async function change(thread: WorkThread, patch: Partial<WorkThread>, call: () => Promise<unknown>, done = false): Promise<boolean> {
  const merged = 'id' in patch ? (patch as WorkThread) : { ...thread, ...patch };
  const after = { ...merged, state: stateOf(merged) };
  const next = open.id === thread.id ? list.beside(thread.id, 1) ?? list.beside(thread.id, -1) : null;
  show(after);
  // What is done with makes room for the next in the list. Whoever takes a thread or marks it wants to go on with it.
  const left = done && list.place !== null && list.filter() !== null && !list.thread(thread.id);
  if (left && open.id === thread.id && router.threadId === thread.id) router.open(ui.phone ? null : next, true);
  try {
    await call();
    desk.touch(thread.id);
    directory.recount();
    return true;
  } catch (error) {
    show(thread);
    desk.touch(thread.id);
    announcer.failed(error);
    return false;
  }
}

function nameOf(actorId: string): string {
  return directory.actor(actorId).name ?? actorId;
}

export async function assign(thread: WorkThread, actorId: string | null): Promise<void> {
  if ((thread.assignedTo ?? null) === actorId) return;
  const { assignedTo: _before, ...rest } = thread;
  const after: WorkThread = actorId === null ? rest : { ...rest, assignedTo: actorId };
  if (!(await change(thread, after, () => door.assign(thread.id, actorId)))) return;
  const text =
    actorId === null ? t('done.unassigned') : actorId === session.me ? t('done.taken') : t('done.assigned', { name: nameOf(actorId) });
  announcer.notice(text);
}

export async function close(thread: WorkThread): Promise<void> {
  const done = await change(thread, { status: 'CLOSED' }, () => door.setStatus(thread.id, 'CLOSED'), true);
  if (done) announcer.notice(t('done.closed'), () => void reopen({ ...thread, status: 'CLOSED', state: 'CLOSED' }));
}

export async function reopen(thread: WorkThread): Promise<void> {
  if (await change(thread, { status: 'OPEN' }, () => door.setStatus(thread.id, 'OPEN'))) announcer.notice(t('done.reopened'));
}

export async function snooze(thread: WorkThread, until: Date, said: string): Promise<void> {
  const at = until.toISOString();
  const done = await change(thread, { snoozedUntil: at }, () => door.snooze(thread.id, at), true);
  if (done) announcer.notice(t('done.snoozed', { until: said }), () => void wake({ ...thread, snoozedUntil: at, state: 'SNOOZED' }));
}

export async function wake(thread: WorkThread): Promise<void> {
  const { snoozedUntil: _until, ...rest } = thread;
  if (await change(thread, rest, () => door.snooze(thread.id, null))) announcer.notice(t('done.awake'));
}

export async function setSpam(thread: WorkThread, spam: boolean): Promise<void> {
  const done = await change(thread, { spam }, () => door.setSpam(thread.id, spam), spam);
  if (!done) return;
  if (spam) announcer.notice(t('done.spam'), () => void setSpam({ ...thread, spam: true, state: 'SPAM' }, false));
  else announcer.notice(t('done.noSpam'));
}

export async function archive(thread: WorkThread): Promise<void> {
  const done = await change(thread, { archived: true }, () => door.archive(thread.id), true);
  if (done) announcer.notice(t('done.archived'), () => void restore({ ...thread, archived: true, state: 'ARCHIVED' }));
}

export async function restore(thread: WorkThread): Promise<void> {
  if (await change(thread, { archived: false }, () => door.restore(thread.id))) announcer.notice(t('done.restored'));
}

export async function move(thread: WorkThread, inboxId: string): Promise<void> {
  if (thread.inboxId === inboxId) return;
  const done = await change(thread, { inboxId }, () => door.move(thread.id, inboxId));
  if (done) announcer.notice(t('done.moved', { name: directory.inbox(inboxId)?.name ?? inboxId }));
}

export async function switchTag(thread: WorkThread, tagId: string): Promise<void> {
  const has = thread.tags.includes(tagId);
  const tags = has ? thread.tags.filter((one) => one !== tagId) : [...thread.tags, tagId];
  await change(thread, { tags }, () => door.tag(thread.id, has ? [] : [tagId], has ? [tagId] : []));
}
