import type { Provider } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import { tellDevices } from './callback-writes.ts';
import type { Db } from './database.ts';
import { BLOCKED, isStillRefused } from './device-refusals.ts';
import { inScope } from './in-scope.ts';
import { liftPause } from './pauses.ts';
import type { CredentialScope } from './schema.ts';

/*
 * Push tokens that a provider called invalid. A configuration fault of ours (a wrong bundle id, a key of another project, production
 * instead of sandbox) makes a provider call every token invalid, so no token fault is believed at once: it is noted, and applied to
 * the device a minute later, unless by then the guard (`guard.ts`) finds that too many of its scope look like ours.
 *
 *   noted ── applied     the device's token is deactivated
 *     │ └─── moot        the device registered again since, or is gone; or its proxy takes pushes to it again
 *     └ held ── applied | discarded     by an operator
 */

/** A fault is applied when it is that old: time for the guard to see whether it stands alone. */
const APPLY_AFTER = '1 minute';
const MAX_APPLIED_AT_ONCE = 10_000;

export interface TokenFault {
  readonly scope: CredentialScope;
  readonly deviceId: number;
  readonly pushTokenHash: Buffer;
  readonly reason: string;
  readonly kind: 'dead' | 'wrong_place';
  readonly invalidSince: Date;
}

/** Notes faulty tokens; one that is open already is not noted twice. Answers the devices of those that were not. */
export async function noteTokenFaults(
  db: Db,
  faults: readonly TokenFault[],
): Promise<readonly number[]> {
  if (faults.length === 0) return [];
  // Arrays, since a statement has 65,535 parameters at most, and a wrong key brings faults by the thousand.
  const { rows } = await sql<{ deviceId: number }>`
    INSERT INTO token_faults (app_ref, provider, environment, credential_version, device_id, push_token_hash, reason, kind, invalid_since)
    SELECT * FROM unnest(
      ${faults.map((f) => f.scope.appRef)}::bigint[],
      ${faults.map((f) => f.scope.provider)}::text[],
      ${faults.map((f) => f.scope.environment)}::text[],
      ${faults.map((f) => f.scope.credentialVersion)}::bigint[],
      ${faults.map((f) => f.deviceId)}::bigint[],
      ${faults.map((f) => f.pushTokenHash)}::bytea[],
      ${faults.map((f) => f.reason)}::text[],
      ${faults.map((f) => f.kind)}::text[],
      ${faults.map((f) => f.invalidSince.toISOString())}::timestamptz[]
    )
    ON CONFLICT DO NOTHING RETURNING device_id`.execute(db);
  return rows.map(({ deviceId }) => deviceId);
}

/** Noted faults whose minute is over, by scope. */
export async function listRipeScopes(db: Db): Promise<readonly CredentialScope[]> {
  return db
    .selectFrom('tokenFaults')
    .select(['appRef', 'provider', 'environment', 'credentialVersion'])
    .distinct()
    .where('state', '=', 'noted')
    .where('notedAt', '<=', sql<Date>`now() - ${APPLY_AFTER}::interval`)
    .limit(1000)
    .execute();
}

/** Holds the scope's noted faults of a kind for an operator. Answers how many. */
export async function holdFaults(
  db: Db,
  scope: CredentialScope,
  kind: TokenFault['kind'],
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('tokenFaults')
    .set({ state: 'held' })
    .where(inScope(scope))
    .where('kind', '=', kind)
    .where('state', '=', 'noted')
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Deactivates the devices of the scope's ripe faults of a kind. Answers how many devices were. */
export async function applyRipeFaults(
  db: Db,
  scope: CredentialScope,
  kind: TokenFault['kind'],
): Promise<number> {
  const { devices } = await applyFaults(
    db,
    sql`${inScope(scope)} AND kind = ${kind} AND state = 'noted' AND noted_at <= now() - ${APPLY_AFTER}::interval`,
  );
  return devices;
}

/** What the guard holds, by scope and reason. */
export async function listHeldFaults(db: Db) {
  return db
    .selectFrom('tokenFaults')
    .innerJoin('apps', 'apps.id', 'tokenFaults.appRef')
    .select((row) => [
      'apps.appId',
      'tokenFaults.provider',
      'tokenFaults.environment',
      'tokenFaults.kind',
      'tokenFaults.reason',
      row.fn.countAll<number>().as('devices'),
      row.fn.min('notedAt').as('since'),
    ])
    .where('state', '=', 'held')
    .groupBy(['apps.appId', 'tokenFaults.provider', 'environment', 'kind', 'tokenFaults.reason'])
    .orderBy('since')
    .execute();
}

export interface HeldDecision {
  readonly appRef: number;
  readonly provider: Provider;
  /** `apply`: the tokens really are invalid; `discard`: it was our configuration. */
  readonly decision: 'apply' | 'discard';
}

/** Settles everything the guard holds of an app at a provider and lifts its guard pauses. Answers how many faults it settled. */
export async function decideHeldFaults(db: Db, held: HeldDecision): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const mine = sql<boolean>`app_ref = ${held.appRef} AND provider = ${held.provider}`;
    await sql`
      INSERT INTO guard_decisions (app_ref, provider, environment, credential_version, decision)
      SELECT DISTINCT app_ref, provider, environment, credential_version, ${held.decision}
      FROM (
        SELECT app_ref, provider, environment, credential_version FROM token_faults WHERE ${mine} AND state = 'held'
        UNION
        SELECT app_ref, provider, environment, credential_version FROM pauses
        WHERE ${mine} AND scope = 'guard' AND lifted_at IS NULL
      ) concerned`.execute(tx);

    const settled =
      held.decision === 'apply'
        ? await applyHeldFaults(tx, sql`${mine} AND state = 'held'`)
        : await discardFaults(tx, sql`${mine} AND state IN ('held', 'noted')`);
    const pauses = await tx
      .selectFrom('pauses')
      .select('id')
      .where(mine)
      .where('scope', '=', 'guard')
      .where('liftedAt', 'is', null)
      .execute();
    for (const { id } of pauses) await liftPause(tx, id);
    return settled;
  });
}

