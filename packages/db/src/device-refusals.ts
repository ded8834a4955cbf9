import { sql } from 'kysely';

import type { Db } from './database.ts';

/*
 * A customer's proxy may refuse a device, and that is no proof that its push token is dead. A device that is refused three times in a
 * row is handed to the token faults, behind the guard, and starts again from none. A push that the proxy takes, another push token, and
 * a new registration end the row.
 */

/** So many refusals in a row are believed. */
const BELIEVED = 3;
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
  readonly times: number;
  /** When the last one was about to be sent. */
  readonly lastAt: Date;
}

/** A device that was refused so often that its push token is to be noted as faulty. */
export interface RefusedDevice {
  readonly deviceId: number;
  readonly pushTokenHash: Buffer;
  readonly refusedAt: Date;
}

/**
 * Adds to what is known of the devices, one entry for each, and answers those whose row of refusals is long enough; they start anew.
 * Belongs into the transaction that notes the faults.
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

/** Ends rows of devices whose push was taken since, or that registered since. */
async function endRows(tx: Db, answers: readonly DeviceAnswers[]): Promise<void> {
  await sql`
    WITH ended AS (
      SELECT r.device_id FROM device_refusals r
      JOIN unnest(
        ${answers.map((a) => a.deviceId)}::bigint[],
        ${answers.map((a) => a.takenAt?.toISOString() ?? null)}::timestamptz[]
      ) AS i (device_id, taken_at) ON i.device_id = r.device_id
      LEFT JOIN devices d ON d.id = r.device_id
      WHERE r.last_at <= i.taken_at OR r.push_token_hash <> d.push_token_hash OR r.last_at < d.last_registered_at
        OR d.id IS NULL
      ORDER BY r.device_id FOR UPDATE OF r
    )
    DELETE FROM device_refusals WHERE device_id IN (SELECT device_id FROM ended)`.execute(tx);
}

async function lengthenRows(
  tx: Db,
  refused: readonly (Refused & { readonly deviceId: number })[],
): Promise<readonly RefusedDevice[]> {
  // Not of a device that registered after its push was on the way: who was refused is no more.
  const { rows } = await sql<RefusedDevice & { inRow: number }>`
    INSERT INTO device_refusals AS r (device_id, push_token_hash, in_row, last_at)
    SELECT d.id, d.push_token_hash, i.times, i.refused_at
    FROM unnest(
      ${refused.map((one) => one.deviceId)}::bigint[],
      ${refused.map((one) => one.pushTokenHash)}::bytea[],
      ${refused.map((one) => one.times)}::integer[],
      ${refused.map((one) => one.lastAt.toISOString())}::timestamptz[]
    ) AS i (device_id, push_token_hash, times, refused_at)
    JOIN devices d ON d.id = i.device_id AND d.push_token_hash = i.push_token_hash
      AND d.last_registered_at <= i.refused_at
    ORDER BY i.device_id
    ON CONFLICT (device_id) DO UPDATE SET
      push_token_hash = excluded.push_token_hash,
      in_row = excluded.in_row + CASE WHEN r.push_token_hash = excluded.push_token_hash THEN r.in_row ELSE 0 END,
      last_at = greatest(r.last_at, excluded.last_at)
    RETURNING device_id, push_token_hash, in_row, last_at AS refused_at`.execute(tx);
  const believed = rows.filter(({ inRow }) => inRow >= BELIEVED);
  if (believed.length === 0) return [];
  await sql`
    DELETE FROM device_refusals
    WHERE device_id = ANY (${believed.map((row) => row.deviceId)}::bigint[])`.execute(tx);
  return believed.map(({ deviceId, pushTokenHash, refusedAt }) => ({
    deviceId,
    pushTokenHash,
    refusedAt,
  }));
}

/** Forgets rows of refusals that nothing was added to for long. */
export async function deleteOldRefusals(db: Db): Promise<void> {
  await sql`
    DELETE FROM device_refusals WHERE last_at < now() - ${FORGOTTEN_AFTER}::interval`.execute(db);
}
