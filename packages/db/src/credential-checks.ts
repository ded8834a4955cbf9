import type { Environment, SealedPlace } from '@heliograph/core';
import { sql } from 'kysely';

import type { CredentialSettings } from './credentials.ts';
import type { Db } from './database.ts';
import type { CheckVerdict } from './schema.ts';

/*
 * A credential that is to be checked at its provider before it is saved. The api puts it here and looks for a verdict; a dispatcher takes
 * it under a lease, by this database's clock. Its key is gone with the verdict, or when its time is over.
 */

/** Where a candidate's key is sealed. */
export function toCheckPlace(id: string): SealedPlace {
  return { table: 'credential_checks', column: 'sealed_key', row: id };
}

export type NewCredentialCheck = CredentialSettings & {
  readonly id: string;
  readonly environment: Environment | null;
  /** Sealed at the place that `toCheckPlace` names. */
  readonly sealedKey: Buffer;
};

/** Nobody looks at it after `livesMs`. */
export async function insertCredentialCheck(
  db: Db,
  { settings, ...columns }: NewCredentialCheck,
  livesMs: number,
): Promise<void> {
  await db
    .insertInto('credentialChecks')
    .values({
      ...columns,
      settings: JSON.stringify(settings),
      expiresAt: sql<Date>`now() + ${livesMs}::float8 * interval '1 ms'`,
    })
    .execute();
}

export interface CheckResult {
  readonly verdict: CheckVerdict;
  /** In the provider's words, or ours. */
  readonly reason: string | null;
}

/** Undefined where there is no verdict yet, or no such check any more. */
export async function findCheckResult(db: Db, id: string): Promise<CheckResult | undefined> {
  const row = await db
    .selectFrom('credentialChecks')
    .select(['verdict', 'reason'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.verdict ? { verdict: row.verdict, reason: row.reason } : undefined;
}

export async function deleteCredentialCheck(db: Db, id: string): Promise<void> {
  await db.deleteFrom('credentialChecks').where('id', '=', id).execute();
}

export interface ClaimedCheck extends Omit<NewCredentialCheck, 'settings' | 'provider'> {
  readonly provider: CredentialSettings['provider'];
  readonly settings: CredentialSettings['settings'];
  readonly leaseEpoch: number;
}

/** Takes leases on checks that nobody is at, and erases those whose time is over. */
export async function claimCredentialChecks(
  db: Db,
  limit: number,
  leaseMs: number,
): Promise<readonly ClaimedCheck[]> {
  const { rows } = await sql<ClaimedCheck>`
    WITH erased AS (
      DELETE FROM credential_checks WHERE expires_at <= now()
    ), open AS (
      SELECT id FROM credential_checks
      WHERE verdict IS NULL AND expires_at > now() AND (lease_until IS NULL OR lease_until <= now())
      ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE credential_checks c
    SET lease_until = now() + ${leaseMs}::float8 * interval '1 ms', lease_epoch = c.lease_epoch + 1
    FROM open WHERE c.id = open.id
    RETURNING c.id, c.provider, c.environment, c.settings, c.sealed_key, c.lease_epoch`.execute(db);
  return rows;
}

/** Says what came of it, and erases the candidate's key. Answers false where the lease was lost. */
export async function recordCheckResult(
  db: Db,
  { id, leaseEpoch }: Pick<ClaimedCheck, 'id' | 'leaseEpoch'>,
  { verdict, reason }: CheckResult,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('credentialChecks')
    .set({ verdict, reason, sealedKey: null, leaseUntil: null })
    .where('id', '=', id)
    .where('leaseEpoch', '=', leaseEpoch)
    .where('verdict', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Leaves it to others, at once. */
export async function releaseCheck(
  db: Db,
  { id, leaseEpoch }: Pick<ClaimedCheck, 'id' | 'leaseEpoch'>,
): Promise<void> {
  await db
    .updateTable('credentialChecks')
    .set({ leaseUntil: null })
    .where('id', '=', id)
    .where('leaseEpoch', '=', leaseEpoch)
    .execute();
}
