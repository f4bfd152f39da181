/** The one door to the server: the public API, called same-origin with the session's cookie. */
import createClient, { type Middleware } from 'openapi-fetch';
import { Problem } from './problem';
import type { paths } from './schema';

let csrf = '';
let signedOut: () => void = () => {};

/** The value that proves that a change comes from our own page. */
export function useCsrf(value: string): void {
  csrf = value;
}

/** What to do when the server no longer knows who we are. */
export function onSignedOut(act: () => void): void {
  signedOut = act;
}

/** The longest that an answer may take, uploads aside. */
const PATIENCE = 30_000;

/** Reading is tried once more when the server is busy; a change may not be, since it may have happened. */
async function carefully(request: Request): Promise<Response> {
  const again = request.method === 'GET' ? request.clone() : undefined;
  const send = (one: Request) => {
    const late = AbortSignal.timeout(PATIENCE);
    return fetch(one, { signal: AbortSignal.any([one.signal, late]) });
  };
  const response = await send(request);
  if (!again || (response.status !== 429 && response.status !== 503)) return response;
  const seconds = Number(response.headers.get('Retry-After') ?? 1);
  if (!(seconds <= 10)) return response;
  await new Promise((wake) => setTimeout(wake, seconds * 1000));
  return send(again);
}

const session: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && csrf) request.headers.set('X-Antiphon-CSRF', csrf);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !schemaPath.startsWith('/antiphon/v1/session')) signedOut();
  },
};

export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? 'http://localhost',
  credentials: 'same-origin',
  fetch: carefully,
});
api.use(session);

/** What a call answered, or the reason why it did not. */
export async function ok<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    throw Problem.from(error);
  }
  if (!answer.response.ok) throw Problem.of(answer.response.status, answer.error);
  return answer.data as T;
}

/** Sends a form with progress, which `fetch` cannot tell. */
export function upload<T>(
  path: string,
  form: FormData,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.responseType = 'json';
    if (csrf) request.setRequestHeader('X-Antiphon-CSRF', csrf);
    request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) done(request.response as T);
      else failed(Problem.of(request.status, request.response));
    };
    request.onerror = () => failed(new Problem(0, 'network'));
    request.onabort = () => failed(new Problem(0, 'aborted'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}
