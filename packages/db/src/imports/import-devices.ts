import type { Environment, Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { REGISTRATIONS_LOCK } from '../devices.ts';
import type { Taken } from './import-credentials.ts';

/** A device as it is at the source. */
export interface ImportedDevice {
  readonly sourceId: number;
  readonly appRef: number;
  readonly activationId: string;
  readonly userId: string | null;
  readonly provider: Provider;
  readonly environment: Environment | null;
  readonly pushToken: string;
  readonly active: boolean;
  /** ISO 8601, with microseconds. */
  readonly registeredAt: string;
  /** Of all that was read, 16 bytes in hex. */
  readonly fingerprint: string;
}

/** What of the source a page holds all rows of: ids above `after`, up to `upTo` or to the end. */
export interface SourceRange {
  readonly after: number;
  readonly upTo: number | null;
}

/**
 * Takes a page of devices. What did not change at the source since the last run is left alone, whatever became of it here. Where both
 * changed, the later registration wins; and so does a registration here of the same token for another activation. Devices of the range
 * that are no longer there are noted as departed: see `removeDeparted`.
 */
export async function takeDevices(
  tx: Db,
  importRef: number,
  range: SourceRange,
  devices: readonly ImportedDevice[],
): Promise<ReadonlyMap<Taken, number>> {
  await holdRegistrations(tx);
  await noteGone(tx, importRef, range, devices);
  const { rows } = await sql<{ taken: Taken; count: number }>`
    WITH ${READ_PAGE(importRef, devices)}, ${JUDGE}, ${WRITE(importRef)}
    SELECT CASE verdict WHEN 'replace' THEN 'updated' WHEN 'flag' THEN 'updated' WHEN 'add' THEN 'added' ELSE 'kept' END
      AS taken, count(*) AS count FROM judged GROUP BY 1
    UNION ALL
    SELECT 'unchanged', (SELECT count(*) FROM given) - (SELECT count(*) FROM judged)`.execute(tx);
  const taken = new Map<Taken, number>();
  for (const row of rows) taken.set(row.taken, (taken.get(row.taken) ?? 0) + row.count);
  return taken;
}

/** While it is held nobody registers, and no status is set. Those who do wait for the end of the page. */
async function holdRegistrations(tx: Db): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${REGISTRATIONS_LOCK}::bigint)`.execute(tx);
}

async function noteGone(
  tx: Db,
  importRef: number,
  { after, upTo }: SourceRange,
  devices: readonly ImportedDevice[],
): Promise<void> {
  const ids = devices.map((device) => String(device.sourceId));
  await sql`
    WITH gone AS (
      DELETE FROM imported_devices
      WHERE import_ref = ${importRef} AND source_id > ${after} AND (${upTo}::bigint IS NULL OR source_id <= ${upTo}::bigint)
        AND source_id <> ALL (${ids}::bigint[])
      RETURNING activation_id, registered_at
    )
    INSERT INTO import_departures SELECT ${importRef}, activation_id, registered_at FROM gone
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** `changed`: the rows that are not as they were taken; of an activation that has several, the last. */
function READ_PAGE(importRef: number, devices: readonly ImportedDevice[]) {
  const rows = devices.map((device) => ({
    source_id: device.sourceId,
    app_ref: device.appRef,
    activation_id: device.activationId,
    user_id: device.userId,
    provider: device.provider,
    environment: device.environment,
    push_token: device.pushToken,
    active: device.active,
    registered_at: device.registeredAt,
    fingerprint: device.fingerprint,
  }));
  return sql`
    given AS MATERIALIZED (
      SELECT g.*, decode(g.fingerprint_hex, 'hex') AS fingerprint FROM (
        SELECT r.source_id, r.app_ref, r.activation_id, r.user_id, r.provider, r.environment, r.push_token, r.active,
          r.registered_at, r.fingerprint AS fingerprint_hex
        FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r (
          source_id bigint, app_ref bigint, activation_id text, user_id text, provider text, environment text,
          push_token text, active boolean, registered_at timestamptz, fingerprint text)
      ) g
    ), changed AS MATERIALIZED (
      SELECT DISTINCT ON (g.activation_id) g.*, sha256(convert_to(g.push_token, 'UTF8')) AS push_token_hash,
        t.activation_id AS taken_activation, t.registered_at AS left_at,
        -- Of a row that went over to another activation nothing was taken of that one.
        CASE WHEN t.activation_id = g.activation_id THEN t.active END AS taken_active,
        CASE WHEN t.activation_id = g.activation_id THEN t.registered_at END AS taken_at
      FROM given g
      LEFT JOIN imported_devices t ON t.import_ref = ${importRef} AND t.source_id = g.source_id
      WHERE t.fingerprint IS DISTINCT FROM g.fingerprint
      ORDER BY g.activation_id, g.registered_at DESC
    )`;
}

