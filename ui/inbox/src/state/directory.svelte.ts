/** What the portal is made of, and how many threads wait where. */
import * as door from '../api/directory';
import { canned } from '../api/answers';
import type { Agent, CannedReply, ChannelAccount, Counts, Figures, Inbox, Tag, View } from '../api/shapes';
import { session } from './session.svelte';

const NOTHING: Figures = { unassigned: 0, mine: 0, open: 0, snoozed: 0, closed: 0, spam: 0, archived: 0 };

/** Asks at once, and then at most once in a while, however often it is wanted. */
export class Seldom {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;

  constructor(
    private readonly act: () => void,
    private readonly soon: number,
    private readonly apart: number,
  ) {}

  want(): void {
    if (this.timer !== undefined) return;
    const wait = Math.max(this.soon, this.last + this.apart - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.last = Date.now();
      this.act();
    }, wait);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

class Directory {
  ready = $state(false);
  inboxes = $state.raw<Inbox[]>([]);
  accounts = $state.raw<ChannelAccount[]>([]);
  agents = $state.raw<Agent[]>([]);
  tags = $state.raw<Tag[]>([]);
  views = $state.raw<View[]>([]);
  canned = $state.raw<CannedReply[]>([]);
  counts = $state.raw<Counts>({ views: [], inboxes: [], all: NOTHING });
  private others = $state.raw<Record<string, { name?: string; avatar?: string }>>({});
  private readonly asked = new Set<string>();
  private readonly waiting = new Set<string>();
  private readonly naming = new Seldom(() => void this.nameThem(), 30, 300);
  private readonly counting = new Seldom(() => void this.count(), 150, 1000);
  private readonly reading = new Seldom(() => void this.load(), 300, 2000);

  /** Reads everything. What cannot be read leaves what was known, so that one door that is shut does not close the house. */
  async load(): Promise<void> {
    const parts: Promise<void>[] = [
      door.inboxes().then((found) => void (this.inboxes = found)),
      door.accounts().then((found) => void (this.accounts = found)),
      door.agents().then((found) => void (this.agents = found)),
      door.tags().then((found) => void (this.tags = found.filter((tag) => !tag.archived))),
      door.views().then((found) => void (this.views = [...found].sort((a, b) => a.position - b.position))),
      canned().then((found) => void (this.canned = found)),
      this.count(),
    ];
    await Promise.allSettled(parts);
    this.ready = true;
  }

  private async count(): Promise<void> {
    try {
      this.counts = await door.counts();
    } catch {
      // Figures that are a moment old are better than none.
    }
  }

  recount(): void {
    this.counting.want();
  }

  reread(): void {
    this.reading.want();
  }

  forget(): void {
    this.naming.stop();
    this.counting.stop();
    this.reading.stop();
    this.ready = false;
    this.inboxes = this.accounts = this.agents = this.tags = this.views = this.canned = [] as never[];
    this.counts = { views: [], inboxes: [], all: NOTHING };
  }

  inbox(id: string): Inbox | undefined {
    return this.inboxes.find((one) => one.id === id);
  }

  account(id: string): ChannelAccount | undefined {
    return this.accounts.find((one) => one.id === id);
  }

  tag(id: string): Tag | undefined {
    return this.tags.find((one) => one.id === id);
  }

  view(id: string): View | undefined {
    return this.views.find((one) => one.id === id);
  }

  figures(inboxId: string | null): Figures {
    if (inboxId === null) return this.counts.all;
    return this.counts.inboxes.find((one) => one.inboxId === inboxId) ?? NOTHING;
  }

  get teammates(): Agent[] {
    return this.agents.filter((one) => one.active);
  }

  /** Whoever an actor id is, as far as it is known; asks for those who are not. */
  actor(id: string): { name?: string; avatar?: string } {
    const agent = this.agents.find((one) => one.actorId === id);
    if (agent) return agent;
    if (session.now?.agent.actorId === id) return session.now.agent;
    const other = this.others[id];
    if (other) return other;
    if (!this.asked.has(id) && /^[ABILV]-/u.test(id)) {
      this.asked.add(id);
      this.waiting.add(id);
      this.naming.want();
    }
    return {};
  }

  private async nameThem(): Promise<void> {
    const ids = [...this.waiting].slice(0, 100);
    ids.forEach((id) => this.waiting.delete(id));
    try {
      const found = (await door.actors(ids)).results;
      this.others = { ...this.others, ...Object.fromEntries(found.map((one) => [one.id, one])) };
    } catch {
      ids.forEach((id) => this.asked.delete(id));
    }
    if (this.waiting.size > 0) this.naming.want();
  }
}

export const directory = new Directory();
