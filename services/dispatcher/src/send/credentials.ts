import { KeyNotAtHand, type Provider, type SecretBox } from '@heliograph/core';
import { findCredential, toKeyPlace, type ClaimedDelivery, type Db } from '@heliograph/db';
import type { Credential } from '@heliograph/providers';
import type { Logger } from 'pino';

import { openCredential } from './open-credential.ts';

/** A credential ready for use, or why it can't be used. */
export type LoadedCredential =
  | { readonly kind: 'usable'; readonly credential: Credential }
  | { readonly kind: 'unusable'; readonly version: number; readonly reason: string }
  /** We lack the key that it was sealed with; others of the fleet may have it, so it is nothing that is wrong with the credential. */
  | { readonly kind: 'locked' }
  | { readonly kind: 'removed' };

export interface CredentialStore {
  /** The credential in this version, or in the one that has replaced it since. */
  load(appRef: number, provider: Provider, version: number): Promise<LoadedCredential>;
}

/** A loaded credential as a claim names it. */
export function toClaimed(credential: Credential): NonNullable<ClaimedDelivery['credential']> {
  const { version, route } = credential;
  const environment = 'environment' in credential ? (credential.environment ?? null) : null;
  return { version, route, environment };
}

const MAX_ENTRIES = 2_000;
/** A locked one may be sealed anew, under the same version. */
const LOCKED_FOR_MS = 10_000;

interface CredentialStoreDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly log: Logger;
}

/** Reads and opens each version of a credential once, whatever key seals it later. */
export function createCredentialStore(deps: CredentialStoreDeps): CredentialStore {
  const loaded = new Map<string, Promise<LoadedCredential>>();

  return {
    load(appRef, provider, version) {
      const key = `${appRef}/${provider}/${version}`;
      const kept = loaded.get(key);
      if (kept !== undefined) return kept;

      if (loaded.size >= MAX_ENTRIES) loaded.clear();
      const loading = loadCredential(deps, appRef, provider);
      loaded.set(key, loading);
      loading.then(
        ({ kind }) => {
          if (kind === 'locked') setTimeout(() => loaded.delete(key), LOCKED_FOR_MS).unref();
        },
        () => loaded.delete(key),
      );
      return loading;
    },
  };
}

async function loadCredential(
  { db, secrets, log }: CredentialStoreDeps,
  appRef: number,
  provider: Provider,
): Promise<LoadedCredential> {
  const row = await findCredential(db, appRef, provider);
  if (row === undefined) return { kind: 'removed' };

  let key: Buffer;
  try {
    key = secrets.open(row.sealedKey, toKeyPlace(appRef, provider));
  } catch (error) {
    if (error instanceof KeyNotAtHand) {
      const { keyId } = error;
      log.error({ appRef, provider, keyId }, 'secrets key missing: a credential cannot be opened');
      return { kind: 'locked' };
    }
    return { kind: 'unusable', version: row.version, reason: 'unusable_key' };
  }
  const identity = { id: `${appRef}/${provider}`, version: row.version };
  const credential = openCredential(identity, provider, row, key);
  if (credential === undefined)
    return { kind: 'unusable', version: row.version, reason: 'unusable_key' };
  return { kind: 'usable', credential };
}
