import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';

/*
 * A customer's proxy may refuse a device, and that is no proof that its push token is dead. A device that is refused three times in a
 * row is handed to the token faults (`token-faults.ts`), which apply it a minute later behind the guard, if the row still stands then.
 * A push that the proxy took, another push token, and a new registration end a row. Dispatchers tell each other by this table alone,
 * the one late and the other at once, so what is kept are the times: a push that was taken in between ends the part of the row before it.
 */

/** So many refusals in a row are believed. */
const BELIEVED = 3;
/** Why a push token is noted as faulty whose device was refused so often. */
export const BLOCKED = 'blocked';
/** Refusals of so long ago say nothing any more, and rows of devices that are gone have an end. */
const FORGOTTEN_AFTER = '30 days';

/** What a proxy said of one device, in the order of its answers. */
export interface DeviceAnswers {
  readonly deviceId: number;
  /** When the last push that it took was about to be sent, by the database's clock; undefined where it took none. */
  readonly takenAt: Date | undefined;
  /** What it refused since. */
  readonly refused: Refused | undefined;
}

export interface Refused {
  readonly pushTokenHash: Buffer;
  /** When each of them was about to be sent, the last ones where there were many. */
  readonly at: readonly Date[];
}

/** A device that was refused so often that its push token is to be noted as faulty. */
export interface RefusedDevice {
  readonly deviceId: number;
  readonly pushTokenHash: Buffer;
  readonly refusedAt: Date;
}

/**
 * Adds to what is known of the devices, one entry for each, and answers those refused just now whose row is long enough. Belongs into
 * the transaction that notes the faults.
 */
export async function noteDeviceAnswers(
  tx: Db,
  unsorted: readonly DeviceAnswers[],
): Promise<readonly RefusedDevice[]> {
  if (unsorted.length === 0) return [];
  // All statements lock in one order, so that none waits for another that waits for it.
  const answers = unsorted.toSorted((a, b) => a.deviceId - b.deviceId);
  await endRows(tx, answers);
  const refused = answers.flatMap(({ deviceId, refused: one }) =>
    one === undefined ? [] : { deviceId, ...one },
  );
  return refused.length === 0 ? [] : lengthenRows(tx, refused);
}

/** Takes from the rows what was refused before a push was taken, or before the device registered. */
async function endRows(tx: Db, answers: readonly DeviceAnswers[]): Promise<void> {
  await sql`
    WITH ended AS (
      SELECT r.device_id, ARRAY(
        SELECT t FROM unnest(r.refused_at) AS t
        WHERE t > coalesce(i.taken_at, '-infinity') AND t >= d.last_registered_at AND r.push_token_hash = d.push_token_hash
      ) AS refused_at
      FROM device_refusals r
      JOIN unnest(
        ${answers.map((a) => a.deviceId)}::bigint[],
        ${answers.map((a) => a.takenAt?.toISOString() ?? null)}::timestamptz[]
      ) AS i (device_id, taken_at) ON i.device_id = r.device_id
      LEFT JOIN devices d ON d.id = r.device_id
      ORDER BY r.device_id FOR UPDATE OF r
    ), shortened AS (
      UPDATE device_refusals r SET refused_at = ended.refused_at FROM ended
      WHERE r.device_id = ended.device_id AND r.refused_at <> ended.refused_at AND ended.refused_at <> '{}'
    )
    DELETE FROM device_refusals r USING ended WHERE r.device_id = ended.device_id AND ended.refused_at = '{}'`.execute(
    tx,
  );
}

async function lengthenRows(
  tx: Db,
  refused: readonly (Refused & { readonly deviceId: number })[],
): Promise<readonly RefusedDevice[]> {
  const times = refused.flatMap(({ deviceId, pushTokenHash, at }) =>
    at.map((one) => ({ deviceId, pushTokenHash, at: one.toISOString() })),
  );
  // Not of a device that registered after its push was on the way: who was refused is no more.
  const { rows } = await sql<RefusedDevice & { isBelieved: boolean }>`
    INSERT INTO device_refusals AS r (device_id, push_token_hash, refused_at)
    SELECT d.id, d.push_token_hash, ${lastOf(sql`array_agg(i.refused_at)`)}
    FROM unnest(
      ${times.map((one) => one.deviceId)}::bigint[],
      ${times.map((one) => one.pushTokenHash)}::bytea[],
      ${times.map((one) => one.at)}::timestamptz[]
    ) AS i (device_id, push_token_hash, refused_at)
    JOIN devices d ON d.id = i.device_id AND d.push_token_hash = i.push_token_hash
      AND d.last_registered_at <= i.refused_at
    GROUP BY d.id ORDER BY d.id
    ON CONFLICT (device_id) DO UPDATE SET
      push_token_hash = excluded.push_token_hash,
      refused_at = CASE WHEN r.push_token_hash = excluded.push_token_hash
        THEN ${lastOf(sql`r.refused_at || excluded.refused_at`)} ELSE excluded.refused_at END
    RETURNING device_id, push_token_hash, cardinality(refused_at) >= ${BELIEVED} AS is_believed,
      (SELECT max(t) FROM unnest(refused_at) AS t) AS refused_at`.execute(tx);
  return rows
    .filter(({ isBelieved }) => isBelieved)
    .map(({ deviceId, pushTokenHash, refusedAt }) => ({ deviceId, pushTokenHash, refusedAt }));
}

/** No more are needed than are believed. */
function lastOf(times: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`ARRAY(SELECT t FROM unnest(${times}) AS t ORDER BY t DESC LIMIT ${BELIEVED})`;
}

/** Whether the row of a fault's device still stands. */
export function isStillRefused(
  deviceId: RawBuilder<unknown>,
  pushTokenHash: RawBuilder<unknown>,
): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    SELECT FROM device_refusals r
    WHERE r.device_id = ${deviceId} AND r.push_token_hash = ${pushTokenHash} AND cardinality(r.refused_at) >= ${BELIEVED})`;
}

/** Forgets rows of refusals that nothing was added to for long. */
export async function deleteOldRefusals(db: Db): Promise<void> {
  await sql`
    DELETE FROM device_refusals
    WHERE (SELECT max(t) FROM unnest(refused_at) AS t) < now() - ${FORGOTTEN_AFTER}::interval`.execute(
    db,
  );
}
