// What the page is told: the events that HubSpot's chat has, each once, and whether a conversation is running.

import type { EventName } from '../protocol';
import type { Talk } from './talks';

export interface Page {
  event(name: EventName, payload: Record<string, unknown>): void;
  running(running: boolean): void;
}

const conversation = (threadId: number) => ({ conversation: { conversationId: threadId } });

export class Telling {
  readonly #page: Page;
  readonly #begun = new Set<number>();
  #running = false;

  constructor(page: Page) {
    this.#page = page;
  }

  selected(threadId: number): void {
    this.#page.event('userSelectedThread', conversation(threadId));
  }

  /** Something was sent that had no thread before. */
  begun(threadId: number): void {
    if (this.#begun.has(threadId)) return;
    this.#begun.add(threadId);
    this.#page.event('conversationStarted', conversation(threadId));
    this.selected(threadId);
  }

  closed(threadId: number): void {
    this.#page.event('conversationClosed', conversation(threadId));
  }

  associated(): void {
    this.#page.event('contactAssociated', { message: 'The visitor is associated with a contact.' });
  }

  quickReply(value: string[], multiSelect: boolean): void {
    this.#page.event('quickReplyButtonClick', { name: 'QUICK_REPLIES', multiSelect, value });
  }

  unread(unreadCount: number): void {
    this.#page.event('unreadConversationCountChanged', { unreadCount });
  }

  running(talks: Talk[]): void {
    const running = talks.some((talk) => talk.id !== null && talk.status === 'OPEN');
    if (running === this.#running) return;
    this.#running = running;
    this.#page.running(running);
  }
}
