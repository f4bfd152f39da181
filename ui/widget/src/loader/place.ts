// The elements that a page sees: their ids, their classes and who sizes them.

import css from './loader.css?inline';
import type { Home } from './home';
import type { Theme } from '../protocol';

const STYLES = 'antiphon-widget-styles';
const PHONE = 500;
/** With the panel open, launcher and shadows included. */
const FULL = { width: 408, height: 736 };

export interface Place {
  frame: HTMLIFrameElement;
  /** False when the page threw our element away without telling us. */
  there(): boolean;
  fit(width: number, height: number, open: boolean): void;
  phone(): boolean;
  remove(): void;
}

/** Resolves when the elements may be added without being seen unstyled. */
export function styled(document: Document, home: Home, asFile: boolean): Promise<void> {
  if (document.getElementById(STYLES)) return Promise.resolve();
  if (!asFile) {
    const style = document.createElement('style');
    style.id = STYLES;
    if (home.nonce) style.nonce = home.nonce;
    style.textContent = css;
    document.head.append(style);
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const link = document.createElement('link');
    link.id = STYLES;
    link.rel = 'stylesheet';
    link.href = home.base + '/widget/loader.css';
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
}

/** What a page that has only one of the two themes says about it; otherwise the visitor's system decides. */
export function themeOf(view: Window): Theme {
  const scheme = view.getComputedStyle(view.document.documentElement).colorScheme || '';
  const light = /\blight\b/.test(scheme);
  const dark = /\bdark\b/.test(scheme);
  return light === dark ? 'auto' : dark ? 'dark' : 'light';
}

export function makePlace(
  view: Window,
  parent: Element,
  form: { inline: boolean; align: 'left' | 'right'; src: string; title: string; theme: Theme },
): Place {
  const document = view.document;
  const container = document.createElement('div');
  const frame = document.createElement('iframe');
  container.id = form.inline ? 'hubspot-conversations-inline-parent' : 'hubspot-messages-iframe-container';
  if (form.inline) frame.id = 'hubspot-conversations-inline-iframe';
  else container.className = 'widget-align-' + form.align;
  frame.title = form.title;
  frame.src = form.src;
  // A frame is only transparent while its scheme is that of the page inside.
  frame.style.colorScheme = form.theme === 'auto' ? 'light dark' : form.theme;
  container.append(frame);

  let wanted = { width: 0, height: 0, open: false };
  const phone = () => view.innerWidth <= PHONE;
  // The frame is as large as it will ever be, and what is not used of it is cut off, for the eye and for the pointer. So
  // nothing in it moves when it opens, and the page sees no layout shift.
  const apply = () => {
    if (form.inline) return;
    const whole = wanted.open && phone();
    container.classList.toggle('antiphon-whole', whole);
    // Where a page lifts the container, less is left above it.
    const room = (!whole && container.getBoundingClientRect().bottom) || view.innerHeight;
    const full = phone()
      ? { width: view.innerWidth, height: view.innerHeight }
      : { width: Math.min(FULL.width, view.innerWidth), height: Math.min(FULL.height, room) };
    const width = Math.min(wanted.width, full.width);
    const height = Math.min(wanted.height, full.height);
    size(frame, full.width, full.height);
    size(container, width, height);
    const [top, side] = [full.height - height + 'px', full.width - width + 'px'];
    frame.style.clipPath = wanted.open
      ? 'none'
      : `inset(${form.align === 'left' ? `${top} ${side} 0 0` : `${top} 0 0 ${side}`})`;
  };
  view.addEventListener('resize', apply);
  apply();
  parent.append(container);

  return {
    frame,
    there: () => container.isConnected,
    fit(width, height, open) {
      wanted = { width, height, open };
      apply();
    },
    phone,
    remove() {
      view.removeEventListener('resize', apply);
      container.remove();
    },
  };
}

function size(element: HTMLElement, width: number, height: number): void {
  element.style.width = width + 'px';
  element.style.height = height + 'px';
}

/** The element that a page names, now or when it turns up; null when it has not after ten seconds. */
export function awaitElement(document: Document, selector: string): Promise<Element | null> {
  const found = document.querySelector(selector);
  if (found) return Promise.resolve(found);
  return new Promise((resolve) => {
    const end = (element: Element | null) => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(element);
    };
    const observer = new MutationObserver(() => {
      const element = document.querySelector(selector);
      if (element) end(element);
    });
    const timer = setTimeout(() => end(null), 10_000);
    observer.observe(document, { childList: true, subtree: true, attributes: true });
  });
}

/** Scripts in the head run before there is a body. */
export function awaitBody(document: Document): Promise<Element> {
  if (document.body) return Promise.resolve(document.body);
  return new Promise((resolve) =>
    document.addEventListener('DOMContentLoaded', () => resolve(document.body), { once: true }),
  );
}
