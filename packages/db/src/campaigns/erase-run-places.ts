import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { FROZEN_PLACE } from '../delivery-trace.ts';
import { addToErasure, type Erasure } from '../user-erasures.ts';
import { MAX_DELIVERIES_PER_CHUNK } from './chunks.ts';
import type { RunPlace } from './run-places.ts';

const PLACES_AT_ONCE = 500;
const RUNS_AT_ONCE = 200;

/**
 * What leads from deliveries of campaigns to the user: the name in exceptions, the hash in chunks. Places are found by the devices that
 * were removed; of a device that was gone before, its hash stays until its chunk is dropped. Answers 0: it does all there is, in parts.
 */
export async function eraseRunPlaces(db: Db, erasure: Erasure): Promise<number> {
  while ((await forgetExceptions(db, erasure)) > 0);
  let after: string | undefined = '00000000-0000-0000-0000-000000000000';
  while (after !== undefined) after = await forgetHashes(db, erasure, after);
  return 0;
}

/** An exception whose chunk still has the hash leads there as well. */
async function forgetExceptions(db: Db, { id, appRef, userId }: Erasure): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<RunPlace>`
      SELECT x.run_id, x.ordinal FROM campaign_exceptions x
      WHERE x.user_id = ${userId} ${appRef === null ? sql`` : sql`AND EXISTS (SELECT FROM campaign_runs r WHERE r.id = x.run_id AND r.app_ref = ${appRef})`}
      ORDER BY x.run_id, x.ordinal LIMIT ${PLACES_AT_ONCE} FOR UPDATE OF x`.execute(tx);
    for (const place of rows) {
      await sql`
        UPDATE campaign_exceptions SET user_id = NULL WHERE run_id = ${place.runId} AND ordinal = ${place.ordinal}`.execute(
        tx,
      );
      await forgetHash(tx, place, userId);
    }
    if (rows.length > 0) await addToErasure(tx, id, { campaignDeliveries: rows.length });
    return rows.length;
  });
}

/** No other column of the chunk: whoever holds a lease on it goes on. */
async function forgetHash(tx: Db, { runId, ordinal }: RunPlace, userId: string): Promise<void> {
  const place = sql`${(ordinal % MAX_DELIVERIES_PER_CHUNK) + 1}::integer`;
  await sql`
    UPDATE campaign_chunks SET user_hashes[${place}] = 0
    WHERE run_id = ${runId} AND ordinal = ${Math.floor(ordinal / MAX_DELIVERIES_PER_CHUNK)}
      AND user_hashes[${place}] = hashtextextended(${userId}::text, 0)`.execute(tx);
}

/** Goes through the next runs after that one; answers where it came to, undefined at the end. */
async function forgetHashes(
  db: Db,
  { id, appRef, userId }: Erasure,
  after: string,
): Promise<string | undefined> {
  const { rows: runs } = await sql<{ id: string }>`
    SELECT id FROM campaign_runs
    WHERE id > ${after}::uuid AND NOT dry_run AND devices_purged_at IS NULL ${appRef === null ? sql`` : sql`AND app_ref = ${appRef}`}
    ORDER BY id LIMIT ${RUNS_AT_ONCE}`.execute(db);
  const { rows: places } = await sql<RunPlace>`
    SELECT run.id AS run_id, c.ordinal
    FROM unnest(${runs.map((run) => run.id)}::uuid[]) AS run (id)
    CROSS JOIN (SELECT unnest(device_ids) AS id FROM user_erasures WHERE id = ${id}) d
    CROSS JOIN LATERAL ${FROZEN_PLACE} c
    WHERE c.user_hash = hashtextextended(${userId}::text, 0)`.execute(db);
  for (const place of places)
    await db.transaction().execute(async (tx) => {
      await forgetHash(tx, place, userId);
      await addToErasure(tx, id, { campaignDeliveries: 1 });
    });
  return runs.length < RUNS_AT_ONCE ? undefined : runs.at(-1)?.id;
}
