// The account's own colour, and the text that can be read on it.

/** Black or white, whichever stands out more; null when it is no colour of six digits. */
export function textOn(color: string): string | null {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return null;
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? '#ffffff' : '#000000';
}

export function paint(root: HTMLElement, color: string | null): void {
  const text = color && textOn(color);
  if (!text) return;
  root.style.setProperty('--brand', color);
  root.style.setProperty('--on-brand', text);
}
