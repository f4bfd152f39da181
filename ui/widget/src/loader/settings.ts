// `window.hsConversationsSettings`: whatever a page put there, every value of a wrong type is its default.

export type BannerMode = 'OFF' | 'ON_WIDGET_LOAD' | 'ON_EXIT_INTENT';

export interface Settings {
  loadImmediately: boolean;
  inlineEmbedSelector: string;
  /** Null: what the chat's own configuration says. */
  banner: BannerMode | null;
  disableAttachment: boolean;
  disableInitialInputFocus: boolean;
  avoidInlineStyles: boolean;
  hideNewThreadLink: boolean;
  identificationEmail: string;
  identificationToken: string;
}

export function readSettings(given: unknown): Settings {
  const from = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const value = (name: string): unknown => {
    try {
      return from[name];
    } catch {
      return undefined;
    }
  };
  const flag = (name: string, otherwise: boolean): boolean => {
    const found = value(name);
    return typeof found === 'boolean' ? found : otherwise;
  };
  const text = (name: string): string => {
    const found = value(name);
    return typeof found === 'string' ? found.trim() : '';
  };
  return {
    loadImmediately: flag('loadImmediately', true),
    inlineEmbedSelector: text('inlineEmbedSelector'),
    banner: bannerMode(value('enableWidgetCookieBanner')),
    disableAttachment: flag('disableAttachment', false),
    disableInitialInputFocus: flag('disableInitialInputFocus', false),
    avoidInlineStyles: flag('avoidInlineStyles', false),
    hideNewThreadLink: flag('hideNewThreadLink', false),
    identificationEmail: text('identificationEmail'),
    identificationToken: text('identificationToken'),
  };
}

function bannerMode(value: unknown): BannerMode | null {
  if (value === true) return 'ON_WIDGET_LOAD';
  return value === 'ON_WIDGET_LOAD' || value === 'ON_EXIT_INTENT' ? value : null;
}
