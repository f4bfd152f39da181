import { describe, expect, it } from 'vitest';
import { textOn } from './colour';

describe('text on the account’s colour', () => {
  it.each([
    ['#000000', '#ffffff'],
    ['#2257c4', '#ffffff'],
    ['#ffcc00', '#000000'],
    ['#FFFFFF', '#000000'],
    ['red', null],
    ['#fff', null],
    ['#12345g', null],
    ['url(x)', null],
  ])('on %s is %s', (color, text) => {
    expect(textOn(color)).toBe(text);
  });
});
