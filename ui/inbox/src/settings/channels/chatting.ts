/** How a chat is, as people fill it in, and as the server is told. */
import type { ChatBody } from '../../api/portal';
import type { ChatSettings } from '../../api/shapes';

export interface Span {
  from: string;
  to: string;
}

export interface Filled {
  title: string;
  color: string;
  position: 'LEFT' | 'RIGHT';
  welcomeMessage: string;
  quickReplies: string;
  language: string;
  askEmail: ChatSettings['askEmail'];
  attachments: boolean;
  always: boolean;
  timeZone: string;
  /** Monday first; what is open on each day. */
  week: Span[][];
  awayMessage: string;
  cookieBanner: ChatSettings['cookieBanner'];
  domains: string;
  pages: string;
}

export const WORKDAY: Span = { from: '09:00', to: '17:00' };

/** Midnight at the end of a day is written 00:00 where hours are picked, and 24:00 where they are kept. */
const shownEnd = (to: string) => (to === '24:00' ? '00:00' : to);
const keptEnd = (to: string) => (to === '00:00' ? '24:00' : to);

export function filled(chat: ChatSettings, accountName: string, timeZone: string): Filled {
  const hours = chat.officeHours;
  const week: Span[][] = Array.from({ length: 7 }, () => []);
  for (const { day, from, to } of hours?.days ?? []) week[day - 1]?.push({ from, to: shownEnd(to) });
  // Whoever begins to say when somebody is there begins with what is usual.
  if (!hours) for (const day of [0, 1, 2, 3, 4]) week[day]?.push({ ...WORKDAY });
  return {
    // Without a title of its own, it has the account's name.
    title: chat.title === accountName ? '' : chat.title,
    color: chat.color,
    position: chat.position,
    welcomeMessage: chat.welcomeMessage ?? '',
    quickReplies: chat.quickReplies.join('\n'),
    language: chat.language ?? '',
    askEmail: chat.askEmail,
    attachments: chat.attachments,
    always: !hours,
    timeZone: hours?.timeZone ?? timeZone,
    week,
    awayMessage: chat.awayMessage ?? '',
    cookieBanner: chat.cookieBanner,
    domains: chat.domains.join('\n'),
    pages: chat.pages.join('\n'),
  };
}

/** What stands on the lines of a text, without the empty ones. */
export function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter(Boolean);
}

export function body(form: Filled): ChatBody {
  const days = form.week.flatMap((spans, at) => spans.map(({ from, to }) => ({ day: at + 1, from, to: keptEnd(to) })));
  const text = (value: string) => value.trim() || undefined;
  const texts = { title: text(form.title), welcomeMessage: text(form.welcomeMessage), awayMessage: text(form.awayMessage), language: text(form.language) };
  return {
    ...(Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)) as Partial<Record<keyof typeof texts, string>>),
    color: form.color,
    position: form.position,
    quickReplies: lines(form.quickReplies),
    askEmail: form.askEmail,
    attachments: form.attachments,
    ...(form.always ? {} : { officeHours: { timeZone: form.timeZone, days } }),
    cookieBanner: form.cookieBanner,
    domains: lines(form.domains),
    pages: lines(form.pages),
  };
}

/** Black or white, whichever stands out more on a colour. The chat itself chooses so. */
export function textOn(color: string): string {
  const hex = /^#([0-9a-f]{6})$/iu.exec(color)?.[1] ?? '000000';
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? 'white' : 'black';
}
