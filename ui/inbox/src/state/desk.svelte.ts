/** Joins the line with what is shown: each event changes only what it is about. */
import { Live, type Line } from '../api/live';
import * as door from '../api/threads';
import type { Entry, Happening } from '../api/shapes';
import { t } from '../i18n/index.svelte';
import { announcer } from './announce.svelte';
import { directory, Seldom } from './directory.svelte';
import { drafted } from './drafted.svelte';
import { list } from './list.svelte';
import { mentions } from './mentions.svelte';
import { notifier } from './notify.svelte';
import { open } from './open.svelte';
import { hear, here, type Present, said } from './presence';
import { session } from './session.svelte';

/** More threads than this are not read one by one. */
const FEW = 6;

/** How often the others are told that we are still here. */
const BEAT = 20_000;

const TYPING_EVERY = 3000;

/** What events of threads say. */
type Told = { messageId?: string; messageType?: string; propertyName?: string; reader?: string };

/** Changes that leave a line in the thread, which their event does not name. */
const LINED = ['assignedTo', 'status'];

class Desk {
  line = $state<Line>('off');
  private present = $state.raw<Present[]>([]);
  private now = $state(Date.now());
  private live: Live | null = null;
  private readonly dirty = new Set<string>();
  /** The open thread has lines that were not read. */
  private behind = false;
  private readonly sweeping = new Seldom(() => void this.sweep(), 80, 300);
  private ticking: ReturnType<typeof setInterval> | undefined;
  private beating: ReturnType<typeof setInterval> | undefined;
  private doing: 'viewing' | 'replying' = 'viewing';
  private at: string | null = null;
  private typed = 0;

  start(): void {
    this.live = new Live({
      happened: (event) => this.happened(event),
      passed: (word) => void (this.present = hear(this.present, word, session.me, Date.now())),
      lost: () => this.reread(),
      line: (line) => {
        this.line = line;
        // What was said while nobody listened is said again.
        if (line === 'up') this.tell();
      },
      refused: () => void session.check(),
    });
    this.live.start();
    this.ticking = setInterval(() => void (this.now = Date.now()), 2000);
    this.beating = setInterval(() => this.tell(), BEAT);
    void directory.load();
    void mentions.load();
    void drafted.load();
  }

  stop(): void {
    this.live?.stop();
    this.live = null;
    clearInterval(this.ticking);
    clearInterval(this.beating);
    this.sweeping.stop();
    this.line = 'off';
    directory.forget();
    list.clear();
    open.clear();
  }

  /** Who else is in a thread. */
  others(threadId: string): Present[] {
    return here(this.present, threadId, this.now);
  }

  /** Everything may be old. */
  private reread(): void {
    void directory.load();
    void list.refresh();
    void open.refresh();
    void mentions.load();
  }

  private happened(event: Happening): void {
    const payload = (event.payload ?? {}) as Told;
    switch (event.objectType) {
      case 'THREAD':
        this.inThread(String(event.objectId), event.kind, payload);
        break;
      case 'DIRECTORY':
      case 'CHANNEL_ACCOUNT':
        directory.reread();
        break;
      case 'VISITOR':
        if (open.thread?.contact.id === String(event.objectId)) this.touch(open.thread.id);
        break;
      default:
        if (event.kind.startsWith('antiphon.canned')) directory.reread();
    }
  }

  private inThread(threadId: string, kind: string, payload: Told): void {
    if (kind === 'antiphon.mentioned') void mentions.load();
    if (kind === 'antiphon.threadRead') {
      if (payload.reader === session.me) void mentions.load();
      if (threadId === open.id || payload.reader === session.me) this.touch(threadId);
      return;
    }
    if (kind === 'conversation.privacyDeletion') {
      list.gone(threadId);
      if (threadId === open.id) void open.refresh();
      directory.recount();
      return;
    }
    if (payload.messageType === 'MESSAGE') this.present = said(this.present, threadId);
    if (threadId === open.id && LINED.includes(payload.propertyName ?? '')) this.behind = true;
    if (payload.messageId) void this.entered(threadId, payload.messageId, kind === 'conversation.newMessage');
    this.touch(threadId);
    directory.recount();
  }

  private async entered(threadId: string, messageId: string, fresh: boolean): Promise<void> {
    const shown = threadId === open.id;
    const entry = shown ? await open.touched(messageId) : null;
    if (!fresh) return;
    if (shown && entry) this.announce(entry);
    if (shown && document.visibilityState === 'visible') return;
    await notifier.told(threadId, messageId, entry);
  }

  private announce(entry: Entry): void {
    if (entry.type !== 'MESSAGE' && entry.type !== 'COMMENT') return;
    if (entry.createdBy === session.me) return;
    const name = entry.senders[0]?.name ?? directory.actor(entry.createdBy).name ?? t('person.somebody');
    announcer.say(t(entry.type === 'COMMENT' ? 'said.note' : 'said.message', { name, text: entry.text.slice(0, 400) }));
  }

  /** A thread has changed: it is read again, with others that did so at the same time. */
  touch(threadId: string): void {
    this.dirty.add(threadId);
    this.sweeping.want();
  }

  private async sweep(): Promise<void> {
    const ids = [...this.dirty];
    this.dirty.clear();
    // The open one first, and by itself: whoever looks at it waits for it.
    const few = ids.length <= FEW ? ids : ids.filter((id) => id === open.id);
    if (few.length < ids.length) void list.refresh();
    await Promise.all(
      few.map(async (id) => {
        if (this.behind && id === open.id) return this.catchUp(id);
        try {
          const thread = await door.read(id);
          list.changed(thread);
          open.changed(thread);
        } catch {
          list.gone(id);
        }
      }),
    );
  }

  private async catchUp(threadId: string): Promise<void> {
    this.behind = false;
    await open.refresh();
    if (open.thread?.id === threadId) list.changed(open.thread);
    if (open.id === threadId && open.state === 'gone') list.gone(threadId);
  }

  /** Tells the others where we are. */
  look(threadId: string | null): void {
    if (this.at !== null && this.at !== threadId) this.say(this.at, 'away');
    this.at = threadId;
    this.doing = 'viewing';
    this.tell();
    if (threadId !== null) void this.meet(threadId);
  }

  /** Hears of those who were there before us. */
  private async meet(threadId: string): Promise<void> {
    try {
      for (const one of await door.present(threadId)) {
        const word = { kind: 'presence', appId: '', ...one };
        this.present = hear(this.present, word, session.me, Date.now());
      }
    } catch {
      // They say so again before long.
    }
  }

  typing(threadId: string, note: boolean): void {
    if (threadId !== this.at) return;
    const began = this.doing === 'viewing';
    this.doing = 'replying';
    if (began) this.tell();
    // The visitor may know that an answer is written, but not that we talk among ourselves.
    if (note || Date.now() - this.typed < TYPING_EVERY) return;
    this.typed = Date.now();
    this.live?.say({ type: 'typing', threadId, actorId: session.me, state: 'started' });
  }

  stopped(threadId: string): void {
    if (threadId !== this.at || this.doing === 'viewing') return;
    this.doing = 'viewing';
    this.typed = 0;
    this.live?.say({ type: 'typing', threadId, actorId: session.me, state: 'stopped' });
    this.tell();
  }

  private tell(): void {
    if (this.at !== null && document.visibilityState === 'visible') this.say(this.at, this.doing);
  }

  private say(threadId: string, state: string): void {
    if (session.mayWrite) this.live?.say({ type: 'presence', threadId, actorId: session.me, state });
  }
}

export const desk = new Desk();
