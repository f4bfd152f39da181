// How words from outside get onto the screen: text as text, addresses in it as links, and HTML only by way of DOMPurify,
// though the server has cleaned it already.

import DOMPurify, { type Config } from 'dompurify';

const ALLOWED: Config = {
  ALLOWED_TAGS: [
    'a',
    'b',
    'blockquote',
    'br',
    'code',
    'div',
    'em',
    'i',
    'li',
    'ol',
    'p',
    'pre',
    's',
    'span',
    'strong',
    'u',
    'ul',
  ],
  ALLOWED_ATTR: ['href', 'dir', 'lang'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** Where links in words may lead. */
const KINDS = ['http:', 'https:', 'mailto:'];

/** The HTML as nodes in which nothing acts and every link opens elsewhere. Addresses in its words are links, too. */
export function safeNodes(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, { ...ALLOWED, RETURN_DOM_FRAGMENT: true });
  for (const link of fragment.querySelectorAll('a')) {
    // What is not a whole address would lead into our own origin.
    const href = link.getAttribute('href') ?? '';
    const address = URL.canParse(href) && webAddress(href, KINDS);
    if (address) outward(link, address);
    else link.replaceWith(...link.childNodes);
  }
  fragment.normalize();
  const words = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (words.nextNode()) found.push(words.currentNode as Text);
  for (const text of found) if (!text.parentElement?.closest('a')) text.replaceWith(...linked(text.data));
  return fragment;
}

function linked(text: string): Node[] {
  return pieces(text).map(({ text, href }) => {
    if (href === null) return document.createTextNode(text);
    const link = document.createElement('a');
    link.textContent = text;
    outward(link, href);
    return link;
  });
}

function outward(link: HTMLAnchorElement, address: string): void {
  link.href = address;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
}

export interface Piece {
  text: string;
  href: string | null;
}

/** Every part has bounds: without them, a long word of dots would be searched again from each dot. */
const LINK = /\bhttps?:\/\/[^\s<>"']{1,2000}|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b/giu;

/** Text in pieces of which some are addresses. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    // What ends a sentence does not belong to the address.
    let end = match[0].length;
    while (end > 0 && '.,;:!?]}»'.includes(match[0].charAt(end - 1))) end--;
    let bare = match[0].slice(0, end);
    if (bare.endsWith(')') && !bare.includes('(')) bare = bare.slice(0, -1);
    const href = webAddress(/^https?:/i.test(bare) ? bare : `mailto:${bare}`, KINDS);
    if (href === null) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index), href: null });
    found.push({ text: bare, href });
    from = match.index + bare.length;
  }
  if (from < text.length) found.push({ text: text.slice(from), href: null });
  return found;
}

/** The address in full if it is one of these kinds. */
export function webAddress(address: string, kinds = ['http:', 'https:']): string | null {
  try {
    const url = new URL(address, location.href);
    return kinds.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
