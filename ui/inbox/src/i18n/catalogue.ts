/** What a catalogue is, in whatever language. */
import type { en } from './en';

export type Key = keyof typeof en;

/** One text, or one for each plural form that the language has, chosen by the value named `n`. */
export type Text = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);

export type Catalogue = Record<Key, Text>;

export type Values = Record<string, string | number>;

/** Fills a text. Numbers are written as the language writes them. */
export function fill(text: Text, values: Values, plural: Intl.PluralRules, number: Intl.NumberFormat): string {
  const chosen = typeof text === 'string' ? text : (text[plural.select(Number(values.n ?? 0))] ?? text.other);
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number.format(value) : value;
  });
}

/** The places that are filled in. */
export function places(text: Text): string[] {
  const all = typeof text === 'string' ? [text] : Object.values(text);
  const found = all.flatMap((one) => [...one.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''));
  return [...new Set(found)].sort();
}
