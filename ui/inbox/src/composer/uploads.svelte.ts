/** Files on their way to the server, and those that are there. */
import * as files from '../api/files';
import { Problem } from '../api/problem';
import type { Draft } from '../api/shapes';
import { reason } from '../state/announce.svelte';

export interface Upload {
  key: string;
  name: string;
  size: number;
  share: number;
  fileId?: string;
  problem?: string;
}

/** More than a message carries. */
const MOST = 20;

export class Uploads {
  all = $state.raw<Upload[]>([]);
  private readonly aborts = new Map<string, AbortController>();

  constructor(
    private readonly threadId: string,
    private readonly changed: () => void,
  ) {}

  add(chosen: Iterable<File>): void {
    for (const file of [...chosen].slice(0, MOST - this.all.length)) void this.send(file);
  }

  private async send(file: File): Promise<void> {
    const key = crypto.randomUUID();
    const abort = new AbortController();
    this.aborts.set(key, abort);
    this.all = [...this.all, { key, name: file.name, size: file.size, share: 0 }];
    try {
      const stored = await files.send(this.threadId, file, (share) => this.set(key, { share }), abort.signal);
      this.set(key, { share: 1, fileId: stored.id });
      this.changed();
    } catch (error) {
      this.set(key, { problem: reason(Problem.from(error)) });
    } finally {
      this.aborts.delete(key);
    }
  }

  private set(key: string, change: Partial<Upload>): void {
    this.all = this.all.map((one) => (one.key === key ? { ...one, ...change } : one));
  }

  remove(key: string): void {
    this.aborts.get(key)?.abort();
    this.all = this.all.filter((one) => one.key !== key);
    this.changed();
  }

  clear(): void {
    this.all = [];
  }

  /** What a draft had, or an answer that comes back; where only numbers are known, names are asked for. */
  restore(attachments: Draft['attachments']): void {
    this.all = attachments.map((one) => ({ key: one.fileId, name: one.name ?? '', size: one.size ?? 0, share: 1, fileId: one.fileId }));
    for (const one of attachments.filter((each) => !each.name)) {
      files.read(one.fileId).then(
        (file) => this.set(one.fileId, { name: [file.name, file.extension].filter(Boolean).join('.'), size: file.size ?? 0 }),
        () => this.remove(one.fileId),
      );
    }
  }

  get busy(): boolean {
    return this.all.some((one) => one.fileId === undefined && one.problem === undefined);
  }

  /** Those that have arrived. */
  get attachments(): (Draft['attachments'][number] & { fileId: string })[] {
    return this.all.flatMap(({ fileId, name, size }) => (fileId === undefined ? [] : [{ fileId, name, size }]));
  }
}
