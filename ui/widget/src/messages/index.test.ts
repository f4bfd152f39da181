import { describe, expect, it } from 'vitest';
import { CATALOGUES, choose, fill, languageOf, plural, type Messages } from './index';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort();
const english = (await CATALOGUES['en']!()).default;

describe.each(Object.keys(CATALOGUES))('the catalogue of %s', (tag) => {
  it('has every sentence, with the same places to fill', async () => {
    const { messages } = await languageOf([tag]);
    expect(Object.keys(messages).sort()).toEqual(Object.keys(english).sort());
    for (const key of Object.keys(english) as (keyof Messages)[]) {
      const [ours, theirs] = [messages[key], english[key]];
      if (typeof ours === 'string') {
        expect(ours.trim(), key).not.toBe('');
        expect(placeholders(ours), key).toEqual(placeholders(theirs as string));
      } else {
        expect(placeholders(ours.other), key).toEqual(placeholders((theirs as { other: string }).other));
      }
    }
  });

  it('has every plural form of its language', async () => {
    const { messages } = await languageOf([tag]);
    const { pluralCategories } = new Intl.PluralRules(tag).resolvedOptions();
    expect(Object.keys(messages.unread).sort()).toEqual([...pluralCategories].sort());
  });
});

describe('languages', () => {
  it.each([
    [['de-CH', 'en'], 'de'],
    [['fr', 'AR_eg'], 'ar'],
    [['fr', 'constructor', ''], 'en'],
    [[], 'en'],
  ])('%j is %s', (wanted, chosen) => {
    expect(choose(wanted)).toBe(chosen);
  });

  it('know their direction, and a broken tag breaks nothing', async () => {
    expect(await languageOf(['ar'])).toMatchObject({ rightToLeft: true, tag: 'ar' });
    expect(await languageOf(['en-$$$'])).toMatchObject({ rightToLeft: false, tag: 'en' });
    expect(await languageOf(['en-GB'])).toMatchObject({ tag: 'en-GB' });
  });

  it('count', async () => {
    const german = await languageOf(['de']);
    expect(plural(german, german.messages.unread, 1)).toBe('1 ungelesenes Gespräch');
    expect(plural(german, german.messages.unread, 3)).toBe('3 ungelesene Gespräche');
    expect(fill('{a} {b}', { a: '{b}' })).toBe('{b} {b}');
  });
});
