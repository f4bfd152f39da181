/** Names and plain text, as they are shown. */

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const parts = name.trim().split(/[\s._@-]+/u).filter(Boolean);
  const first = (part: string | undefined) => (part ? ([...part][0] ?? '') : '');
  const last = parts.length > 1 && !name.includes('@') ? first(parts[parts.length - 1]) : '';
  return (first(parts[0]) + last).toLocaleUpperCase();
}

/** A number below `many` that is always the same for a name. */
export function shade(name: string, many: number): number {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash % many;
}

export type Piece = { text: string; href?: string };

/** Every part has bounds: without them, a long word of dots would be searched again from each dot. */
const LINK = /\bhttps?:\/\/[^\s<>"']{1,2000}|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b/giu;

/** Without what ends a sentence. */
function bare(address: string): string {
  let end = address.length;
  while (end > 0 && '.,;:!?'.includes(address.charAt(end - 1))) end -= 1;
  return address.slice(0, end);
}

/** The way to a letter to an address, of which nothing is a subject or another recipient. */
export function mailTo(address: string): string {
  return `mailto:${encodeURIComponent(address).replace('%40', '@')}`;
}

/** Text with the addresses in it found. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const raw = match[0];
    // A sentence that ends behind an address is not part of it.
    let trimmed = bare(raw);
    if (trimmed.endsWith(')') && !trimmed.includes('(')) trimmed = trimmed.slice(0, -1);
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    const href = trimmed.includes('://') ? trimmed : `mailto:${trimmed}`;
    found.push({ text: trimmed, href });
    from = match.index + trimmed.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** How large a file is, as people say it. */
export function size(bytes: number, language: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  let unit = 0;
  let amount = bytes;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  const style = { style: 'unit', unit: units[unit] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, style).format(amount);
}

const BROWSERS: [RegExp, string][] = [[/Edg/u, 'Edge'], [/OPR|Opera/u, 'Opera'], [/Firefox/u, 'Firefox'], [/Chrome|CriOS/u, 'Chrome'], [/Safari/u, 'Safari']];
const SYSTEMS: [RegExp, string][] = [[/Windows/u, 'Windows'], [/iPhone/u, 'iPhone'], [/iPad/u, 'iPad'], [/Android/u, 'Android'], [/Mac OS/u, 'macOS'], [/CrOS/u, 'ChromeOS'], [/Linux/u, 'Linux']];

/** What people call a browser, from what it calls itself. */
export function browser(agent: string): string {
  const find = (names: [RegExp, string][]) => names.find(([sign]) => sign.test(agent))?.[1];
  return [find(BROWSERS), find(SYSTEMS)].filter(Boolean).join(' · ') || agent;
}
