/**
 * HTML that others wrote, read into a tree of the few things a chat needs. It never reaches the page as HTML: what is not in
 * the tree is not shown, and what a tree cannot hold (tables, styles, pictures) is shown in a frame of its own.
 */

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'element'; tag: Tag; href?: string; mention?: boolean; children: Node[] };

const TAGS = [
  'p', 'div', 'br', 'b', 'strong', 'i', 'em', 'u', 's', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a', 'span',
] as const;
export type Tag = (typeof TAGS)[number];

/** Said differently by other programs. */
const SAME: Record<string, Tag> = { del: 's', strike: 's', section: 'div', article: 'div', center: 'div', tt: 'code', font: 'span' };

/** Without meaning for whoever reads. */
const SILENT = ['head', 'title', 'meta', 'link', 'style', 'script', 'noscript', 'template', 'html', 'body'];

const DEEPEST = 40;

/** A link that may be followed, or nothing. */
export function safeHref(href: string | null): string | undefined {
  if (!href) return undefined;
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a piece of HTML; `null` when it is more than a chat message. */
export function read(html: string): Node[] | null {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  if (parsed.head.querySelector('style')) return null;
  return below(parsed.body, 0);
}

function below(parent: globalThis.Node, depth: number): Node[] | null {
  if (depth > DEEPEST) return null;
  const nodes: Node[] = [];
  for (const child of parent.childNodes) {
    if (child.nodeType === 3) {
      const text = child.textContent ?? '';
      if (text) nodes.push({ kind: 'text', text });
      continue;
    }
    if (child.nodeType !== 1) continue;
    const element = child as Element;
    const name = element.localName;
    if (SILENT.includes(name)) {
      if (name === 'style') return null;
      continue;
    }
    const tag = SAME[name] ?? TAGS.find((known) => known === name);
    if (!tag || element.hasAttribute('style') || element.hasAttribute('bgcolor')) return null;
    const children = below(element, depth + 1);
    if (children === null) return null;
    const href = tag === 'a' ? safeHref(element.getAttribute('href')) : undefined;
    const mention = tag === 'span' && element.hasAttribute('data-mention');
    nodes.push({ kind: 'element', tag, children, ...(href ? { href } : {}), ...(mention ? { mention } : {}) });
  }
  return nodes;
}

/** Whether there is anything to see in it. */
export function isBlank(nodes: Node[]): boolean {
  return nodes.every((node) => (node.kind === 'text' ? node.text.trim() === '' : node.tag !== 'br' && isBlank(node.children)));
}

/** A letter's own pictures are among our files. Nothing else of ours is asked for because a letter wants it. */
const OWN = '/files/';

const POLICY = (images: string) =>
  `default-src 'none'; style-src 'unsafe-inline'; img-src ${images}; media-src 'none'; font-src 'none'; form-action 'none'; base-uri 'none'`;

/** What has no place in a letter. The frame keeps it from acting; this keeps it from being there. */
const GONE = 'script, meta, base, link, iframe, frame, frameset, object, embed, applet, template, noscript, portal, svg, math, input[type="image"]';

/** HTML that others wrote, without what could act, call elsewhere or lead astray. Its looks stay. */
export function clean(html: string): string {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const element of parsed.querySelectorAll(GONE)) element.remove();
  for (const element of parsed.querySelectorAll('*')) {
    for (const { name } of [...element.attributes]) {
      if (/^on|^(?:srcdoc|ping|formaction|action|target|autofocus)$/iu.test(name)) element.removeAttribute(name);
    }
    for (const name of ['href', 'xlink:href']) {
      const href = element.getAttribute(name);
      if (href !== null && !href.startsWith('#') && safeHref(href) === undefined) element.removeAttribute(name);
    }
    if (element.localName === 'a' || element.localName === 'area') element.setAttribute('rel', 'noopener noreferrer nofollow');
  }
  const styles = [...parsed.head.querySelectorAll('style')].map((style) => style.outerHTML);
  // Where frames stood in its place, there is no body any more.
  const body: HTMLElement | null = parsed.body;
  return styles.join('') + (body?.innerHTML ?? '');
}

/** A whole page around HTML that others wrote, for a frame in which no script runs. */
export function page(html: string, remote: boolean, colours: string, origin: string): string {
  const images = remote ? 'data: cid: https: http:' : `data: cid: ${origin}${OWN}`;
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY(images)}"><meta name="referrer" content="no-referrer"><base target="_blank"><style>${colours}</style></head><body>${clean(html)}</body></html>`;
}

/** Whether something in it would be fetched from elsewhere. */
export function hasRemote(html: string, origin: string): boolean {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const outside = (address: string) => /^(https?:)?\/\//iu.test(address) && !address.startsWith(`${origin}/`);
  const images = [...parsed.querySelectorAll('img, source, input')];
  if (images.some((one) => outside(one.getAttribute('src') ?? '') || /\/\//u.test(one.getAttribute('srcset') ?? ''))) return true;
  if ([...parsed.querySelectorAll('[background]')].some((one) => outside(one.getAttribute('background') ?? ''))) return true;
  return /url\(\s*['"]?(https?:)?\/\//iu.test(html);
}
