import { SENDING_STATES } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';

/**
 * Makes so much of each provider's audience due, at least one device; the rest waits. The chunk that holds the boundary is cut in two:
 * nothing of the run was sent yet, so its second half may have other places.
 */
export async function releaseCanary(tx: Db, runId: string, percent: number): Promise<void> {
  await sql`
    WITH sized AS (
      SELECT ordinal, provider, length(outcomes) AS devices,
        sum(length(outcomes)) OVER (PARTITION BY provider ORDER BY ordinal) - length(outcomes) AS devices_before,
        sum(length(outcomes)) OVER (PARTITION BY provider) AS devices_in_all
      FROM campaign_chunks WHERE run_id = ${runId}
    ), shared_out AS (
      -- As a decimal: 1.1 % of 3000 are 33, and in floating point a little more.
      SELECT *, least(devices, ceil(devices_in_all * ${percent}::float8::numeric / 100)::integer - devices_before)::integer AS canaries
      FROM sized
    ), cut AS (
      SELECT s.canaries, row_number() OVER (ORDER BY s.ordinal) - 1 AS nth, c.*
      FROM shared_out s JOIN campaign_chunks c ON c.run_id = ${runId} AND c.ordinal = s.ordinal
      WHERE s.canaries > 0 AND s.canaries < s.devices
    ), rest AS (
      INSERT INTO campaign_chunks
        (run_id, ordinal, provider, first_device_id, last_device_id, device_ids, token_hashes, user_hashes, outcomes, due_at)
      SELECT run_id, (SELECT next_chunk FROM campaign_runs WHERE id = ${runId}) + nth, provider, device_ids[canaries + 1], last_device_id,
        device_ids[canaries + 1:], substring(token_hashes FROM canaries * 16 + 1), user_hashes[canaries + 1:],
        substring(outcomes FROM canaries + 1), 'infinity'
      FROM cut
      RETURNING ordinal
    ), advanced AS (
      UPDATE campaign_runs SET next_chunk = next_chunk + (SELECT count(*) FROM rest) WHERE id = ${runId}
    )
    UPDATE campaign_chunks c SET canary = true, due_at = now(),
      last_device_id = c.device_ids[s.canaries], device_ids = c.device_ids[1:s.canaries],
      token_hashes = substring(c.token_hashes FOR s.canaries * 16), user_hashes = c.user_hashes[1:s.canaries],
      outcomes = substring(c.outcomes FOR s.canaries)
    FROM shared_out s
    WHERE c.run_id = ${runId} AND c.ordinal = s.ordinal AND s.canaries > 0`.execute(tx);
  // Approved before it was frozen: nothing waits.
  await sql`
    UPDATE campaign_chunks SET due_at = now() WHERE run_id = ${runId} AND due_at = 'infinity'
      AND EXISTS (SELECT FROM campaign_runs WHERE id = ${runId} AND approved_at IS NOT NULL)`.execute(
    tx,
  );
}

/** Lets the rest of the audience go. Belongs into a transaction that holds the run. */
export async function approveCanary(tx: Db, id: string): Promise<void> {
  await tx
    .updateTable('campaignRuns')
    .set({ approvedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .where('approvedAt', 'is', null)
    .execute();
  // While the audience is being frozen, its end does this.
  await sql`
    UPDATE campaign_chunks SET due_at = now()
    WHERE run_id = ${id} AND due_at = 'infinity'
      AND EXISTS (SELECT FROM campaign_runs WHERE id = ${id} AND materialised_at IS NOT NULL)`.execute(
    tx,
  );
}

/** Lets the rest of a run go whose canary did well, unless somebody stopped or approved it meanwhile. */
export async function passCanary(db: Db, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const run = await tx
      .selectFrom('campaignRuns')
      .select('id')
      .where('id', '=', id)
      .where('state', 'in', [...SENDING_STATES])
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (run !== undefined) await approveCanary(tx, id);
  });
}

/** Whether every delivery of the canary is final. */
export async function isCanaryDone(db: Db, id: string): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM campaign_chunks WHERE run_id = ${id} AND canary AND due_at IS NOT NULL LIMIT 1`.execute(
    db,
  );
  return rows.length === 0;
}
