import { randomBytes } from 'node:crypto';

import { CALLBACK_TYPES, Refusal } from '@heliograph/core';
import { insertCallbackEndpoint, insertCallbackSecret } from '@heliograph/db';
import { AddressRefused, parseCustomerUrl } from '@heliograph/outbound';

import { getOwner, type CallbackDeps, type OwnerName } from './callback-deps.ts';

/** An owner has no more, since each of them is told everything. */
const MAX_CALLBACKS = 10;

/** Types of events, and the parts before their dots. */
export const CALLBACK_CHOICES: readonly string[] = [
  ...new Set(CALLBACK_TYPES.flatMap((type) => [...(type.match(/^\w+(?=\.)/) ?? []), type])),
].filter((choice) => choice !== 'ping');

export interface NewCallback extends OwnerName {
  readonly url: string;
  /** Null for everything. */
  readonly types: readonly string[] | null;
}

export interface RegisteredCallback {
  readonly id: number;
  readonly url: string;
  /** Shown here and never again; null where requests are signed with the developer key's. */
  readonly secret: string | null;
  /** Its name in signatures. */
  readonly key: string;
}

/** Has the owner's outcomes told to this URL from now on. Refuses a URL that we would not call. */
export async function registerCallback(
  deps: CallbackDeps,
  { url: given, types, ...name }: NewCallback,
): Promise<RegisteredCallback> {
  const owner = await getOwner(deps.db, name);
  const url = parseUrl(given, deps.callbacks);
  const isApp = owner.developerKeyRef === 0;
  const callbackKey = isApp ? createKey() : null;
  const secret = isApp ? createSecret() : null;

  const id = await deps.db.transaction().execute(async (tx) => {
    const endpoint = { ...owner, url: url.href, target: url.host, callbackKey, types };
    const inserted = await insertCallbackEndpoint(tx, endpoint, MAX_CALLBACKS);
    if (inserted !== undefined && secret !== null)
      await insertCallbackSecret(tx, inserted, 0, (place) =>
        deps.secrets.seal(Buffer.from(secret), place),
      );
    return inserted;
  });
  if (id === undefined)
    throw new Refusal('conflict', `There are ${MAX_CALLBACKS} callbacks already.`);
  return { id, url: url.href, secret, key: callbackKey ?? name.developerKey ?? '' };
}

function parseUrl(text: string, options: CallbackDeps['callbacks']): URL {
  try {
    return parseCustomerUrl(text, options);
  } catch (error) {
    if (error instanceof AddressRefused)
      throw new Refusal('invalid_request', `requestObject.url is not taken. ${error.message}`);
    throw error;
  }
}

function createKey(): string {
  return `cb-${randomBytes(12).toString('hex')}`;
}

export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}
