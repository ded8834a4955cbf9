import { PROVIDERS, type Provider } from '@heliograph/core';
import { sql } from 'kysely';

import { tellDevices } from './callback-writes.ts';
import type { Db } from './database.ts';

/*
 * Devices that did not register for long are most likely gone, and their push tokens are deactivated like those that a provider calls
 * dead: softly, until they register again. A client that stopped to register by mistake makes every device look like that. So an app at a
 * provider is looked at once a day, and held for an operator where too many of its devices are stale, or none registered lately.
 */

const LOOK_EVERY = '1 day';
/** Those that went in so many days count as well: a little every day empties an app, too. */
const WINDOW = '30 days';
/** An app in which nobody registered for that long has another trouble than stale devices. */
const SILENCE = '7 days';

export interface StaleRules {
  /** Devices are stale that registered last before so many days. */
  readonly days: number;
  /** Of an app's devices at a provider, so many percent may go in 30 days without an operator. */
  readonly maxPercent: number;
}

/** An app at a provider whose daily look has come, or that an operator let go. */
export interface StaleScope {
  readonly appRef: number;
  readonly provider: Provider;
  /** An operator lets those go that registered last before then. */
  readonly approvedBefore: Date | null;
}

export async function listStaleScopes(db: Db): Promise<readonly StaleScope[]> {
  const { rows } = await sql<StaleScope>`
    SELECT a.id AS app_ref, p.provider, s.approved_before
    FROM apps a CROSS JOIN unnest(${PROVIDERS}::text[]) AS p (provider)
    LEFT JOIN stale_checks s ON s.app_ref = a.id AND s.provider = p.provider
    WHERE s.checked_at IS NULL OR s.checked_at < now() - ${LOOK_EVERY}::interval OR s.approved_before IS NOT NULL
    ORDER BY s.checked_at NULLS FIRST LIMIT 100`.execute(db);
  return rows;
}

export type StaleHold = 'too_many' | 'no_registrations';

/** What a look found. */
export interface StaleCount {
  /** Whose push tokens are not deactivated, the stale ones included. */
  readonly devices: number;
  readonly stale: number;
  /** They registered last before then. */
  readonly staleBefore: Date;
  /** Null: they may go. */
  readonly heldBecause: StaleHold | null;
}

/** Counts the stale devices of a scope, judges whether they may go, and writes down both. It reads every device of the app once. */
export async function lookForStale(
  db: Db,
  { appRef, provider }: StaleScope,
  { days, maxPercent }: StaleRules,
): Promise<StaleCount> {
  const { rows } = await sql<StaleCount>`
    WITH counted AS MATERIALIZED (
      SELECT count(*) FILTER (WHERE token_deactivated_at IS NULL) AS devices,
        count(*) FILTER (WHERE token_deactivated_at IS NULL AND last_registered_at < now() - ${days}::integer * interval '1 day') AS stale,
        count(*) FILTER (WHERE token_deactivated_reason = 'stale' AND token_deactivated_at > greatest(
          now() - ${WINDOW}::interval,
          (SELECT settled_at FROM stale_checks WHERE app_ref = ${appRef} AND provider = ${provider}))) AS gone,
        max(last_registered_at) AS last_at
      FROM devices WHERE app_ref = ${appRef} AND provider = ${provider}
    ), judged AS (
      SELECT *, CASE
        WHEN stale = 0 THEN NULL
        WHEN last_at < now() - ${SILENCE}::interval THEN 'no_registrations'
        WHEN stale + gone > (devices + gone) * ${maxPercent}::float8 / 100 THEN 'too_many'
      END AS held_because
      FROM counted
    )
    INSERT INTO stale_checks AS s (app_ref, provider, devices, stale, stale_before, held_because, held_since)
    SELECT ${appRef}, ${provider}, devices, stale, now() - ${days}::integer * interval '1 day', held_because,
      CASE WHEN held_because IS NOT NULL THEN now() END FROM judged
    ON CONFLICT (app_ref, provider) DO UPDATE SET checked_at = now(), devices = excluded.devices, stale = excluded.stale,
      stale_before = excluded.stale_before, held_because = excluded.held_because,
      held_since = CASE WHEN excluded.held_because IS NOT NULL THEN coalesce(s.held_since, excluded.held_since) END
    RETURNING devices, stale, stale_before, held_because`.execute(db);
  const [count] = rows;
  if (count === undefined) throw new Error('a statement answered no row');
  return count;
}

/** Deactivates up to `limit` push tokens of devices that registered last before then. Answers how many; a registration meanwhile wins. */
export async function deactivateStale(
  db: Db,
  { appRef, provider }: Pick<StaleScope, 'appRef' | 'provider'>,
  before: Date,
  limit: number,
): Promise<number> {
  const isStale = sql`last_registered_at < ${before} AND token_deactivated_at IS NULL`;
  const { rows } = await sql<{ devices: number }>`
    WITH stale AS MATERIALIZED (
      SELECT id FROM devices
      WHERE id = ANY (ARRAY(
        SELECT id FROM devices WHERE app_ref = ${appRef} AND provider = ${provider} AND ${isStale} LIMIT ${limit}
      )) AND ${isStale} ORDER BY id FOR UPDATE
    ), deactivated AS (
      UPDATE devices d SET token_deactivated_at = now(), token_deactivated_reason = 'stale'
      FROM stale WHERE d.id = stale.id RETURNING d.*
    ), told AS (${tellDevices(sql`deactivated`)})
    SELECT count(*)::integer AS devices FROM deactivated`.execute(db);
  return rows[0]?.devices ?? 0;
}

/** An operator's word is kept: nothing is held, and what went by it counts no more. */
export async function settleApproval(
  db: Db,
  { appRef, provider }: Pick<StaleScope, 'appRef' | 'provider'>,
): Promise<void> {
  await db
    .updateTable('staleChecks')
    .set({
      approvedBefore: null,
      heldSince: null,
      heldBecause: null,
      settledAt: sql<Date>`now()`,
    })
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .execute();
}

/** What the looks found that is held, the longest first. */
export async function listHeldStale(db: Db) {
  return db
    .selectFrom('staleChecks')
    .innerJoin('apps', 'apps.id', 'staleChecks.appRef')
    .select([
      'apps.appId',
      'staleChecks.provider',
      'devices',
      'stale',
      'heldBecause as reason',
      'heldSince as since',
      'checkedAt',
    ])
    .where('heldSince', 'is not', null)
    .where('approvedBefore', 'is', null)
    .orderBy('heldSince')
    .execute();
}

/**
 * An operator has looked: what was stale when it was counted may go. Answers how many devices that were; undefined where nothing is held.
 * A dispatcher deactivates them.
 */
export async function approveHeldStale(
  db: Db,
  appRef: number,
  provider: Provider,
): Promise<number | undefined> {
  const { rows } = await sql<{ stale: number }>`
    UPDATE stale_checks SET approved_before = stale_before
    WHERE app_ref = ${appRef} AND provider = ${provider} AND held_since IS NOT NULL AND approved_before IS NULL
    RETURNING stale`.execute(db);
  return rows[0]?.stale;
}
