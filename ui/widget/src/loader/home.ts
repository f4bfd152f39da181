// Where the script came from says which server and which portal it belongs to.

export interface Home {
  /** The server's address, with the path it is mounted at, without a slash at the end. */
  base: string;
  origin: string;
  portalId: number;
  nonce: string;
}

export function homeOf(document: Document): Home | null {
  const current = document.currentScript as HTMLScriptElement | null;
  const named = document.getElementById('hs-script-loader') as HTMLScriptElement | null;
  for (const script of [current, named, ...Array.from(document.scripts)]) {
    const home = script && homeOfScript(script);
    if (home) return home;
  }
  return null;
}

function homeOfScript(script: HTMLScriptElement): Home | null {
  if (!script.src) return null;
  const url = new URL(script.src);
  const short = /^(.*)\/(\d+)\.js$/.exec(url.pathname);
  const long = /^(.*)\/widget\/loader\.js$/.exec(url.pathname);
  const portalId = Number(
    short ? short[2] : long && (url.searchParams.get('portalId') ?? script.getAttribute('data-portal-id')),
  );
  if (!Number.isSafeInteger(portalId) || portalId <= 0) return null;
  const path = (short ?? long)?.[1] ?? '';
  return { base: url.origin + path, origin: url.origin, portalId, nonce: script.nonce ?? '' };
}
