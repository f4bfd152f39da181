/** Every word that people read comes from here, in their language. */
import { type Catalogue, fill, type Key, type Values } from './catalogue';
import { en } from './en';
import { type Language, LANGUAGES } from './languages';

export type { Key } from './catalogue';
export { type Language, LANGUAGES } from './languages';


/** English is at hand; the others are fetched when somebody wants them. */
const others: Record<Exclude<Language, 'en'>, () => Promise<Catalogue>> = {
  de: async () => (await import('./de')).de,
  ar: async () => (await import('./ar')).ar,
};

const RIGHT_TO_LEFT: Language[] = ['ar'];

/** How times, numbers and plurals are said in a language. */
class Speech {
  readonly plural: Intl.PluralRules;
  readonly number: Intl.NumberFormat;
  readonly relative: Intl.RelativeTimeFormat;
  readonly clock: Intl.DateTimeFormat;
  readonly day: Intl.DateTimeFormat;
  readonly dayOfYear: Intl.DateTimeFormat;
  readonly weekday: Intl.DateTimeFormat;
  readonly moment: Intl.DateTimeFormat;
  readonly list: Intl.ListFormat;

  constructor(
    readonly language: Language,
    readonly catalogue: Catalogue,
  ) {
    const tag = tagOf(language);
    this.plural = new Intl.PluralRules(tag);
    this.number = new Intl.NumberFormat(tag);
    this.relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'narrow' });
    this.clock = new Intl.DateTimeFormat(tag, { timeStyle: 'short' });
    this.day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' });
    this.dayOfYear = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'long', year: 'numeric' });
    this.weekday = new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long' });
    this.moment = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' });
    this.list = new Intl.ListFormat(tag, { type: 'conjunction' });
  }
}

/** The regional form that the browser prefers, such as en-GB for its clock. */
function tagOf(language: Language): string {
  return navigator.languages.find((one) => one.split('-')[0] === language) ?? language;
}

let speech = $state.raw(new Speech('en', en));

export function preferred(): Language {
  const known = Object.keys(LANGUAGES);
  const wanted = navigator.languages.map((one) => one.split('-')[0] ?? '').find((one) => known.includes(one));
  return (wanted as Language | undefined) ?? 'en';
}

/** Speaks another language from now on. */
export async function speak(language: Language): Promise<void> {
  const catalogue = language === 'en' ? en : await others[language]();
  speech = new Speech(language, catalogue);
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr';
}

export function language(): Language {
  return speech.language;
}

export function rightToLeft(): boolean {
  return RIGHT_TO_LEFT.includes(speech.language);
}

/** What is read, in the language that is spoken. */
export function t(key: Key, values: Values = {}): string {
  return fill(speech.catalogue[key], values, speech.plural, speech.number);
}

export function words(): Speech {
  return speech;
}
