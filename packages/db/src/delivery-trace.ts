import { toMessageId, type DeliveryState, type Provider } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import { MAX_DELIVERIES_PER_CHUNK } from './campaigns/chunks.ts';
import type { RunPlace } from './campaigns/run-places.ts';
import type { Db } from './database.ts';
import type { AttemptRecord } from './schema.ts';

/*
 * Where is my push? Messages are found by their user, campaigns by the user's devices: each of them has one place at most in a run,
 * and an index leads to it. All of it is bounded, whatever a user has or was sent.
 */

/** Of a user with more devices than this, those that registered last are traced. */
const MAX_DEVICES = 20;
/** So many messages of the user are looked through for deliveries. */
const MAX_MESSAGES = 1000;
/** So many of an app's runs. */
const MAX_RUNS = 100;

/** A device as it is registered now. */
export interface TracedDevice {
  readonly id: number;
  readonly appRef: number;
  readonly userId: string | null;
}

/** The device with that id, or of that activation. */
export async function findTracedDevice(
  db: Db,
  key: { readonly deviceId: number } | { readonly activationId: string },
): Promise<TracedDevice | undefined> {
  const select = db.selectFrom('devices').select(['id', 'appRef', 'userId']);
  return 'deviceId' in key
    ? select.where('id', '=', key.deviceId).executeTakeFirst()
    : select.where('activationId', '=', key.activationId).executeTakeFirst();
}

/** What narrows a trace down. */
export interface TraceBounds {
  /** Undefined: in every app. */
  readonly appRef: number | undefined;
  readonly limit: number;
}

/** A delivery of a message. */
export interface MessageDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly appId: string;
  /** Whom the message was for; null for one to a push token that was nobody's. */
  readonly userId: string | null;
  /** What the message named, or the device's while it is the user's; null where it is gone. */
  readonly activationId: string | null;
  /** When the message was accepted. */
  readonly createdAt: Date;
  readonly deviceId: number;
  readonly provider: Provider;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly finishedAt: Date | null;
  readonly providerMessageId: string | null;
  readonly history: readonly AttemptRecord[] | null;
}

/** Deliveries of the user's messages, or those to one device, the latest first. */
export async function listUserDeliveries(
  db: Db,
  { userId, deviceId }: { readonly userId: string; readonly deviceId?: number | undefined },
  { appRef, limit }: TraceBounds,
): Promise<readonly MessageDelivery[]> {
  // By the primary key alone: see DELIVERIES_OF_MESSAGE in messages.ts. The bounds of each message let other partitions be passed over.
  const { rows } = await selectMessageDeliveries(sql`
    SELECT d.*, m.user_id, m.activation_id, m.created_at
    FROM (
      SELECT id, (left(id::text, 32) || 'ffff')::uuid AS last, user_id, activation_id, created_at FROM messages
      WHERE user_id = ${userId} ${inApp(appRef)} ORDER BY id DESC LIMIT ${MAX_MESSAGES}
    ) m
    CROSS JOIN LATERAL (
      SELECT * FROM deliveries WHERE id > m.id AND id <= m.last ${deviceId === undefined ? sql`` : sql`AND device_id = ${deviceId}`}
      ORDER BY id DESC LIMIT ${limit}
    ) d
    ORDER BY m.id DESC, d.id DESC LIMIT ${limit}`).execute(db);
  return rows;
}

/** The delivery of a message that has this id. */
export async function findMessageDelivery(
  db: Db,
  deliveryId: string,
): Promise<MessageDelivery | undefined> {
  const { rows } = await selectMessageDeliveries(sql`
    SELECT d.*, m.user_id, m.activation_id, m.created_at
    FROM deliveries d JOIN messages m ON m.id = ${toMessageId(deliveryId)}
    WHERE d.id = ${deliveryId}`).execute(db);
  return rows[0];
}

/** With what stands elsewhere, looked up for those few that are answered. */
function selectMessageDeliveries(hits: RawBuilder<unknown>) {
  return sql<MessageDelivery>`
    WITH hit AS MATERIALIZED (${hits})
    SELECT h.id, h.message_id, a.app_id, h.user_id, coalesce(h.activation_id, v.activation_id) AS activation_id, h.created_at, h.device_id,
      h.provider, h.state, h.reason, h.attempts, h.next_attempt_at, h.finished_at, h.provider_message_id, h.history
    FROM hit h
    JOIN apps a ON a.id = h.app_ref
    LEFT JOIN devices v ON v.id = h.device_id AND v.user_id IS NOT DISTINCT FROM h.user_id
    ORDER BY h.id DESC`;
}

