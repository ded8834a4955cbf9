import { SIGNATURE_SCHEME } from './signature.ts';

/** What the Authorization header of a signed request says. */
export interface SignedAuthorization {
  readonly key: string;
  readonly nonce: string;
  readonly signature: string;
}

const SCHEME = new RegExp(`^${SIGNATURE_SCHEME}[ \\t]+`, 'i');
/** One parameter, and the comma after it or the end. No part can match what the next one begins with, so it is linear. */
const PARAMETER = /[ \t]*([a-z]+)="([^"]*)"[ \t]*(?:,|$)/iy;

/** 1 to 128 printable characters without a quote: of keys and nonces nothing else is assumed. */
const PRINTABLE = /^[^"\p{C}]{1,128}$/u;

/**
 * Reads `MAAIISDK10 key="…", nonce="…", signature="…"`: the parameters in any order, scheme and names in any case. Undefined for
 * anything else, also where a parameter is missing, unknown or there twice. Takes time in proportion to the header.
 */
export function parseAuthorization(header: string): SignedAuthorization | undefined {
  const scheme = SCHEME.exec(header);
  if (scheme === null) return undefined;
  const parameters = readParameters(header, scheme[0].length);
  const { key, nonce, signature } = Object.fromEntries(parameters ?? []);
  if (parameters?.size !== 3) return undefined;
  if (key === undefined || nonce === undefined || signature === undefined) return undefined;
  return PRINTABLE.test(key) && PRINTABLE.test(nonce) ? { key, nonce, signature } : undefined;
}

function readParameters(header: string, from: number): Map<string, string> | undefined {
  const found = new Map<string, string>();
  for (let at = from; at < header.length;) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(header);
    if (match === null) return undefined;
    const [whole, name = '', value = ''] = match;
    if (found.has(name.toLowerCase())) return undefined;
    found.set(name.toLowerCase(), value);
    at += whole.length;
    // A comma at the end announces a parameter that does not come.
    if (at === header.length && whole.endsWith(',')) return undefined;
  }
  return found;
}

/** The instant of an IMF-fixdate (RFC 9110, 5.6.7) such as `Thu, 12 Sep 2013 18:49:58 GMT`; undefined for any other spelling. */
export function parseImfFixdate(text: string): Date | undefined {
  // JavaScript reads many spellings and writes this one.
  const at = new Date(text);
  return at.toUTCString() === text && !Number.isNaN(at.getTime()) ? at : undefined;
}
