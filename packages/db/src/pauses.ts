import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import { MAX_DELIVERIES_PER_CHUNK } from './campaigns/chunks.ts';
import type { Db } from './database.ts';
import type { CredentialScope, PausesTable } from './schema.ts';

/** Reason of deliveries that wait because their app has no credential for the provider any more. */
export const NO_CREDENTIAL = 'no_credential';

/** Reason of a breaker: the provider has trouble, or is not reached. */
export const PROVIDER_TROUBLE = 'provider_trouble';

/** When one delivery is let through to see whether the trouble is over: first after so long, then after twice as long each time. */
export interface Probing {
  readonly firstMs: number;
  readonly limitMs: number;
}

/** A bad key or configuration is not repaired in seconds. */
const UNHURRIED: Probing = { firstMs: 5 * 60_000, limitMs: 3_600_000 };

/**
 * Stops a scope and answers the pause, the one that stops it already included. Undefined where the credential was replaced
 * meanwhile: the fault was the old one's, and the delivery may go again at once.
 */
export async function openPause(
  db: Db,
  scope: CredentialScope,
  kind: PausesTable['scope'],
  reason: string,
  { firstMs, limitMs }: Probing = UNHURRIED,
): Promise<number | undefined> {
  // A guard's pause is not probed: one token that works proves nothing about the others. An operator decides.
  const { rows } = await sql<{ id: number }>`
    INSERT INTO pauses AS p (app_ref, provider, environment, credential_version, scope, reason, probe_at,
      probe_interval, probe_limit)
    SELECT ${scope.appRef}, ${scope.provider}, ${scope.environment}, k.version, ${kind}, ${reason},
      CASE WHEN ${kind} <> 'guard' THEN now() + ${toInterval(firstMs)} END, ${toInterval(firstMs)}, ${toInterval(limitMs)}
    FROM credentials k
    WHERE k.app_ref = ${scope.appRef} AND k.provider = ${scope.provider} AND k.version = ${scope.credentialVersion}
    FOR SHARE
    ON CONFLICT (app_ref, provider, environment, credential_version, scope) WHERE lifted_at IS NULL
      -- A fault that has a name says more than a breaker.
      DO UPDATE SET reason = CASE WHEN excluded.reason = ${PROVIDER_TROUBLE} THEN p.reason ELSE excluded.reason END
    RETURNING id`.execute(db);
  return rows[0]?.id;
}

function toInterval(ms: number) {
  return sql`${ms}::float8 * interval '1 ms'`;
}

/**
 * Lets everything of the app at this provider go again: its credential was replaced or removed. Belongs into the transaction that
 * does that. The deliveries become due by `wakeLifted` and `wakeCredentialed`: there may be millions, and a request waits for this.
 */
export async function liftPausesOfCredential(
  db: Db,
  appRef: number,
  provider: Provider,
): Promise<void> {
  await db
    .updateTable('pauses')
    .set({ liftedAt: sql<Date>`now()` })
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .where('liftedAt', 'is', null)
    .execute();
}