/** `judged`: what is to become of each of them, and whether its activation is active after that. */
const JUDGE = sql`
  judged AS MATERIALIZED (
    SELECT c.*, d.id AS device_id,
      CASE
        WHEN c.active <> c.taken_active THEN c.active
        WHEN c.taken_active IS NOT NULL THEN coalesce(d.activation_active, a.status = 'ACTIVE', c.active)
        -- Never taken before: what was said here of the activation is newer.
        WHEN NOT a.imported THEN a.status = 'ACTIVE'
        WHEN NOT d.imported THEN d.activation_active
        ELSE c.active
      END AS active_now,
      CASE
        -- The token went to another activation here.
        WHEN EXISTS (
          SELECT FROM devices o
          WHERE o.push_token_hash = c.push_token_hash AND o.app_ref + 0 = c.app_ref
            AND o.activation_id || '' <> c.activation_id AND NOT o.imported AND o.last_registered_at > c.registered_at
        ) THEN 'keep'
        -- It was taken, and deleted here since.
        WHEN d.id IS NULL AND c.registered_at <= c.taken_at THEN 'keep'
        WHEN d.id IS NULL THEN 'add'
        WHEN c.registered_at > d.last_registered_at THEN 'replace'
        WHEN d.imported AND (c.taken_at IS NOT NULL OR c.registered_at = d.last_registered_at) THEN 'replace'
        WHEN c.active <> c.taken_active THEN 'flag'
        ELSE 'keep'
      END AS verdict
    FROM changed c
    LEFT JOIN devices d ON d.activation_id = c.activation_id
    LEFT JOIN activations a ON a.activation_id = c.activation_id
  )`;

function WRITE(importRef: number) {
  return sql`
    added AS (
      INSERT INTO devices (app_ref, activation_id, user_id, provider, environment, push_token, push_token_hash,
        activation_active, last_registered_at, imported)
      SELECT app_ref, activation_id, user_id, provider, environment, push_token, push_token_hash, active_now,
        registered_at, true
      FROM judged WHERE verdict = 'add' ORDER BY source_id
    ), replaced AS (
      -- A token that was found dead stays so, unless it was registered again.
      UPDATE devices d SET app_ref = j.app_ref, user_id = j.user_id, provider = j.provider, environment = j.environment,
        push_token = j.push_token, push_token_hash = j.push_token_hash, activation_active = j.active_now,
        last_registered_at = j.registered_at, imported = true,
        token_deactivated_at = CASE WHEN d.last_registered_at = j.registered_at AND d.push_token_hash = j.push_token_hash
          THEN d.token_deactivated_at END,
        token_deactivated_reason = CASE WHEN d.last_registered_at = j.registered_at AND d.push_token_hash = j.push_token_hash
          THEN d.token_deactivated_reason END
      FROM judged j WHERE j.verdict = 'replace' AND d.id = j.device_id
    ), flagged AS (
      UPDATE devices d SET activation_active = j.active_now FROM judged j WHERE j.verdict = 'flag' AND d.id = j.device_id
    ), enrolled AS (
      -- The source says no more than whether it is active; what is known here in more words stays where it agrees.
      INSERT INTO activations AS a (activation_id, user_id, status, imported)
      SELECT activation_id, CASE WHEN verdict <> 'flag' THEN user_id END, CASE WHEN active_now THEN 'ACTIVE' ELSE 'BLOCKED' END,
        true
      FROM judged WHERE verdict <> 'keep' ORDER BY activation_id
      ON CONFLICT (activation_id) DO UPDATE SET user_id = coalesce(EXCLUDED.user_id, a.user_id), updated_at = now(),
        status = CASE WHEN (a.status = 'ACTIVE') = (EXCLUDED.status = 'ACTIVE') THEN a.status ELSE EXCLUDED.status END,
        imported = a.imported OR (a.status = 'ACTIVE') <> (EXCLUDED.status = 'ACTIVE')
    ), departed AS (
      INSERT INTO import_departures
      SELECT ${importRef}, taken_activation, left_at FROM changed WHERE taken_activation <> activation_id
      ON CONFLICT DO NOTHING
    ), noted AS (
      INSERT INTO imported_devices AS t (import_ref, source_id, activation_id, registered_at, active, fingerprint)
      SELECT ${importRef}, source_id, activation_id, registered_at, active, fingerprint FROM changed
      ON CONFLICT (import_ref, source_id) DO UPDATE SET activation_id = EXCLUDED.activation_id,
        registered_at = EXCLUDED.registered_at, active = EXCLUDED.active, fingerprint = EXCLUDED.fingerprint
    )`;
}

/** How many devices departed at the source, and how many were taken from there. */
export async function countDeparted(
  db: Db,
  importRef: number,
): Promise<{ readonly departed: number; readonly taken: number }> {
  const { rows } = await sql<{ departed: number; taken: number }>`
    SELECT (SELECT count(*) FROM import_departures WHERE import_ref = ${importRef}) AS departed,
      (SELECT count(*) FROM imported_devices WHERE import_ref = ${importRef}) AS taken`.execute(db);
  return rows[0] ?? { departed: 0, taken: 0 };
}

/** Removes some of the departed devices, those that were not registered again here or there. Answers how many it looked at. */
export async function removeDeparted(
  tx: Db,
  importRef: number,
  limit: number,
): Promise<{ readonly read: number; readonly removed: number }> {
  await holdRegistrations(tx);
  const { rows } = await sql<{ read: number; removed: number }>`
    WITH batch AS MATERIALIZED (
      SELECT activation_id, registered_at FROM import_departures WHERE import_ref = ${importRef}
      ORDER BY activation_id, registered_at LIMIT ${limit}
    ), removed AS (
      DELETE FROM devices d USING batch b
      WHERE d.activation_id = b.activation_id AND d.imported AND d.last_registered_at = b.registered_at
      RETURNING d.id
    ), done AS (
      DELETE FROM import_departures p USING batch b
      WHERE p.import_ref = ${importRef} AND p.activation_id = b.activation_id AND p.registered_at = b.registered_at
    )
    SELECT (SELECT count(*) FROM batch) AS read, (SELECT count(*) FROM removed) AS removed`.execute(
    tx,
  );
  return rows[0] ?? { read: 0, removed: 0 };
}
