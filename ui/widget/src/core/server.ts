// What a visitor asks of the server: each request with a session that is good, made anew once where the server does not know it.

import { json, Refused, request, type Asked } from './api';
import type { Outgoing } from './outbox';
import type { Session } from './session';
import type { Contact, MessagePage, Sent, Thread, UploadedFile } from './types';

/** Messages of a page. */
const PAGE = 30;

export class Server {
  readonly #base: string;
  readonly #session: Session;

  constructor(base: string, session: Session) {
    this.#base = base;
    this.#session = session;
  }

  async threads(): Promise<Thread[]> {
    return (await json<{ results: Thread[] }>(await this.#ask('threads'))).results;
  }

  /** The newest messages of a thread, or those before one. */
  async messages(threadId: number, before?: string): Promise<MessagePage> {
    const from = before ? `&before=${encodeURIComponent(before)}` : '';
    return json(await this.#ask(`threads/${threadId}/messages?limit=${PAGE}${from}`));
  }

  async say(item: Outgoing): Promise<Sent> {
    const { threadId } = item;
    const body = {
      threadId,
      newThread: threadId === null,
      text: item.text,
      attachments: item.files.map((file) => file.fileId),
      clientId: item.clientId,
      url: item.url,
      ...(item.quickReply ? { quickReply: { values: item.quickReply } } : {}),
    };
    return json(await this.#ask('messages', { method: 'POST', body }));
  }

  async upload(file: File): Promise<UploadedFile> {
    const body = new FormData();
    body.append('file', file, file.name);
    return json(await this.#ask('files', { method: 'POST', body }));
  }

  /** Who the visitor is from now on. */
  async giveEmail(email: string): Promise<Contact> {
    const answer = await json<{ contact: Contact; session?: string }>(
      await this.#ask('contact', { method: 'POST', body: { email } }),
    );
    if (answer.session) this.#session.replace(answer.session);
    return answer.contact ?? { email };
  }

  /** Told even when the page goes in the meantime. */
  async read(threadId: number, messageId: string): Promise<void> {
    await this.#ask(`threads/${threadId}/read`, { method: 'PUT', body: { messageId }, parting: true });
  }

  async typing(threadId: number, typing: boolean): Promise<void> {
    await this.#ask(`threads/${threadId}/typing`, { method: 'POST', body: { typing } });
  }

  /** The stream of events after a position, or from now on. */
  events(after: string | null, signal: AbortSignal): Promise<Response> {
    const path = after === null ? 'events' : 'events?after=' + encodeURIComponent(after);
    return this.#ask(path, { signal, headers: { accept: 'text/event-stream' } });
  }

  async #ask(path: string, asked: Asked = {}): Promise<Response> {
    const bearer = await this.#session.bearer();
    try {
      return await request(this.#base, path, { ...asked, bearer });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      this.#session.expired(bearer);
      return request(this.#base, path, { ...asked, bearer: await this.#session.bearer() });
    }
  }
}
