// `window.hsConversationsSettings`: whatever a page put there, every value of a wrong type is its default.

export type BannerMode = 'OFF' | 'ON_WIDGET_LOAD' | 'ON_EXIT_INTENT';

const DEFAULTS = {
  loadImmediately: true,
  inlineEmbedSelector: '',
  disableAttachment: false,
  disableInitialInputFocus: false,
  avoidInlineStyles: false,
  hideNewThreadLink: false,
  identificationEmail: '',
  identificationToken: '',
};

export type Settings = typeof DEFAULTS & {
  /** Null: what the chat's own configuration says. */
  banner: BannerMode | null;
};

export function readSettings(given: unknown): Settings {
  const value = (name: string): unknown => {
    try {
      return (given as Record<string, unknown>)[name];
    } catch {
      // There are no settings, or they are a trap.
      return null;
    }
  };
  const read: Record<string, unknown> = { banner: bannerMode(value('enableWidgetCookieBanner')) };
  for (const [name, otherwise] of Object.entries(DEFAULTS)) {
    const found = value(name);
    const right = typeof found === typeof otherwise ? found : otherwise;
    read[name] = typeof right === 'string' ? right.trim() : right;
  }
  return read as Settings;
}

function bannerMode(value: unknown): BannerMode | null {
  if (value === true) return 'ON_WIDGET_LOAD';
  return value === 'ON_WIDGET_LOAD' || value === 'ON_EXIT_INTENT' ? value : null;
}
