import { describe, expect, it } from 'vitest';
import { widerDomains } from './cookies';
import { readSettings } from './settings';

describe('settings', () => {
  it('are their defaults where a value is of a wrong type', () => {
    const wild = {
      loadImmediately: 'no',
      inlineEmbedSelector: 7,
      enableWidgetCookieBanner: 'SOMETIMES',
      disableAttachment: 1,
      identificationEmail: null,
      unheardOf: {},
    };
    expect(readSettings(wild)).toEqual(readSettings(undefined));
    expect(readSettings(undefined)).toMatchObject({
      loadImmediately: true,
      inlineEmbedSelector: '',
      banner: null,
    });
  });

  it.each([
    [true, 'ON_WIDGET_LOAD'],
    ['ON_WIDGET_LOAD', 'ON_WIDGET_LOAD'],
    ['ON_EXIT_INTENT', 'ON_EXIT_INTENT'],
    [false, null],
  ])('know the cookie banner %s', (given, meant) => {
    expect(readSettings({ enableWidgetCookieBanner: given }).banner).toBe(meant);
  });
});

describe('domains', () => {
  it.each([
    ['www.shop.example', ['shop.example', 'www.shop.example']],
    ['shop.co.uk', ['co.uk', 'shop.co.uk']],
    ['localhost', []],
    ['127.0.0.1', []],
    ['[::1]', []],
  ])('of %s', (host, wider) => {
    expect(widerDomains(host)).toEqual(wider);
  });
});
