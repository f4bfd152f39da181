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

  constructor() {
    onSignedOut(() => {
      if (this.standing === 'in') this.ended = true;
      this.leave();
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

  /** Asks whether we are still known, after the line was refused. */
  async check(): Promise<void> {
    try {
      this.enter(await door.current());
    } catch (error) {
      if (Problem.from(error).status !== 401) return;
      this.ended = true;
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
