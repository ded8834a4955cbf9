import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { hashApiSecret, parseApiKey, Refusal } from '@heliograph/core';
import type { StoredApiKey } from '@heliograph/db';

import type { Caller } from './caller.ts';
import type { KeyRing } from './key-ring.ts';

export interface AuthenticateDeps {
  readonly keys: KeyRing;
  /** Requests per second of keys that have no limit of their own; 0: none. */
  readonly defaultRatePerSecond: number;
  readonly now: () => Date;
}

/** What no secret's hash is compared with, so that an id that is no key's takes as long as one that is. */
const NO_HASH = Buffer.alloc(32);

/** Who calls, by the key in the request. Refuses whoever shows none that is valid, and says nothing of why. */
export async function authenticate(
  { keys, defaultRatePerSecond, now }: AuthenticateDeps,
  req: IncomingMessage,
): Promise<Caller> {
  const header = req.headers.authorization;
  if (header === undefined) throw unauthenticated('An API key is missing.');
  // Node takes the first of several: a proxy before us may have looked at the last.
  if (countAuthorizations(req.rawHeaders) > 1) throw unauthenticated(INVALID);
  const shown = parseApiKey(header);
  if (shown === undefined) throw unauthenticated(INVALID);

  const key = await keys.find(shown.id);
  const isRight = timingSafeEqual(hashApiSecret(shown.secret), key?.secretHash ?? NO_HASH);
  if (!isRight || key === undefined || isOver(key, now())) throw unauthenticated(INVALID);
  const { id, name, scopes, app, ratePerSecond } = key;
  return { keyId: id, name, scopes, app, ratePerSecond: ratePerSecond ?? defaultRatePerSecond };
}

const INVALID = 'The API key is not valid.';

function unauthenticated(message: string): Refusal {
  return new Refusal('unauthenticated', message);
}

export function isOver({ expiresAt }: StoredApiKey, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function countAuthorizations(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 13 && rawHeaders[at]?.toLowerCase() === 'authorization')
      count += 1;
  return count;
}
