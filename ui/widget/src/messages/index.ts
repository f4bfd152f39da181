// One catalogue per language; each is fetched by itself. What is not translated yet is English.

import type en from './en';

/** How a sentence goes for a number, by the plural forms of its language. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

export type Messages = {
  [Key in keyof typeof en]: (typeof en)[Key] extends string ? string : Plural;
};

export interface Language {
  tag: string;
  rightToLeft: boolean;
  messages: Messages;
}

type Catalogue = () => Promise<{ default: Messages }>;

export const CATALOGUES: Record<string, Catalogue> = {
  en: () => import('./en'),
  de: () => import('./de'),
  ar: () => import('./ar'),
};

const RIGHT_TO_LEFT = new Set(['ar']);

/** The first of the wanted languages that there is, by its main part: `de-CH` is `de`. */
export function choose(wanted: string[]): string {
  for (const tag of wanted) {
    const main = tag.toLowerCase().split(/[-_]/)[0] ?? '';
    if (Object.hasOwn(CATALOGUES, main)) return main;
  }
  return 'en';
}

export async function languageOf(wanted: string[]): Promise<Language> {
  const main = choose(wanted);
  // Dates and numbers go by the whole tag: `en-GB` writes them otherwise than `en-US`.
  const tag = wanted.find((each) => each.toLowerCase().split(/[-_]/)[0] === main) ?? main;
  const { default: messages } = await CATALOGUES[main]!();
  return { tag: known(tag, main), rightToLeft: RIGHT_TO_LEFT.has(main), messages };
}

function known(tag: string, otherwise: string): string {
  try {
    return Intl.getCanonicalLocales(tag.replaceAll('_', '-'))[0] ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function plural(language: Language, forms: Plural, n: number): string {
  const form = forms[new Intl.PluralRules(language.tag).select(n)] ?? forms.other;
  return fill(form, { n: new Intl.NumberFormat(language.tag).format(n) });
}
