/** The editor: what can be written with it, and how that is read. */
import { type Editor, mergeAttributes, Node } from '@tiptap/core';
import StarterKit from '@tiptap/starter-kit';
import { safeHref } from '../lib/rich';

/** A colleague who is called on. */
const Mention = Node.create({
  name: 'mention',
  group: 'inline',
  inline: true,
  selectable: false,
  atom: true,
  addAttributes: () => ({
    id: { default: '', parseHTML: (element: HTMLElement) => element.getAttribute('data-mention') },
    label: { default: '', parseHTML: (element: HTMLElement) => element.textContent?.replace(/^@/u, '') ?? '' },
  }),
  parseHTML: () => [{ tag: 'span[data-mention]' }],
  renderHTML: ({ node, HTMLAttributes }) => [
    'span',
    mergeAttributes({ class: 'mention', 'data-mention': String(node.attrs.id) }, { title: HTMLAttributes.title as string | undefined }),
    `@${String(node.attrs.label)}`,
  ],
  renderText: ({ node }) => `@${String(node.attrs.label)}`,
});

export const EXTENSIONS = [
  StarterKit.configure({
    heading: false,
    horizontalRule: false,
    link: {
      openOnClick: false,
      autolink: true,
      defaultProtocol: 'https',
      protocols: ['http', 'https', 'mailto', 'tel'],
      isAllowedUri: (url) => safeHref(url.includes(':') ? url : `https://${url}`) !== undefined,
      HTMLAttributes: { rel: 'noopener noreferrer nofollow', target: null },
    },
  }),
  Mention,
];

export interface Written {
  text: string;
  richText: string;
  mentions: string[];
}

export function read(editor: Editor): Written {
  const mentions = new Set<string>();
  editor.state.doc.descendants((node) => {
    if (node.type.name === 'mention') mentions.add(String(node.attrs.id));
  });
  const text = editor.getText({ blockSeparator: '\n' });
  return { text, richText: text.trim() === '' ? '' : editor.getHTML(), mentions: [...mentions] };
}

/** What stands before the cursor in its paragraph. */
export function before(editor: Editor): string {
  const { selection } = editor.state;
  if (!selection.empty) return '';
  const { $from } = selection;
  if ($from.parent.type.spec.code) return '';
  return $from.parent.textBetween(Math.max(0, $from.parentOffset - 40), $from.parentOffset, undefined, '\ufffc');
}
