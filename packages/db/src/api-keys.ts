import { createApiKey, type Scope } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: for every app. */
  readonly appRef: number | null;
  /** Requests per second over all servers; null: what the environment says, 0: no limit. */
  readonly ratePerSecond: number | null;
  readonly expiresAt: Date | null;
}

/** A key without its secret. */
export interface ListedApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The app that it is bound to; null: every app. */
  readonly appId: string | null;
  readonly ratePerSecond: number | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** True to a minute. */
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

/** A key as those need it who look at what callers show. */
export interface StoredApiKey {
  readonly id: string;
  readonly name: string;
  readonly secretHash: Buffer;
  readonly scopes: readonly Scope[];
  readonly app: { readonly ref: number; readonly appId: string } | null;
  readonly ratePerSecond: number | null;
  readonly expiresAt: Date | null;
}

/** Makes a key, and answers its whole text, which nobody can make again. */
export async function insertApiKey(
  db: Db,
  { scopes, ...key }: NewApiKey,
): Promise<{ readonly id: string; readonly text: string; readonly createdAt: Date }> {
  const { id, text, secretHash } = createApiKey();
  const { createdAt } = await db
    .insertInto('apiKeys')
    .values({ ...key, id, secretHash, scopes: [...scopes], revokedAt: null, lastUsedAt: null })
    .returning('createdAt')
    .executeTakeFirstOrThrow();
  return { id, text, createdAt };
}

/** Those of the keys that exist and are not revoked. Whether their time is over is for the caller to see. */
export async function findApiKeys(
  db: Db,
  ids: readonly string[],
): Promise<readonly StoredApiKey[]> {
  const { rows } = await sql<StoredApiKey>`
    SELECT k.id, k.name, k.secret_hash, k.scopes, k.rate_per_second, k.expires_at,
      CASE WHEN a.id IS NOT NULL THEN json_build_object('ref', a.id, 'appId', a.app_id) END AS app
    FROM api_keys k LEFT JOIN apps a ON a.id = k.app_ref
    WHERE k.id = ANY (${ids}::text[]) AND k.revoked_at IS NULL`.execute(db);
  return rows;
}

/** All keys, or those that are bound to the app; revoked ones too. In the order in which they were made. */
export async function listApiKeys(
  db: Db,
  appRef: number | undefined,
): Promise<readonly ListedApiKey[]> {
  const all = db
    .selectFrom('apiKeys as k')
    .leftJoin('apps', 'apps.id', 'k.appRef')
    .select(['k.id', 'k.name', 'k.scopes', 'apps.appId', 'k.ratePerSecond'])
    .select(['k.expiresAt', 'k.revokedAt', 'k.lastUsedAt', 'k.createdAt'])
    .orderBy('k.createdAt')
    .orderBy('k.id');
  return (appRef === undefined ? all : all.where('k.appRef', '=', appRef)).execute();
}

/** The instant of the first call stays. Answers false where there is no such key. */
export async function revokeApiKey(db: Db, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('apiKeys')
    .set({ revokedAt: sql<Date>`coalesce(revoked_at, now())` })
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Notes that the keys were used. One of which that was noted within 50 seconds, by any server, is left alone. */
export async function noteApiKeysUsed(db: Db, ids: readonly string[]): Promise<void> {
  // Locked in one order, or two servers that note the same keys could wait for each other.
  await sql`
    UPDATE api_keys k SET last_used_at = now()
    FROM (
      SELECT id FROM api_keys
      WHERE id = ANY (${ids}::text[]) AND (last_used_at IS NULL OR last_used_at < now() - interval '50 seconds')
      ORDER BY id FOR NO KEY UPDATE
    ) used
    WHERE k.id = used.id`.execute(db);
}
