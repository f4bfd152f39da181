import { describe, expect, it } from 'vitest';
import { pieces, safeNodes, webAddress } from './text';

function shown(html: string): string {
  const box = document.createElement('div');
  box.append(safeNodes(html));
  return box.innerHTML;
}

describe('HTML from the server', () => {
  it.each([
    ['<p>Yes, <b>both</b></p>', '<p>Yes, <b>both</b></p>'],
    ['<script>alert(1)</script>x', 'x'],
    ['<img src=x onerror=alert(1)>', ''],
    ['<p style="position:fixed" onclick="x()" class="a" id="b">x</p>', '<p>x</p>'],
    ['<a href="javascript:alert(1)">x</a>', 'x'],
    ['<a href="/relative">x</a>', 'x'],
    ['<a>x</a>', 'x'],
    ['<a href="java\nscript:alert(1)">x</a>', 'x'],
    ['<iframe srcdoc="<script>1</script>"></iframe>', ''],
    ['<svg><style><img src=x onerror=alert(1)></style></svg>', ''],
    ['<a href="tel:110">x</a>', 'x'],
    ['<a href="data:text/html,x">x</a>', 'x'],
    ['<p>&lt;img src=x onerror=alert(1)&gt;</p>', '<p>&lt;img src=x onerror=alert(1)&gt;</p>'],
    ['<form action="https://evil.example"><input name="a"></form>', ''],
    ['<math><mtext><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">', ''],
  ])('%s is shown as %s', (html, expected) => {
    expect(shown(html)).toBe(expected);
  });

  it('has links that open elsewhere and carry nothing along', () => {
    expect(shown('<a href="https://a.example/?q=1" target="_self">x</a>')).toBe(
      '<a href="https://a.example/?q=1" target="_blank" rel="noopener noreferrer nofollow">x</a>',
    );
  });
});

describe('addresses in words of HTML', () => {
  const link = (href: string, text: string) =>
    `<a href="${href}" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
  it.each([
    ['<p>See https://a.example/x.</p>', `<p>See ${link('https://a.example/x', 'https://a.example/x')}.</p>`],
    ['<p><b>a@b.example</b></p>', `<p><b>${link('mailto:a@b.example', 'a@b.example')}</b></p>`],
    ['<a href="https://a.example/">https://b.example</a>', link('https://a.example/', 'https://b.example')],
    ['<a href="javascript:x()">https://b.example/</a>', link('https://b.example/', 'https://b.example/')],
    [
      'https://a.example/"onmouseover="alert(1)',
      `${link('https://a.example/', 'https://a.example/')}"onmouseover="alert(1)`,
    ],
    [
      'https://a.example/&lt;img src=x&gt;',
      `${link('https://a.example/', 'https://a.example/')}&lt;img src=x&gt;`,
    ],
  ])('%s is shown as %s', (html, expected) => {
    expect(shown(html)).toBe(expected);
  });
});

describe('text', () => {
  it.each([
    ['no address', [['no address', null]]],
    [
      'see https://a.example/x?y=1.',
      [
        ['see ', null],
        ['https://a.example/x?y=1', 'https://a.example/x?y=1'],
        ['.', null],
      ],
    ],
    [
      '(https://a.example)',
      [
        ['(', null],
        ['https://a.example', 'https://a.example/'],
        [')', null],
      ],
    ],
    [
      'ask a.b+c@d.example, or me@home',
      [
        ['ask ', null],
        ['a.b+c@d.example', 'mailto:a.b+c@d.example'],
        [', or me@home', null],
      ],
    ],
    ['xhttps://a.example', [['xhttps://a.example', null]]],
    ['javascript:alert(1)', [['javascript:alert(1)', null]]],
    ['https://', [['https://', null]]],
    ['<b>\n\n  x', [['<b>\n\n  x', null]]],
  ])('%j', (text, expected) => {
    expect(pieces(text).map((piece) => [piece.text, piece.href])).toEqual(expected);
    expect(pieces(text).map((piece) => piece.text).join('')).toBe(text); // prettier-ignore
  });

  it('is looked through in one go, whatever it is', () => {
    const from = performance.now();
    for (const word of ['a.', 'a@', 'a-', 'https://']) pieces(word.repeat(50_000));
    expect(performance.now() - from).toBeLessThan(2000);
  });

  it('knows web addresses from others', () => {
    expect(webAddress('https://a.example')).toBe('https://a.example/');
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'blob:x', 'vbscript:x'])
      expect(webAddress(bad)).toBeNull();
  });
});
