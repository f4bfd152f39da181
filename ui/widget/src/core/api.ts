// Requests to our own server. Two things can go wrong: it said no, or nobody answered.

/** The server answered, and it was no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** Seconds to wait before asking again, if the server said so. */
    readonly retryAfter: number | null,
  ) {
    super(`refused with ${status}`);
  }

  /** Whether asking again later can help. */
  get passing(): boolean {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** Nobody answered, or not in time. */
export class Unreachable extends Error {}

export function passing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refused && error.passing);
}

export interface Asked {
  method?: string;
  body?: unknown;
  bearer?: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Arrives even when the page goes in the meantime. */
  parting?: boolean;
}

const PATIENCE = 20_000;
const UPLOAD_PATIENCE = 120_000;

/** The answer's head; its body is still to be read. */
export async function request(base: string, path: string, asked: Asked = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...asked.headers };
  if (asked.bearer) headers['authorization'] = 'Bearer ' + asked.bearer;
  const form = asked.body instanceof FormData;
  if (asked.body !== undefined && !form) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(new URL(path, base), {
      method: asked.method ?? 'GET',
      headers,
      credentials: 'omit',
      cache: 'no-store',
      keepalive: asked.parting ?? false,
      signal: asked.signal ?? AbortSignal.timeout(form ? UPLOAD_PATIENCE : PATIENCE),
      ...(asked.body === undefined
        ? {}
        : { body: form ? (asked.body as FormData) : JSON.stringify(asked.body) }),
    });
  } catch (cause) {
    throw new Unreachable('nobody answered', { cause });
  }
  if (!response.ok) {
    const wait = Number(response.headers.get('retry-after'));
    throw new Refused(response.status, wait > 0 ? wait : null);
  }
  return response;
}

export async function json<T>(response: Response): Promise<T> {
  if (response.status === 204) return {} as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    throw new Unreachable('the answer broke off', { cause });
  }
}
