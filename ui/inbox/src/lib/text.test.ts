import { describe, expect, it } from 'vitest';
import { mailTo, pieces } from './text';

describe('an address', () => {
  it.each([
    ['ana@harbour.example', 'mailto:ana@harbour.example'],
    ['ana+berth@harbour.example', 'mailto:ana%2Bberth@harbour.example'],
    ['a?bcc=evil@evil.example', 'mailto:a%3Fbcc%3Devil@evil.example'],
    ['a&body=x,b@evil.example', 'mailto:a%26body%3Dx%2Cb@evil.example'],
  ])('%s is written to as %s', (address, href) => {
    expect(mailTo(address)).toBe(href);
    const url = new URL(mailTo(address));
    expect([url.protocol, url.search, decodeURIComponent(url.pathname)]).toEqual(['mailto:', '', address]);
  });
});

describe('plain text', () => {
  it.each([
    ['see https://a.example/x?y=1. Yes', [['see '], ['https://a.example/x?y=1', 'https://a.example/x?y=1'], ['. Yes']]],
    ['(https://a.example/)', [['('], ['https://a.example/', 'https://a.example/'], [')']]],
    ['to ana@harbour.example, please', [['to '], ['ana@harbour.example', 'mailto:ana@harbour.example'], [', please']]],
    ['javascript:evil() data:text/html,x', [['javascript:evil() data:text/html,x']]],
    ['https://a.example/"onmouseover=evil()', [['https://a.example/', 'https://a.example/'], ['"onmouseover=evil()']]],
    ['<script>', [['<script>']]],
    ['', []],
  ])('%j has links where addresses are', (text, expected) => {
    const found = pieces(text);
    expect(found.map((piece) => (piece.href ? [piece.text, piece.href] : [piece.text]))).toEqual(expected);
    expect(found.map((piece) => piece.text).join('')).toBe(text);
  });

  it.each([
    ['dots and letters', 'a.'.repeat(200_000)],
    ['one long word', 'a'.repeat(400_000)],
    ['an address that goes on', `a@${'a.'.repeat(200_000)}`],
    ['an address that ends in dots', `https://a.example/${'.'.repeat(400_000)}x`],
    ['many beginnings', 'https://'.repeat(50_000)],
  ])('of others takes no longer than its length: %s', (_, text) => {
    const started = performance.now();
    expect(pieces(text).map((piece) => piece.text).join('')).toBe(text);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