/**
 * Places in runs of devices that are the user's and were it when the audience was frozen, and of those with an exception that were then;
 * the latest runs first. What was sent to a device that is gone names its user nowhere.
 */
export async function listUserPlaces(
  db: Db,
  userId: string,
  { appRef, limit }: TraceBounds,
): Promise<readonly RunPlace[]> {
  const ofUser = sql`hashtextextended(${userId}::text, 0)`;
  const places = sql<RunPlace>`
    WITH device AS MATERIALIZED (
      SELECT id, app_ref FROM devices WHERE user_id = ${userId} ${inApp(appRef)}
      ORDER BY last_registered_at DESC LIMIT ${MAX_DEVICES}
    ), run AS MATERIALIZED (
      SELECT r.* FROM (SELECT DISTINCT app_ref FROM device) a CROSS JOIN LATERAL (
        SELECT id, app_ref, ${STARTED_AT} AS created_at FROM campaign_runs
        WHERE app_ref = a.app_ref AND NOT dry_run ORDER BY id DESC LIMIT ${MAX_RUNS}
      ) r
    ), frozen AS (
      SELECT run.id AS run_id, c.ordinal, run.created_at
      FROM run JOIN device d ON d.app_ref = run.app_ref CROSS JOIN LATERAL ${FROZEN_PLACE} c
      WHERE c.user_hash = ${ofUser}
    ), excepted AS (
      SELECT x.run_id, x.ordinal, coalesce(r.started_at, r.created_at) AS created_at
      FROM campaign_exceptions x JOIN campaign_runs r ON r.id = x.run_id
      WHERE x.user_id = ${userId} ${inApp(appRef)} AND (
        SELECT c.user_hashes[(x.ordinal % ${MAX_DELIVERIES_PER_CHUNK}::bigint)::integer + 1] FROM campaign_chunks c
        WHERE c.run_id = x.run_id AND c.ordinal = x.ordinal / ${MAX_DELIVERIES_PER_CHUNK}::bigint) = ${ofUser}
      ORDER BY x.run_id DESC LIMIT ${limit}
    )
    SELECT run_id, ordinal FROM (SELECT * FROM frozen UNION SELECT * FROM excepted) place
    ORDER BY created_at DESC, run_id DESC, ordinal DESC LIMIT ${limit}`;
  return db.transaction().execute(async (tx) => {
    // Compiling would take longer than all of it: what is planned for is many probes.
    await sql`SET LOCAL jit = off`.execute(tx);
    const { rows } = await places.execute(tx);
    return rows;
  });
}

/** Places of the device in runs, the latest first, whoever's it was. It need not exist any more: then an app, or all, are looked through. */
export async function listDevicePlaces(
  db: Db,
  deviceId: number,
  { appRef, limit }: TraceBounds,
): Promise<readonly RunPlace[]> {
  const { rows } = await sql<RunPlace>`
    WITH run AS MATERIALIZED (
      SELECT id, ${STARTED_AT} AS created_at FROM campaign_runs
      WHERE NOT dry_run ${inApp(appRef)} ORDER BY campaign_runs.id DESC LIMIT ${MAX_RUNS}
    )
    SELECT run.id AS run_id, c.ordinal
    FROM run CROSS JOIN (VALUES (${deviceId}::bigint)) AS d (id) CROSS JOIN LATERAL ${FROZEN_PLACE} c
    ORDER BY run.created_at DESC, run.id DESC, c.ordinal DESC LIMIT ${limit}`.execute(db);
  return rows;
}

const STARTED_AT = sql`coalesce(started_at, created_at)`;

/**
 * Where `d` is in `run`, and the hash of whose it was: one probe of the index per provider, since a device may have changed that, too.
 * Arrays are fetched where the device is in their range only.
 */
export const FROZEN_PLACE = sql`(
  SELECT c.ordinal::bigint * ${MAX_DELIVERIES_PER_CHUNK}::bigint + c.index AS ordinal, c.user_hashes[c.index + 1] AS user_hash
  FROM (VALUES ('apns'), ('fcm')) AS p (provider) CROSS JOIN LATERAL (
    SELECT ordinal, user_hashes, CASE WHEN d.id <= last_device_id THEN array_position(device_ids, d.id) - 1 END AS index
    FROM campaign_chunks WHERE run_id = run.id AND provider = p.provider AND first_device_id <= d.id
    ORDER BY first_device_id DESC LIMIT 1
  ) c
  WHERE c.index IS NOT NULL)`;

function inApp(appRef: number | undefined) {
  return appRef === undefined ? sql`` : sql`AND app_ref = ${appRef}`;
}
