// The visitor's session: made when it is first needed, renewed before it ends, begun anew when the server has forgotten it.

import { json, Refused, request } from './api';
import type { SessionAnswer } from './types';
import type { Identification } from '../protocol';

export interface SessionPlan {
  base: string;
  portalId: number;
  account: string;
  url(): string;
  identification: Identification | null;
  language: string;
  /** The anonymous visitor's key, which only the page may keep. */
  visitorKey(): Promise<string | null>;
  /** The server said who the visitor is: on the first answer and on each later one. */
  told(answer: SessionAnswer, owner: string): void;
  now(): number;
}

const EARLY = 60_000;

export class Session {
  #answer: SessionAnswer | null = null;
  #ends = 0;
  #asking: Promise<string> | null = null;
  #anonymous: boolean;

  constructor(readonly plan: SessionPlan) {
    this.#anonymous = plan.identification === null;
  }

  /** A session that is good for the next request. */
  bearer(): Promise<string> {
    if (this.#answer && this.plan.now() < this.#ends - EARLY) return Promise.resolve(this.#answer.session);
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** The server did not accept this one, or says that it has ended. */
  expired(bearer?: string): void {
    if (bearer === undefined || this.#answer?.session === bearer) this.#ends = 0;
  }

  /** The server gave another one for the same visitor. */
  replace(session: string): void {
    if (this.#answer) this.#answer = { ...this.#answer, session };
  }

  async #ask(): Promise<string> {
    let answer: SessionAnswer;
    try {
      answer = await this.#post(this.#answer?.session ?? null);
    } catch (error) {
      if (!this.#answer || !(error instanceof Refused) || error.passing) throw error;
      // It cannot be renewed any more: the whole life of a session has an end, too.
      answer = await this.#post(null);
    }
    if (!this.#anonymous && !answer.identified) {
      // The page's token proves nothing, so this is whoever the browser was before.
      this.#anonymous = true;
      const warning = answer.warning;
      if (await this.plan.visitorKey()) answer = await this.#post(null);
      if (warning) answer = { ...answer, warning };
    }
    const ends = typeof answer.expiresAt === 'number' ? answer.expiresAt : Date.parse(answer.expiresAt);
    this.#ends = Number.isFinite(ends) ? ends : this.plan.now() + 30 * 60_000;
    this.#answer = answer;
    this.plan.told(answer, this.#owner(answer));
    return answer.session;
  }

  async #post(session: string | null): Promise<SessionAnswer> {
    const { plan } = this;
    const visitorKey = this.#anonymous ? await plan.visitorKey() : null;
    const body = {
      accountId: plan.account,
      url: plan.url(),
      language: plan.language,
      ...(visitorKey ? { visitorKey } : {}),
      ...(session ? { session } : {}),
      ...(!this.#anonymous && plan.identification ? { identification: plan.identification } : {}),
    };
    return json(await request(plan.base, `${plan.portalId}/sessions`, { method: 'POST', body }));
  }

  #owner(answer: SessionAnswer): string {
    const email = answer.identified && this.plan.identification?.email.toLowerCase();
    return email ? 'email:' + email : 'key:' + (answer.visitorKey ?? '');
  }
}
