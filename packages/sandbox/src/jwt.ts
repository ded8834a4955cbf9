import { Buffer } from 'node:buffer';
import { verify, type KeyObject } from 'node:crypto';
import { isObject, parseJson } from './json.ts';

/** A signed token taken apart. Nothing in it is proven before `isSignedBy`. */
export interface Jwt {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
  readonly signedPart: Buffer;
  readonly signature: Buffer;
}

/** Undefined for what is not a compact JWT. */
export function parseJwt(text: string): Jwt | undefined {
  const [header64, claims64, signature64, ...rest] = text.split('.');
  if (!header64 || !claims64 || !signature64 || rest.length > 0) return undefined;

  const header = decode(header64);
  const claims = decode(claims64);
  if (!isObject(header) || !isObject(claims)) return undefined;
  return {
    header,
    claims,
    signedPart: Buffer.from(`${header64}.${claims64}`),
    signature: Buffer.from(signature64, 'base64url'),
  };
}

/** The algorithm is ours to choose, never the token's: the key decides it. */
export function isSignedBy(jwt: Jwt, algorithm: 'ES256' | 'RS256', publicKey: KeyObject): boolean {
  if (jwt.header['alg'] !== algorithm) return false;
  // ES256 signs as raw r‖s (64 bytes), not DER.
  return verify(
    'sha256',
    jwt.signedPart,
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    jwt.signature,
  );
}

function decode(part: string): unknown {
  return parseJson(Buffer.from(part, 'base64url').toString());
}
