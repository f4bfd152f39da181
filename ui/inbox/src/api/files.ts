/** What messages carry. */
import { api, ok, upload } from './client';
import type { StoredFile } from './shapes';

/** Only those who get the message may read it, and no list of files shows it. */
const OPTIONS = JSON.stringify({ access: 'HIDDEN_PRIVATE' });

/** Each thread has a folder, so that a name is changed only where it is there twice. */
export function send(threadId: string, file: File, progress: (share: number) => void, signal: AbortSignal): Promise<StoredFile> {
  const form = new FormData();
  form.set('options', OPTIONS);
  form.set('folderPath', `/conversations/${threadId}`);
  form.set('file', file, file.name);
  return upload('/files/v3/files', form, progress, signal);
}

export function read(fileId: string): Promise<StoredFile> {
  return ok(api.GET('/files/v3/files/{fileId}', { params: { path: { fileId } } })) as Promise<StoredFile>;
}

/** A picture that visitors and colleagues see wherever somebody writes; its address stays. */
export async function sendPicture(picture: Blob, name: string): Promise<string> {
  const form = new FormData();
  form.set('options', JSON.stringify({ access: 'PUBLIC_NOT_INDEXABLE' }));
  form.set('folderPath', '/avatars');
  form.set('file', picture, name);
  const stored = await upload<StoredFile>('/files/v3/files', form, () => {}, new AbortController().signal);
  return stored.url ?? stored.defaultHostingUrl ?? '';
}
