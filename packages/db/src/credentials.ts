import type { Environment, Provider, SealedPlace } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import { liftPausesOfCredential } from './pauses.ts';
import type { ApnsSettings, FcmSettings } from './schema.ts';

export type CredentialSettings =
  | { readonly provider: 'apns'; readonly settings: ApnsSettings }
  | { readonly provider: 'fcm'; readonly settings: FcmSettings };

/** One provider key of an app and the public part of it. */
export type Credential = CredentialSettings & {
  readonly appRef: number;
  /** Which host of APNs it is for; null leaves that to the default. */
  readonly environment: Environment | null;
  /** Sealed at the place that `toKeyPlace` names. */
  readonly sealedKey: Buffer;
};

/** Where a credential's key is sealed. */
export function toKeyPlace(appRef: number, provider: Provider): SealedPlace {
  return { table: 'credentials', column: 'sealed_key', row: `${appRef}/${provider}` };
}

/** Replaces the whole credential. What waited because the old one was at fault goes again. */
export async function saveCredential(db: Db, credential: Credential): Promise<void> {
  // One transaction: nobody can pause the new version before the old one's pauses are lifted.
  await db.transaction().execute((tx) => saveCredentialIn(tx, credential));
}

/** `saveCredential` as a part of a transaction. */
export async function saveCredentialIn(tx: Db, credential: Credential): Promise<void> {
  const { settings, ...columns } = credential;
  const values = { ...columns, settings: JSON.stringify(settings) };
  await tx
    .insertInto('credentials')
    .values(values)
    .onConflict((conflict) =>
      conflict.columns(['appRef', 'provider']).doUpdateSet({
        ...values,
        // Never a version again, or an old fault would be held against the new key.
        version: sql<number>`nextval('credential_versions')`,
        updatedAt: sql<Date>`now()`,
      }),
    )
    .execute();
  await liftPausesOfCredential(tx, credential.appRef, credential.provider);
}

/** The app and its devices stay; there may be nothing to remove. */
export async function removeCredential(db: Db, appRef: number, provider: Provider): Promise<void> {
  await db.transaction().execute((tx) => removeCredentialIn(tx, appRef, provider));
}

/** `removeCredential` as a part of a transaction. */
export async function removeCredentialIn(
  tx: Db,
  appRef: number,
  provider: Provider,
): Promise<void> {
  await tx
    .deleteFrom('credentials')
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .execute();
  await liftPausesOfCredential(tx, appRef, provider);
}

/** What may be shown of an app's credentials: everything but the keys. */
export async function listCredentialSettings(db: Db, appRef: number) {
  return db
    .selectFrom('credentials')
    .select(['provider', 'environment', 'settings'])
    .where('appRef', '=', appRef)
    .execute();
}

/** The credential as it is stored, key still sealed: for whoever sends with it. */
export async function findCredential(db: Db, appRef: number, provider: Provider) {
  return db
    .selectFrom('credentials')
    .select(['version', 'environment', 'settings', 'sealedKey'])
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .executeTakeFirst();
}
