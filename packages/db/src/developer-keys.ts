import type { SealedPlace } from '@heliograph/core';
import { sql } from 'kysely';

import { SENDING_ROUTES, type SendingRoute } from './apps.ts';
import type { Db } from './database.ts';

/** Where a developer's secret is sealed. */
export function toDeveloperSecretPlace(secretId: string): SealedPlace {
  return { table: 'developer_secrets', column: 'sealed_secret', row: secretId };
}

export interface NewDeveloperSecret {
  readonly id: string;
  /** Sealed at the place that `toDeveloperSecretPlace` names. */
  readonly sealedSecret: Buffer;
}

export interface NewDeveloperKey {
  readonly developerKey: string;
  readonly appRef: number;
  readonly name: string;
  /** At least one; the first is the default. */
  readonly carriers: readonly string[];
}

/** Stores a key with its first secret. Answers when. */
export async function insertDeveloperKey(
  db: Db,
  key: NewDeveloperKey,
  secret: NewDeveloperSecret,
): Promise<Date> {
  return db.transaction().execute(async (tx) => {
    const { id, createdAt } = await tx
      .insertInto('developerKeys')
      .values({ ...key, carriers: [...key.carriers], disabledAt: null })
      .returning(['id', 'createdAt'])
      .executeTakeFirstOrThrow();
    await insertSecret(tx, id, secret);
    return createdAt;
  });
}

async function insertSecret(tx: Db, developerKeyRef: number, secret: NewDeveloperSecret) {
  await tx
    .insertInto('developerSecrets')
    .values({ ...secret, developerKeyRef, validUntil: null })
    .execute();
}

/** A key as those who check signatures need it. */
export interface SigningKey {
  readonly id: number;
  readonly appRef: number;
  readonly appId: string;
  readonly appName: string | null;
  /** How the app's devices are reached. */
  readonly routes: readonly SendingRoute[];
  readonly carriers: readonly string[];
  /** The current one, and an old one while that is still valid. */
  readonly secrets: readonly { readonly id: string; readonly sealedSecret: Buffer }[];
}

/** A key that is not disabled, with the secrets that are valid by the database's clock. */
export async function findSigningKey(
  db: Db,
  developerKey: string,
): Promise<SigningKey | undefined> {
  const rows = await db
    .selectFrom('developerKeys as k')
    .innerJoin('apps', 'apps.id', 'k.appRef')
    .innerJoin('developerSecrets as s', 's.developerKeyRef', 'k.id')
    .select(['k.id', 'k.appRef', 'apps.appId', 'apps.appName', 'k.carriers'])
    .select(['s.id as secretId', 's.sealedSecret'])
    .select(SENDING_ROUTES.as('routes'))
    .where('developerKey', '=', developerKey)
    .where('disabledAt', 'is', null)
    .where(IS_VALID)
    .orderBy('validUntil', (order) => order.desc().nullsFirst())
    .execute();
  const [first] = rows;
  if (first === undefined) return undefined;
  const { secretId: _, sealedSecret: __, ...key } = first;
  return {
    ...key,
    secrets: rows.map((row) => ({ id: row.secretId, sealedSecret: row.sealedSecret })),
  };
}

const IS_VALID = sql<boolean>`(valid_until IS NULL OR valid_until > now())`;

/** A key as it may be shown: everything but the secrets. */
export interface ListedDeveloperKey {
  readonly developerKey: string;
  readonly name: string;
  readonly carriers: readonly string[];
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
  /** Until when the one before the current secret is valid; null where it is not. */
  readonly oldSecretValidUntil: Date | null;
}

/** The keys of an app, in the order in which they were made. */
export async function listDeveloperKeys(
  db: Db,
  appRef: number,
): Promise<readonly ListedDeveloperKey[]> {
  return db
    .selectFrom('developerKeys as k')
    .select(['developerKey', 'name', 'carriers', 'disabledAt', 'createdAt'])
    .select((select) =>
      select
        .selectFrom('developerSecrets as s')
        .select((max) => max.fn.max('s.validUntil').as('validUntil'))
        .whereRef('s.developerKeyRef', '=', 'k.id')
        .where('s.validUntil', '>', sql<Date>`now()`)
        .as('oldSecretValidUntil'),
    )
    .where('appRef', '=', appRef)
    .orderBy('id')
    .execute();
}

/** The instant of the first call stays. Answers false where there is no such key. */
export async function disableDeveloperKey(db: Db, developerKey: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('developerKeys')
    .set({ disabledAt: sql<Date>`coalesce(disabled_at, now())` })
    .where('developerKey', '=', developerKey)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Answers false where there is no such key. */
export async function enableDeveloperKey(db: Db, developerKey: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('developerKeys')
    .set({ disabledAt: null })
    .where('developerKey', '=', developerKey)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export type RotatedSecret =
  /** `oldValidUntil` is null where the old one ended at once. */
  | { readonly kind: 'rotated'; readonly oldValidUntil: Date | null }
  | { readonly kind: 'unknown_key' }
  /** Two are valid already, and the older one still is, until then. */
  | { readonly kind: 'two_valid'; readonly oldValidUntil: Date };

/**
 * Makes this the current secret. The one that was is valid for `oldValidForSeconds` more; with 0 every other one ends at once, and
 * otherwise nothing changes while two are valid.
 */
export async function rotateDeveloperSecret(
  db: Db,
  developerKey: string,
  secret: NewDeveloperSecret,
  oldValidForSeconds: number,
): Promise<RotatedSecret> {
  return db.transaction().execute(async (tx) => {
    // Of two rotations at once the second waits here, and then sees what the first one did.
    const key = await tx
      .selectFrom('developerKeys')
      .select('id')
      .where('developerKey', '=', developerKey)
      .forUpdate()
      .executeTakeFirst();
    if (key === undefined) return { kind: 'unknown_key' };
    if (oldValidForSeconds > 0) {
      const older = await findOldSecretEnd(tx, key.id);
      if (older !== undefined) return { kind: 'two_valid', oldValidUntil: older };
    }
    const oldValidUntil = await endSecrets(tx, key.id, oldValidForSeconds);
    await insertSecret(tx, key.id, secret);
    return { kind: 'rotated', oldValidUntil: oldValidForSeconds > 0 ? oldValidUntil : null };
  });
}

async function findOldSecretEnd(tx: Db, developerKeyRef: number): Promise<Date | undefined> {
  const old = await tx
    .selectFrom('developerSecrets')
    .select('validUntil')
    .where('developerKeyRef', '=', developerKeyRef)
    .where('validUntil', '>', sql<Date>`now()`)
    .executeTakeFirst();
  return old?.validUntil ?? undefined;
}

/** Every secret that is valid ends after that many seconds. Answers when. */
async function endSecrets(tx: Db, developerKeyRef: number, afterSeconds: number) {
  const { rows } = await sql<{ validUntil: Date }>`
    UPDATE developer_secrets SET valid_until = now() + make_interval(secs => ${afterSeconds})
    WHERE developer_key_ref = ${developerKeyRef} AND ${IS_VALID}
    RETURNING valid_until`.execute(tx);
  return rows[0]?.validUntil ?? null;
}
