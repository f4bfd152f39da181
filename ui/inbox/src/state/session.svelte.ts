/** Who is signed in. */
import { onSignedOut, useCsrf } from '../api/client';
import { Problem } from '../api/problem';
import * as door from '../api/session';
import type { Session } from '../api/shapes';
import { demoOf } from '../session/token';

export type Standing = 'asking' | 'out' | 'in' | 'unreachable';

class Sitting {
  standing = $state<Standing>('asking');
  now = $state.raw<Session | null>(null);
  /** Whether somebody was signed in before: then the page says so, and keeps what is open. */
  ended = $state(false);

  /** A change of ourselves that is on its way, behind which our cookie may be another one. */
  private changing: Promise<unknown> | null = null;
  private asking: Promise<void> | null = null;

  constructor() {
    onSignedOut(() => {
      this.asking ??= this.check().finally(() => (this.asking = null));
    });
  }

  async begin(): Promise<void> {
    this.standing = 'asking';
    try {
      const fragment = demoOf(location.hash);
      try {
        this.enter(await door.current());
      } catch (error) {
        if (!fragment || Problem.from(error).status !== 401) throw error;
        // Only a demo says so: elsewhere a link could sign people in as somebody else.
        const options = await door.options();
        if (!options.demo) throw error;
        this.enter(await door.signIn(fragment.email, fragment.password));
      } finally {
        if (fragment) history.replaceState(null, '', location.pathname);
      }
    } catch (error) {
      this.standing = Problem.from(error).status === 401 ? 'out' : 'unreachable';
    }
  }

  enter(session: Session): void {
    useCsrf(session.csrf);
    this.now = session;
    this.ended = false;
    this.standing = 'in';
  }

  async signOut(): Promise<void> {
    try {
      await door.signOut();
    } finally {
      this.leave();
    }
  }

  /** Changes something about ourselves. A new password ends every line, ours too, before its answer is here. */
  async change(body: Parameters<typeof door.change>[0]): Promise<void> {
    const changed = door.change(body);
    this.changing = changed.catch(() => {});
    try {
      this.enter(await changed);
    } finally {
      this.changing = null;
    }
  }

  /** Asks whether we are still known, after the line or a request was refused. */
  async check(): Promise<void> {
    await this.changing;
    try {
      this.enter(await door.current());
    } catch (error) {
      if (Problem.from(error).status !== 401) return;
      if (this.standing === 'in') this.ended = true;
      this.leave();
    }
  }

  private leave(): void {
    useCsrf('');
    this.now = null;
    this.standing = 'out';
  }

  get me(): string {
    return this.now?.agent.actorId ?? '';
  }

  get mayWrite(): boolean {
    return this.now !== null && this.now.agent.role !== 'READ_ONLY';
  }

  get admin(): boolean {
    return this.now?.agent.role === 'ADMIN';
  }
}

export const session = new Sitting();
