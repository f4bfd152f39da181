/** Moments, as they are said. */
import { words } from '../i18n/index.svelte';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Whether two moments are on one day, by the clock of whoever reads. */
export function sameDay(one: Date, other: Date): boolean {
  return one.toDateString() === other.toDateString();
}

/** Short, for lists: `now`, `4m`, `14:05`, `3 Oct`, `3 Oct 2024`. */
export function brief(at: string, now: number): string {
  const then = new Date(at);
  const ago = now - then.getTime();
  const { relative, clock, day, dayOfYear } = words();
  if (ago < MINUTE && ago > -MINUTE) return relative.format(0, 'second');
  if (ago > 0 && ago < HOUR) return relative.format(-Math.floor(ago / MINUTE), 'minute');
  if (sameDay(then, new Date(now))) return clock.format(then);
  return then.getFullYear() === new Date(now).getFullYear() ? day.format(then) : dayOfYear.format(then);
}

/** What stands above the entries of a day. */
export function dayName(at: string, now: number): string {
  const then = new Date(at);
  const { relative, weekday, dayOfYear } = words();
  for (const back of [0, 1]) {
    if (sameDay(then, new Date(now - back * DAY))) return relative.format(-back, 'day');
  }
  return then.getFullYear() === new Date(now).getFullYear() ? weekday.format(then) : dayOfYear.format(then);
}

export function clockTime(at: string): string {
  return words().clock.format(new Date(at));
}

/** In full, for those who want to know exactly. */
export function moment(at: string): string {
  return words().moment.format(new Date(at));
}

/** Moments until which a thread can be put aside, as people think of them. */
export function snoozeChoices(now: Date): { key: 'laterToday' | 'tomorrow' | 'nextWeek' | 'nextMonth'; at: Date }[] {
  const at = (days: number, hour: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour, 0, 0, 0);
  const monday = ((8 - now.getDay()) % 7) || 7;
  const later = new Date(Math.ceil((now.getTime() + 3 * HOUR) / (30 * MINUTE)) * 30 * MINUTE);
  const choices = [
    { key: 'laterToday' as const, at: later },
    { key: 'tomorrow' as const, at: at(1, 9) },
    { key: 'nextWeek' as const, at: at(monday, 9) },
    { key: 'nextMonth' as const, at: new Date(now.getFullYear(), now.getMonth() + 1, 1, 9) },
  ];
  return choices.filter((choice) => choice.key !== 'laterToday' || sameDay(later, now));
}
