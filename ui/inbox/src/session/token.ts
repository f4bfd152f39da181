/** Links that are good once carry their secret behind the `#`, where no server and no log sees it. */

/** The shortest password that is taken. */
export const SHORTEST = 8;

export function tokenOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/u, '')).get('token') || null;
}

/** Reads it, and takes it out of the address and of the history. */
export function takeToken(): string | null {
  const token = tokenOf(location.hash);
  if (location.hash) history.replaceState(null, '', location.pathname);
  return token;
}

/** The ready sign-in of the demo's link: an address and a password. */
export function demoOf(hash: string): { email: string; password: string } | null {
  const found = /^#demo=([^:]+):(.+)$/u.exec(hash);
  try {
    return found ? { email: decodeURIComponent(found[1] ?? ''), password: decodeURIComponent(found[2] ?? '') } : null;
  } catch {
    return null;
  }
}
