import type { Provider, SecretBox } from '@heliograph/core';
import { findCredential, toKeyPlace, type ClaimedDelivery, type Db } from '@heliograph/db';
import type { Credential } from '@heliograph/providers';

import { openCredential } from './open-credential.ts';

/** A credential ready for use, or why it can't be used. */
export type LoadedCredential =
  | { readonly kind: 'usable'; readonly credential: Credential }
  | { readonly kind: 'unusable'; readonly version: number; readonly reason: string }
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

/** Reads and opens each version of a credential once. */
export function createCredentialStore(deps: { db: Db; secrets: SecretBox }): CredentialStore {
  const loaded = new Map<string, Promise<LoadedCredential>>();

  return {
    load(appRef, provider, version) {
      const key = `${appRef}/${provider}/${version}`;
      const kept = loaded.get(key);
      if (kept !== undefined) return kept;

      if (loaded.size >= MAX_ENTRIES) loaded.clear();
      const loading = loadCredential(deps, appRef, provider);
      loaded.set(key, loading);
      loading.catch(() => loaded.delete(key));
      return loading;
    },
  };
}

async function loadCredential(
  { db, secrets }: { db: Db; secrets: SecretBox },
  appRef: number,
  provider: Provider,
): Promise<LoadedCredential> {
  const row = await findCredential(db, appRef, provider);
  if (row === undefined) return { kind: 'removed' };

  let key: Buffer;
  try {
    key = secrets.open(row.sealedKey, toKeyPlace(appRef, provider));
  } catch {
    return { kind: 'unusable', version: row.version, reason: 'sealed_with_another_key' };
  }
  const identity = { id: `${appRef}/${provider}`, version: row.version };
  const credential = openCredential(identity, provider, row, key);
  if (credential === undefined)
    return { kind: 'unusable', version: row.version, reason: 'unusable_key' };
  return { kind: 'usable', credential };
}
