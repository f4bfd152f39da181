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

/** The HTML as nodes in which nothing acts and every link opens elsewhere. */
export function safeNodes(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, { ...ALLOWED, RETURN_DOM_FRAGMENT: true });
  for (const link of fragment.querySelectorAll('a')) {
    // What is not a whole address would lead into our own origin.
    const href = link.getAttribute('href') ?? '';
    const address = URL.canParse(href) && webAddress(href, ['http:', 'https:', 'mailto:', 'tel:']);
    if (address) outward(link, address);
    else link.replaceWith(...link.childNodes);
  }
  return fragment;
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

/** Text in pieces of which some are web addresses. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  const add = (piece: string, href: string | null) => {
    const last = found.at(-1);
    if (href === null && last && last.href === null) last.text += piece;
    else if (piece) found.push({ text: piece, href });
  };
  for (const word of text.split(/(\s+)/)) {
    if (!/^https?:\/\//i.test(word)) {
      add(word, null);
      continue;
    }
    // What ends a sentence does not belong to the address.
    const bare = word.replace(/[.,;:!?)\]}'"»]+$/, '');
    add(bare, webAddress(bare, ['http:', 'https:']));
    add(word.slice(bare.length), null);
  }
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
