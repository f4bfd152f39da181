// Times and sizes in the visitor's language.

import type { Language } from '../messages';

export function clock(language: Language, at: string): string {
  return format(at, (date) => date.toLocaleTimeString(language.tag, { hour: 'numeric', minute: '2-digit' }));
}

/** Today, yesterday, or a date; the year only where it is another one. */
export function day(language: Language, at: string, now: Date): string {
  return format(at, (date) => {
    const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
    if (days === 0) return language.messages.today;
    if (days === 1) return language.messages.yesterday;
    const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
    return date.toLocaleDateString(language.tag, { day: 'numeric', month: 'long', ...year });
  });
}

/** For a list: the time of what was today, the day of what was not. */
export function short(language: Language, at: string, now: Date): string {
  return format(at, (date) =>
    midnight(date) === midnight(now)
      ? clock(language, at)
      : date.toLocaleDateString(language.tag, { day: 'numeric', month: 'short' }),
  );
}

export function bytes(language: Language, size: number | undefined): string {
  if (!size || size < 0) return '';
  const units = ['byte', 'kilobyte', 'megabyte'] as const;
  const step = Math.min(units.length - 1, Math.floor(Math.log(size) / Math.log(1000)));
  return new Intl.NumberFormat(language.tag, {
    style: 'unit',
    unit: units[step]!,
    unitDisplay: 'short',
    maximumFractionDigits: step === 2 ? 1 : 0,
  }).format(size / 1000 ** step);
}

function midnight(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}

function format(at: string, write: (date: Date) => string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : write(date);
}
