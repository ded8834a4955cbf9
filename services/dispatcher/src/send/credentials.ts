import type { Provider, SecretBox } from '@heliograph/core';
import { findCredential, toKeyPlace, type Db } from '@heliograph/db';
import type { Credential } from '@heliograph/providers';
import { unpackCertificateFile } from '@heliograph/providers/certificate';

/** A credential ready for use, or why it can't be used. */
export type LoadedCredential =
  | { readonly kind: 'usable'; readonly credential: Credential }
  | { readonly kind: 'unusable'; readonly version: number; readonly reason: string }
  | { readonly kind: 'removed' };

export interface CredentialStore {
  /** The credential in this version, or in the one that has replaced it since. */
  load(appRef: number, provider: Provider, version: number): Promise<LoadedCredential>;
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
  const shared = { id: `${appRef}/${provider}`, version: row.version };
  if ('bundle' in row.settings) {
    const { bundle, ratePerSecond } = row.settings;
    const app = {
      ...shared,
      provider: 'apns',
      route: 'direct',
      environment: row.environment ?? undefined,
      bundle,
      ...(ratePerSecond !== undefined && { ratePerSecond }),
    } as const;
    if ('keyId' in row.settings) {
      const { keyId, teamId } = row.settings;
      return usable({ ...app, auth: 'token', keyId, teamId, privateKey: key });
    }
    const certificateFile = unpackCertificateFile(key);
    if (!certificateFile) return { kind: 'unusable', version: row.version, reason: 'unusable_key' };
    return usable({ ...app, auth: 'certificate', certificateFile });
  }
  return usable({
    ...shared,
    provider: 'fcm',
    route: 'direct',
    ...row.settings,
    serviceAccount: key,
  });
}

function usable(credential: Credential): LoadedCredential {
  return { kind: 'usable', credential };
}