/** Answers false where there is no such pause, or it was lifted already. */
export async function liftPause(db: Db, id: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('pauses')
    .set({ liftedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .where('liftedAt', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Lets a pause of an endpoint go again whose probe was answered: whatever the answer, the endpoint is reached and works. */
export async function liftAnsweredPause(db: Db, id: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('pauses')
    .set({ liftedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .where('scope', '=', 'endpoint')
    .where('liftedAt', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** The probe met the trouble again: its delivery waits like the others, and is not let through a second time. */
export async function endProbe(db: Db, id: number): Promise<void> {
  await db.updateTable('pauses').set({ probeDeliveryId: null }).where('id', '=', id).execute();
}

/** Every active pause, oldest first, with the app it concerns. */
export async function listPauses(db: Db) {
  return db
    .selectFrom('pauses')
    .innerJoin('apps', 'apps.id', 'pauses.appRef')
    .select([
      'pauses.id',
      'apps.appId',
      'pauses.provider',
      'pauses.environment',
      'pauses.scope',
      'pauses.reason',
      'pauses.since',
      'pauses.probeAt',
    ])
    .where('liftedAt', 'is', null)
    .orderBy('pauses.id')
    .execute();
}

/**
 * Makes about `limit` deliveries of lifted pauses due, the same share of each, and forgets pauses that hold nothing more. Answers
 * how many it woke.
 */
export async function wakeLifted(db: Db, limit: number): Promise<number> {
  const lifted = await db
    .selectFrom('pauses')
    .select('id')
    .where('liftedAt', 'is not', null)
    .orderBy('liftedAt')
    .limit(100)
    .execute();
  // One app's millions must not keep the deliveries of another asleep.
  const share = Math.ceil(limit / Math.max(lifted.length, 1));
  let woken = 0;
  for (const { id } of lifted) {
    const { numAffectedRows } = await sql`
      UPDATE deliveries SET next_attempt_at = least(next_attempt_at, now()), pause_id = NULL
      WHERE id = ANY (ARRAY(SELECT id FROM deliveries WHERE pause_id = ${id} LIMIT ${share}))
        AND pause_id = ${id}`.execute(db);
    // A chunk of a campaign counts as one: it is one claim.
    const { numAffectedRows: chunks } = await sql`
      UPDATE campaign_chunks c SET due_at = least(c.due_at, now()), pause_id = NULL
      FROM (
        SELECT run_id, ordinal FROM campaign_chunks WHERE pause_id = ${id} LIMIT ${share} FOR UPDATE SKIP LOCKED
      ) held
      WHERE c.run_id = held.run_id AND c.ordinal = held.ordinal AND c.pause_id = ${id}`.execute(db);
    const count = Number(numAffectedRows ?? 0) + Number(chunks ?? 0);
    woken += count;
    // Nothing can be added to a lifted pause (see recordUpdates), so an empty one stays empty.
    if (count === 0) await db.deleteFrom('pauses').where('id', '=', id).execute();
  }
  return woken;
}

/**
 * Makes up to `limit` deliveries due that waited for a credential, where one was saved since. Later than ten minutes after that none
 * is left: each looks again by itself before. Answers how many it woke.
 */
export async function wakeCredentialed(db: Db, limit: number): Promise<number> {
  const waits = sql`d.state = 'pending' AND d.reason = ${sql.lit(NO_CREDENTIAL)} AND d.next_attempt_at > now()`;
  const { numAffectedRows } = await sql`
    UPDATE deliveries d SET next_attempt_at = now()
    WHERE d.id = ANY (ARRAY(
      SELECT d.id FROM credentials k CROSS JOIN LATERAL (
        SELECT d.id FROM deliveries d
        WHERE ${waits} AND d.app_ref = k.app_ref AND d.provider = k.provider LIMIT ${limit}
      ) d
      WHERE k.updated_at > now() - interval '10 minutes' LIMIT ${limit}
    )) AND ${waits}`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/**
 * Lets one delivery of each pause through whose time for a probe has come, of a message or else of a campaign's chunk; the next is due
 * after twice as long, up to the pause's limit. A pause that holds nothing waits with its probe for the first delivery, which then waits no
 * hour. Answers the deliveries of messages that it made due.
 */
export async function startProbes(db: Db): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH due AS (
      SELECT p.id, (
        SELECT d.id FROM deliveries d
        WHERE d.pause_id = p.id AND d.state = 'pending' AND d.next_attempt_at > now() LIMIT 1
      ) AS delivery_id, chunk.run_id, chunk.ordinal
      FROM pauses p
      LEFT JOIN LATERAL (
        SELECT c.run_id, c.ordinal FROM campaign_chunks c
        JOIN campaign_runs r ON r.id = c.run_id AND r.state IN ('materialising', 'running')
        WHERE c.pause_id = p.id LIMIT 1
      ) chunk ON true
      WHERE p.lifted_at IS NULL AND p.probe_at <= now() FOR UPDATE OF p SKIP LOCKED
    ), probing_chunk AS (
      UPDATE campaign_chunks c SET due_at = now() FROM due
      WHERE due.delivery_id IS NULL AND c.run_id = due.run_id AND c.ordinal = due.ordinal AND NOT c.leased
    ), probing AS (
      UPDATE pauses p SET
        probe_at = now() + least(p.probe_interval * 2, p.probe_limit),
        probe_interval = least(p.probe_interval * 2, p.probe_limit),
        -- Of a chunk the id of its first delivery stands for whichever is sent.
        probe_delivery_id = coalesce(due.delivery_id, (
          left(due.run_id::text, 28) || lpad(to_hex(due.ordinal::bigint * ${MAX_DELIVERIES_PER_CHUNK}::bigint + 1), 8, '0'))::uuid)
      FROM due WHERE p.id = due.id AND coalesce(due.delivery_id, due.run_id) IS NOT NULL
      RETURNING p.probe_delivery_id
    )
    UPDATE deliveries d SET next_attempt_at = now() FROM probing
    WHERE d.id = probing.probe_delivery_id RETURNING d.id`.execute(db);
  return rows.map((row) => row.id);
}