/** Undoes the deactivation of a push token. Answers how many devices of the app have it back. */
export async function restoreDevice(
  db: Db,
  appRef: number,
  pushTokenHash: Buffer,
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('devices')
    .set({ tokenDeactivatedAt: null, tokenDeactivatedReason: null })
    .where('appRef', '=', appRef)
    .where('pushTokenHash', '=', pushTokenHash)
    .where('tokenDeactivatedAt', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** One statement: a device that registers while it runs is either seen as newer, or registers after and clears the mark. */
async function applyFaults(
  db: Db,
  which: ReturnType<typeof sql>,
): Promise<{ readonly settled: number; readonly devices: number }> {
  const { rows } = await sql<{ settled: number; devices: number }>`
    WITH ripe AS (
      SELECT id, app_ref, device_id, push_token_hash, reason, invalid_since
      FROM token_faults WHERE ${which} LIMIT ${MAX_APPLIED_AT_ONCE} FOR UPDATE SKIP LOCKED
    ), deactivated AS (
      -- Every device with that token in the app: activations that share it share its fate.
      UPDATE devices d SET token_deactivated_at = now(), token_deactivated_reason = ripe.reason
      FROM ripe
      WHERE d.push_token_hash = ripe.push_token_hash AND d.app_ref = ripe.app_ref
        AND d.last_registered_at <= ripe.invalid_since AND d.token_deactivated_at IS NULL
        AND (ripe.reason <> ${BLOCKED} OR ${isStillRefused(sql`ripe.device_id`, sql`ripe.push_token_hash`)})
      RETURNING ripe.id AS fault_id, d.*
    ), told AS (${tellDevices(sql`deactivated`)}
    ), ${forgetRefusals(sql`ripe`)}, settled AS (
      UPDATE token_faults f SET settled_at = now(),
        state = CASE WHEN f.id IN (SELECT fault_id FROM deactivated) THEN 'applied' ELSE 'moot' END
      FROM ripe WHERE f.id = ripe.id AND ${AFTER_FORGETTING}
    )
    SELECT (SELECT count(*)::integer FROM ripe) AS settled, (SELECT count(*)::integer FROM deactivated) AS devices`.execute(
    db,
  );
  return rows[0] ?? { settled: 0, devices: 0 };
}

/** All of them, however many: what stayed behind would wait for a decision that was made. Answers how many faults were settled. */
async function applyHeldFaults(db: Db, which: ReturnType<typeof sql>): Promise<number> {
  let all = 0;
  for (;;) {
    const { settled } = await applyFaults(db, which);
    all += settled;
    if (settled < MAX_APPLIED_AT_ONCE) return all;
  }
}

/** What was said of their devices before does not count any more. */
async function discardFaults(db: Db, which: ReturnType<typeof sql>): Promise<number> {
  const { rows } = await sql<{ settled: number }>`
    WITH discardable AS (
      SELECT id, device_id FROM token_faults WHERE ${which} FOR UPDATE
    ), ${forgetRefusals(sql`discardable`)}, discarded AS (
      UPDATE token_faults f SET state = 'discarded', settled_at = now()
      FROM discardable WHERE f.id = discardable.id AND ${AFTER_FORGETTING} RETURNING f.id
    )
    SELECT count(*)::integer AS settled FROM discarded`.execute(db);
  return rows[0]?.settled ?? 0;
}

/*
 * Whoever notes refusals holds their rows, in the order of the devices, while it notes the faults that they make. So it is done here, or
 * each might wait for the other.
 */

/** Parts of a statement, in which `faults` names a CTE that has locked the faults: their devices begin anew. */
function forgetRefusals(faults: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`refusals AS (
      SELECT r.device_id FROM device_refusals r WHERE r.device_id IN (SELECT device_id FROM ${faults})
      ORDER BY r.device_id FOR UPDATE
    ), forgotten AS (
      DELETE FROM device_refusals r USING refusals WHERE r.device_id = refusals.device_id RETURNING r.device_id
    )`;
}

/** Always true, and known only when nothing is left to be forgotten. */
const AFTER_FORGETTING = sql<boolean>`(SELECT count(*) FROM forgotten) >= 0`;
