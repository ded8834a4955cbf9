import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { CredentialScope, PausesTable } from './schema.ts';

/** Reason of deliveries that wait because their app has no credential for the provider any more. */
export const NO_CREDENTIAL = 'no_credential';

/**
 * Stops a scope and answers the pause, the one that stops it already included. Undefined where the credential was replaced
 * meanwhile: the fault was the old one's, and the delivery may go again at once.
 */
export async function openPause(
  db: Db,
  scope: CredentialScope,
  kind: PausesTable['scope'],
  reason: string,
): Promise<number | undefined> {
  // A guard's pause is not probed: one token that works proves nothing about the others. An operator decides.
  const { rows } = await sql<{ id: number }>`
    INSERT INTO pauses AS p (app_ref, provider, environment, credential_version, scope, reason, probe_at)
    SELECT ${scope.appRef}, ${scope.provider}, ${scope.environment}, k.version, ${kind}, ${reason},
      CASE WHEN ${kind} <> 'guard' THEN now() + interval '5 minutes' END
    FROM credentials k
    WHERE k.app_ref = ${scope.appRef} AND k.provider = ${scope.provider} AND k.version = ${scope.credentialVersion}
    FOR SHARE
    ON CONFLICT (app_ref, provider, environment, credential_version, scope) WHERE lifted_at IS NULL
      DO UPDATE SET reason = excluded.reason
    RETURNING id`.execute(db);
  return rows[0]?.id;
}

/**
 * Lets everything of the app at this provider go again: its credential was replaced or removed. Belongs into the transaction that
 * does that. The deliveries become due by `wakeLifted`.
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
  await sql`
    UPDATE deliveries SET next_attempt_at = now()
    WHERE state = 'pending' AND next_attempt_at > now() AND reason = ${NO_CREDENTIAL}
      AND app_ref = ${appRef} AND provider = ${provider}`.execute(db);
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

/** Makes up to `limit` deliveries of lifted pauses due, and forgets pauses that hold nothing more. Answers how many it woke. */
export async function wakeLifted(db: Db, limit: number): Promise<number> {
  const lifted = await db
    .selectFrom('pauses')
    .select('id')
    .where('liftedAt', 'is not', null)
    .limit(100)
    .execute();
  let woken = 0;
  for (const { id } of lifted) {
    if (woken >= limit) break;
    const { numAffectedRows } = await sql`
      UPDATE deliveries SET next_attempt_at = least(next_attempt_at, now()), pause_id = NULL
      WHERE id IN (SELECT id FROM deliveries WHERE pause_id = ${id} LIMIT ${limit - woken})`.execute(
      db,
    );
    const count = Number(numAffectedRows ?? 0);
    woken += count;
    // Nothing can be added to a lifted pause (see recordUpdates), so an empty one stays empty.
    if (count === 0) await db.deleteFrom('pauses').where('id', '=', id).execute();
  }
  return woken;
}

/** Lets one delivery of each pause through whose time for a probe has come; the next is due after twice as long, an hour at most. */
export async function startProbes(db: Db): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH due AS (
      SELECT id FROM pauses WHERE lifted_at IS NULL AND probe_at <= now() FOR UPDATE SKIP LOCKED
    ), probing AS (
      UPDATE pauses p SET
        probe_at = now() + least(p.probe_interval * 2, interval '1 hour'),
        probe_interval = least(p.probe_interval * 2, interval '1 hour'),
        probe_delivery_id = (
          SELECT d.id FROM deliveries d
          WHERE d.pause_id = p.id AND d.state = 'pending' AND d.next_attempt_at > now() LIMIT 1
        )
      FROM due WHERE p.id = due.id
      RETURNING p.probe_delivery_id
    )
    UPDATE deliveries d SET next_attempt_at = now() FROM probing
    WHERE d.id = probing.probe_delivery_id RETURNING d.id`.execute(db);
  return rows.map((row) => row.id);
}
