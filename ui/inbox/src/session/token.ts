/** Links that are good once carry their secret behind the `#`, where no server and no log sees it. */

/** The shortest password that is taken. */
export const SHORTEST = 12;

export function tokenOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/u, '')).get('token') || null;
}

/** Reads it, and takes it out of the address and of the history. */
export function takeToken(): string | null {
  const token = tokenOf(location.hash);
  if (location.hash) history.replaceState(null, '', location.pathname);
  return token;
}
