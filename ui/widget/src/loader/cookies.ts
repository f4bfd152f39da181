// The widget's first-party cookies. Consent managers list them by name, so the names are part of the surface.

export const KEY = 'messagesUtk';
export const IS_OPEN = 'hs-messages-is-open';
export const HIDE_WELCOME = 'hs-messages-hide-welcome-message';

const LIFE: Record<string, number> = {
  [KEY]: 180 * 24 * 3600,
  [IS_OPEN]: 30 * 60,
  [HIDE_WELCOME]: 24 * 3600,
};

export interface Cookies {
  read(name: string): string | null;
  write(name: string, value: string): void;
  drop(name: string): void;
}

export function cookiesOf(document: Document, location: Location): Cookies {
  const domains = widerDomains(location.hostname);
  const set = (name: string, value: string, life: number, domain: string | null) => {
    document.cookie =
      `${name}=${value};path=/;max-age=${life};SameSite=Lax` +
      (domain ? `;domain=${domain}` : '') +
      (location.protocol === 'https:' ? ';Secure' : '');
  };
  const read = (name: string): string | null => {
    for (const pair of document.cookie.split('; ')) {
      if (pair.startsWith(name + '=')) return pair.slice(name.length + 1);
    }
    return null;
  };
  const drop = (name: string) => {
    for (const domain of [null, ...domains]) set(name, '', 0, domain);
  };
  const write = (name: string, value: string) => {
    // Browsers refuse a cookie for a public suffix silently. With the old one gone, being there proves being accepted.
    drop(name);
    for (const domain of [...domains, null]) {
      set(name, value, LIFE[name] ?? 0, domain);
      if (read(name) === value) return;
    }
  };
  return { read, write, drop };
}

/** The domains a host could share a cookie with, the widest first. */
export function widerDomains(host: string): string[] {
  const labels = host.split('.');
  if (host.includes(':') || /^\d+$/.test(labels[labels.length - 1] ?? '')) return [];
  const found = [];
  for (let from = labels.length - 2; from >= 0; from--) found.push(labels.slice(from).join('.'));
  return found;
}
