/** What is said to people: aloud to screen readers, and as passing notices to everybody. */
import { type Key, t } from '../i18n/index.svelte';
import { Problem } from '../api/problem';
import type { Values } from '../i18n/catalogue';

export interface Notice {
  id: number;
  tone: 'plain' | 'bad';
  text: string;
  undo?: () => void;
}

class Announcer {
  /** For the live region; turns about, so that the same words are said again. */
  said = $state.raw<[string, string]>(['', '']);
  notices = $state.raw<Notice[]>([]);
  private turn = 0;
  private next = 1;

  say(text: string): void {
    this.turn = 1 - this.turn;
    this.said = this.turn === 0 ? [text, ''] : ['', text];
  }

  notice(text: string, undo?: () => void): void {
    this.show({ id: this.next++, tone: 'plain', text, ...(undo ? { undo } : {}) }, 6000);
  }

  bad(text: string): void {
    this.show({ id: this.next++, tone: 'bad', text }, 12_000);
  }

  /** That something did not work, and why. */
  failed(error: unknown): void {
    this.bad(reason(Problem.from(error)));
  }

  close(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  private show(notice: Notice, life: number): void {
    this.notices = [...this.notices.slice(-2), notice];
    setTimeout(() => this.close(notice.id), life);
  }
}

const KNOWN: Record<number, Key> = { 0: 'problem.network', 403: 'problem.forbidden', 404: 'problem.gone', 429: 'problem.slow', 503: 'problem.busy' };

/** Why something did not work, for people. What the server says about the request itself is passed on. */
export function reason(problem: Problem, values: Values = {}): string {
  const key = KNOWN[problem.status] ?? (problem.status >= 500 ? 'problem.server' : null);
  return key ? t(key, values) : problem.reasons;
}

export const announcer = new Announcer();
