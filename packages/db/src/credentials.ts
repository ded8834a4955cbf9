import type { Environment, Provider, SealedPlace } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import { liftPausesOfCredential } from './pauses.ts';
import type { ApnsSettings, FcmSettings, ProxySettings, RouteName } from './schema.ts';

/*
 * The row in `credentials` is the one in use. Where that is a customer's proxy, the app's own credential for the provider, if it has
 * one, stands by in `standby_credentials` until the proxy is removed. Whatever changes one of an app's rows locks the app first, so that
 * of two operators at once the second finds what the first one left.
 */

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

/** A customer's proxy for an app's devices of a provider. */
export interface Proxy {
  readonly appRef: number;
  readonly provider: Provider;
  readonly settings: ProxySettings;
  /** Sealed at the place that `toKeyPlace` names. */
  readonly sealedKey: Buffer;
}

/** Where a credential's key is sealed, in use or standing by. */
export function toKeyPlace(appRef: number, provider: Provider): SealedPlace {
  return { table: 'credentials', column: 'sealed_key', row: `${appRef}/${provider}` };
}

/**
 * Replaces the whole credential. What waited because the old one was at fault goes again. Where a proxy is in use the credential stands
 * by, and nothing else changes.
 */
export async function saveCredential(db: Db, credential: Credential): Promise<void> {
  await db.transaction().execute((tx) => saveCredentialIn(tx, credential));
}

/** `saveCredential` as a part of a transaction. */
export async function saveCredentialIn(tx: Db, credential: Credential): Promise<void> {
  const { settings, ...columns } = credential;
  const values = { ...columns, settings: JSON.stringify(settings) };
  const inUse = await lockRoute(tx, credential.appRef, credential.provider);
  await (inUse === 'proxy' ? putAside(tx, values) : use(tx, { ...values, route: 'direct' }));
}

/** Sends by the proxy from now on, messages that wait included; the app's own credential stands by. */
export async function saveProxy(db: Db, { settings, ...columns }: Proxy): Promise<void> {
  const { appRef, provider } = columns;
  const values = { ...columns, environment: null, settings: JSON.stringify(settings) };
  await db.transaction().execute(async (tx) => {
    const inUse = await lockRoute(tx, appRef, provider);
    const direct = inUse === 'direct' && (await findRow(tx, 'credentials', appRef, provider));
    if (direct) await putAside(tx, direct);
    await use(tx, { ...values, route: 'proxy' });
  });
}

/** The app and its devices stay, and so does a proxy; there may be nothing to remove. */
export async function removeCredential(db: Db, appRef: number, provider: Provider): Promise<void> {
  await db.transaction().execute((tx) => removeCredentialIn(tx, appRef, provider));
}

/** `removeCredential` as a part of a transaction. */
export async function removeCredentialIn(
  tx: Db,
  appRef: number,
  provider: Provider,
): Promise<void> {
  const inUse = await lockRoute(tx, appRef, provider);
  await (inUse === 'proxy'
    ? deleteRow(tx, 'standbyCredentials', appRef, provider)
    : stopUsing(tx, appRef, provider));
}

/** The credential that stood by is in use again, under a new version; there may be none, and there may be no proxy. */
export async function removeProxy(db: Db, appRef: number, provider: Provider): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const inUse = await lockRoute(tx, appRef, provider);
    if (inUse !== 'proxy') return;
    const standby = await findRow(tx, 'standbyCredentials', appRef, provider);
    if (standby === undefined) return stopUsing(tx, appRef, provider);
    await use(tx, { ...standby, route: 'direct' });
    await deleteRow(tx, 'standbyCredentials', appRef, provider);
  });
}

/**
 * The way that is in use, held until the end of the transaction: two changes at once come one after the other, and nobody can pause a new
 * version before the old one's pauses are lifted.
 */
async function lockRoute(
  tx: Db,
  appRef: number,
  provider: Provider,
): Promise<RouteName | undefined> {
  // Not so strong that devices could not be registered meanwhile.
  await tx.selectFrom('apps').select('id').where('id', '=', appRef).forNoKeyUpdate().execute();
  const row = await tx
    .selectFrom('credentials')
    .select('route')
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .executeTakeFirst();
  return row?.route;
}

interface RowValues {
  readonly appRef: number;
  readonly provider: Provider;
  readonly environment: Environment | null;
  /** JSON */
  readonly settings: string;
  readonly sealedKey: Buffer;
}

/** What waited for want of it, or because the one before was at fault, goes again. */
async function use(tx: Db, values: RowValues & { readonly route: RouteName }): Promise<void> {
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
  await liftPausesOfCredential(tx, values.appRef, values.provider);
}

async function stopUsing(tx: Db, appRef: number, provider: Provider): Promise<void> {
  await deleteRow(tx, 'credentials', appRef, provider);
  await liftPausesOfCredential(tx, appRef, provider);
}

async function putAside(tx: Db, values: RowValues): Promise<void> {
  await tx
    .insertInto('standbyCredentials')
    .values(values)
    .onConflict((conflict) =>
      conflict
        .columns(['appRef', 'provider'])
        .doUpdateSet({ ...values, updatedAt: sql<Date>`now()` }),
    )
    .execute();
}

type CredentialTable = 'credentials' | 'standbyCredentials';

async function findRow(
  tx: Db,
  table: CredentialTable,
  appRef: number,
  provider: Provider,
): Promise<RowValues | undefined> {
  return (
    tx
      .selectFrom(table)
      .select(['appRef', 'provider', 'environment', 'sealedKey'])
      .select(sql<string>`settings::text`.as('settings'))
      .where('appRef', '=', appRef)
      .where('provider', '=', provider)
      // What is read here is written to another table: sealed anew in between, it would move as it was.
      .forUpdate()
      .executeTakeFirst()
  );
}

async function deleteRow(
  tx: Db,
  table: CredentialTable,
  appRef: number,
  provider: Provider,
): Promise<void> {
  await tx
    .deleteFrom(table)
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .execute();
}

/** What may be shown of an app's credentials, those that stand by included: everything but the keys. */
export async function listCredentialSettings(db: Db, appRef: number) {
  // One statement, or what is moved meanwhile might be in neither.
  return db
    .selectFrom('credentials')
    .select(['provider', 'environment', 'settings'])
    .where('appRef', '=', appRef)
    .unionAll(
      db
        .selectFrom('standbyCredentials')
        .select(['provider', 'environment', 'settings'])
        .where('appRef', '=', appRef),
    )
    .execute();
}

/** The credential in use as it is stored, key still sealed: for whoever sends with it. */
export async function findCredential(db: Db, appRef: number, provider: Provider) {
  return db
    .selectFrom('credentials')
    .select(['version', 'route', 'environment', 'settings', 'sealedKey'])
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .executeTakeFirst();
}
