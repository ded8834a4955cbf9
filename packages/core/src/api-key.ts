import { hash, randomBytes } from 'node:crypto';

/** An API key is `hg_<id>_<secret>`: the id may be shown and logged, the secret is seen once. */
const PREFIX = 'hg_';
const ID_BYTES = 8;
/** So many random bits can't be guessed: a fast hash keeps them as well as a slow one. */
const SECRET_BYTES = 32;

/** The parts of a key that a caller shows. */
export interface ApiKeyParts {
  readonly id: string;
  readonly secret: string;
}

export interface CreatedApiKey {
  readonly id: string;
  /** The whole key, as its caller gets it. */
  readonly text: string;
  readonly secretHash: Buffer;
}

export function createApiKey(): CreatedApiKey {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, text: `${PREFIX}${id}_${secret}`, secretHash: hashApiSecret(secret) };
}

/** By which a secret is kept and compared. */
export function hashApiSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

const BEARER = /^Bearer +hg_([0-9a-f]{16})_([\w-]{43})$/i;
const BASIC = /^Basic +([A-Za-z0-9+/]{1,1000}={0,2})$/i;
const USER = /^(?:hg_)?([0-9a-f]{16})$/;
const SECRET = /^(?:hg_[0-9a-f]{16}_)?([\w-]{43})$/;

/**
 * Reads `Bearer hg_…`, or `Basic` with the key's id (with or without `hg_`) as user name and its secret, or the whole key, as password.
 * Undefined for anything else. Takes time in proportion to the header.
 */
export function parseApiKey(header: string): ApiKeyParts | undefined {
  const [, id, secret] = BEARER.exec(header) ?? [];
  if (id !== undefined && secret !== undefined) return { id: id.toLowerCase(), secret };

  const [, encoded] = BASIC.exec(header) ?? [];
  return encoded === undefined ? undefined : parsePair(Buffer.from(encoded, 'base64').toString());
}

function parsePair(pair: string): ApiKeyParts | undefined {
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  const [, id] = USER.exec(pair.slice(0, colon)) ?? [];
  const [, secret] = SECRET.exec(pair.slice(colon + 1)) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}
