import { parse } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';
import { ar } from './ar';
import { type Catalogue, fill, type Key, places } from './catalogue';
import { de } from './de';
import { en } from './en';

const components = import.meta.glob<string>('../**/*.svelte', { query: '?raw', import: 'default', eager: true });
const modules = import.meta.glob<string>(['../**/*.ts', '!../**/*.test.ts', '!./*.ts'], { query: '?raw', import: 'default', eager: true });

describe.each([['de', de], ['ar', ar]] as [string, Catalogue][])('the catalogue %s', (language, catalogue) => {
  it('has every text and no other', () => {
    expect(Object.keys(catalogue).sort()).toEqual(Object.keys(en).sort());
  });

  it('fills in the same places', () => {
    for (const key of Object.keys(en) as Key[]) expect(places(catalogue[key]).filter((one) => one !== 'n'), key).toEqual(places(en[key]).filter((one) => one !== 'n'));
  });

  it('has every plural that the language has', () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.slice().sort();
    for (const [key, text] of Object.entries(catalogue)) {
      if (typeof text !== 'string') expect(Object.keys(text).sort(), key).toEqual(categories);
    }
  });
});

describe('every text', () => {
  it('stands in one file only', () => {
    const files = Object.entries(import.meta.glob<string>(['./en.ts', './*.en.ts'], { query: '?raw', import: 'default', eager: true }));
    expect(files.length).toBeGreaterThan(1);
    const all = files.flatMap(([, code]) => [...code.matchAll(/^ {2}'?([\w.]+)'?:/gmu)].map((match) => match[1] ?? ''));
    expect(all.length).toBeGreaterThanOrEqual(Object.keys(en).length);
    expect(all.filter((key, at) => all.indexOf(key) !== at)).toEqual([]);
  });

  it('is used', () => {
    const code = [...Object.values(components), ...Object.values(modules)].join('\n');
    // Those whose last part is chosen when they are read.
    const made = ['state.', 'shelf.', 'empty.', 'snooze.', 'role.', 'theme.', 'keys.group.', 'color.'];
    const unused = Object.keys(en).filter((key) => !code.includes(`'${key}'`) && !made.some((start) => key.startsWith(start)));
    expect(unused).toEqual([]);
  });

  it('is filled in by the plural that fits, with numbers as the language writes them', () => {
    const text = { one: '{n} thing', other: '{n} things' };
    const [plural, number] = [new Intl.PluralRules('en'), new Intl.NumberFormat('en')];
    expect(fill(text, { n: 1 }, plural, number)).toBe('1 thing');
    expect(fill(text, { n: 1200 }, plural, number)).toBe('1,200 things');
    expect(fill('{who} is {what}', { who: '{what}' }, plural, number)).toBe('{what} is {what}');
  });
});

/** Attributes that people read or hear. */
const READ = ['aria-label', 'title', 'placeholder', 'alt', 'label', 'text', 'hint'];

function wordsIn(node: unknown, found: string[]): void {
  if (Array.isArray(node)) return node.forEach((one) => wordsIn(one, found));
  if (typeof node !== 'object' || node === null) return;
  const one = node as { type?: string; data?: string; name?: string; value?: unknown };
  if (one.type === 'Text' && /\p{L}{2,}/u.test(one.data ?? '')) found.push((one.data ?? '').trim());
  if (one.type === 'StyleDirective') return;
  if (one.type === 'Attribute') {
    if (READ.includes(one.name ?? '')) wordsIn(one.value, found);
    return;
  }
  for (const [key, value] of Object.entries(one)) if (key !== 'css' && key !== 'instance' && key !== 'module') wordsIn(value, found);
}

describe.each(Object.entries(components))('%s', (_file, code) => {
  const ast = parse(code, { modern: true });

  it('has no words of its own', () => {
    const found: string[] = [];
    wordsIn(ast.fragment, found);
    expect(found).toEqual([]);
  });

  it('says where things stand by the line of reading, in colours of the tokens', () => {
    const css = ast.css ? code.slice(ast.css.start, ast.css.end) : '';
    const physical = /(?<![-\w])(?:(?:margin|padding|border)-(?:left|right|top|bottom)|left|right|top|bottom|width|height|(?:min|max)-(?:width|height)|text-align:\s*(?:left|right)|float)\s*:/gu;
    // The width of a window is what it is.
    expect((css.match(physical) ?? []).filter((one) => !/^(?:min|max)-width/u.test(one))).toEqual([]);
    expect(css.match(/#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(/giu) ?? []).toEqual([]);
  });

  it('is short', () => {
    expect(code.split('\n').length).toBeLessThan(330);
  });
});
