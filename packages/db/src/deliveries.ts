import type { DeliveryState, Environment, MessageBody, Priority, Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { AttemptRecord, PausesTable } from './schema.ts';

/** A delivery under lease, with all that is needed to send it. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly appRef: number;
  readonly provider: Provider;
  readonly attempts: number;
  readonly ambiguousAttempts: number;
  readonly leaseEpoch: number;
  /** By the database's clock, as registrations are. */
  readonly claimedAt: Date;
  /** ISO instant of the first attempt; null while there was none. */
  readonly firstAttemptAt: string | null;
  readonly userId: string;
  readonly activationId: string | null;
  readonly silent: boolean;
  readonly personal: boolean;
  readonly priority: Priority;
  readonly body: MessageBody;
  readonly awaited: boolean;
  readonly expiresAt: Date;
  readonly deviceId: number;
  /** Null where the device was removed since. */
  readonly device: {
    readonly userId: string | null;
    readonly activationId: string;
    readonly activationActive: boolean;
    readonly provider: Provider;
    readonly environment: Environment | null;
    readonly pushToken: string;
    readonly tokenDeactivated: boolean;
  } | null;
  /** Null where the app's credential was removed since. */
  readonly credential: {
    readonly version: number;
    readonly environment: Environment | null;
  } | null;
  /** Active pauses of the app at this provider, of any environment and version. */
  readonly pauses: readonly ActivePause[] | null;
}

export interface ActivePause {
  readonly id: number;
  readonly environment: Environment | '';
  readonly credentialVersion: number;
  readonly scope: PausesTable['scope'];
  readonly reason: string;
  readonly probeDeliveryId: string | null;
}

/**
 * Takes a lease of `leaseMs` on those of the deliveries that are due and that nobody else holds.
 * Select and update are one statement that passes over locked rows: two dispatchers never hold one delivery, and neither waits.
 */
export async function claimDue(
  db: Db,
  ids: readonly string[],
  leaseMs: number,
): Promise<readonly ClaimedDelivery[]> {
  if (ids.length === 0) return [];
  const [first, last] = toIdRange(ids);
  const { rows } = await sql<ClaimedDelivery>`
    WITH due AS MATERIALIZED (
      SELECT id FROM deliveries
      WHERE id = ANY (${ids}::uuid[]) AND id BETWEEN ${first}::uuid AND ${last}::uuid
        AND state = 'pending' AND next_attempt_at <= now()
        AND (lease_until IS NULL OR lease_until <= now())
      FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE deliveries d
      SET lease_until = now() + ${leaseMs}::float8 * interval '1 ms', lease_epoch = d.lease_epoch + 1
      FROM due
      WHERE d.id = due.id AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      RETURNING d.id, d.message_id, d.app_ref, d.provider, d.attempts, d.ambiguous_attempts, d.lease_epoch,
        d.device_id, d.history -> 0 ->> 'at' AS first_attempt_at
    )
    SELECT c.*, now() AS claimed_at, m.user_id, m.activation_id, m.silent, m.personal, m.priority, m.body, m.awaited, m.expires_at,
      CASE WHEN v.id IS NOT NULL THEN json_build_object(
        'userId', v.user_id, 'activationId', v.activation_id, 'activationActive', v.activation_active,
        'provider', v.provider, 'environment', v.environment, 'pushToken', v.push_token,
        'tokenDeactivated', v.token_deactivated_at IS NOT NULL) END AS device,
      CASE WHEN k.version IS NOT NULL THEN json_build_object(
        'version', k.version, 'environment', k.environment) END AS credential,
      p.pauses
    FROM claimed c
    JOIN messages m ON m.id = c.message_id AND m.id BETWEEN ${first.slice(0, -4) + '0000'}::uuid AND ${last}::uuid
    LEFT JOIN devices v ON v.id = c.device_id
    LEFT JOIN credentials k ON k.app_ref = c.app_ref AND k.provider = c.provider
    LEFT JOIN (
      SELECT app_ref, provider, json_agg(json_build_object(
        'id', id, 'environment', environment, 'credentialVersion', credential_version, 'scope', scope,
        'reason', reason, 'probeDeliveryId', probe_delivery_id)) AS pauses
      FROM pauses WHERE lifted_at IS NULL GROUP BY app_ref, provider
    ) p ON p.app_ref = c.app_ref AND p.provider = c.provider`.execute(db);
  return rows;
}

/** What is written for a delivery after an attempt, or instead of one. */
export interface DeliveryUpdate {
  readonly id: string;
  readonly leaseEpoch: number;
  readonly state: DeliveryState;
  readonly reason: string | null;
  /** For a pending one: when it is due again. */
  readonly nextAttemptAt: Date | null;
  /** For a pending one: the pause that holds it. Where that was lifted meanwhile, it is due at once. */
  readonly pauseId: number | null;
  readonly attemptBurned: boolean;
  readonly ambiguous: boolean;
  readonly providerMessageId: string | null;
  readonly attempt: AttemptRecord | null;
}

/**
 * Writes outcomes in one statement and gives up their leases. A delivery whose epoch has moved on, because the lease ran out and
 * somebody else took it, is left alone. Answers the ids that were written.
 */
export async function recordUpdates(
  db: Db,
  updates: readonly DeliveryUpdate[],
): Promise<readonly string[]> {
  if (updates.length === 0) return [];
  const [first, last] = toIdRange(updates.map((u) => u.id));
  const { rows } = await sql<{ id: string }>`
    WITH input AS (
      SELECT * FROM unnest(
        ${updates.map((u) => u.id)}::uuid[],
        ${updates.map((u) => u.leaseEpoch)}::integer[],
        ${updates.map((u) => u.state)}::text[],
        ${updates.map((u) => u.reason)}::text[],
        ${updates.map((u) => u.nextAttemptAt?.toISOString() ?? null)}::timestamptz[],
        ${updates.map((u) => u.pauseId)}::bigint[],
        ${updates.map((u) => (u.attemptBurned ? 1 : 0))}::smallint[],
        ${updates.map((u) => (u.ambiguous ? 1 : 0))}::smallint[],
        ${updates.map((u) => u.providerMessageId)}::text[],
        ${updates.map((u) => (u.attempt === null ? null : JSON.stringify([u.attempt])))}::text[]
      ) AS i (id, epoch, state, reason, next_attempt_at, pause_id, burned, ambiguous, provider_message_id, attempt)
    ), holding AS (
      -- The share lock closes the race with whoever lifts the pause: lifted first, it holds nothing; held first, the lifting
      -- waits and then finds the delivery.
      SELECT id FROM pauses WHERE id IN (SELECT pause_id FROM input) AND lifted_at IS NULL FOR SHARE
    )
    UPDATE deliveries d SET
      state = i.state,
      reason = i.reason,
      attempts = d.attempts + i.burned,
      ambiguous_attempts = d.ambiguous_attempts + i.ambiguous,
      next_attempt_at = CASE WHEN i.pause_id IS NOT NULL AND h.id IS NULL THEN now() ELSE i.next_attempt_at END,
      pause_id = h.id,
      lease_until = NULL,
      provider_message_id = coalesce(i.provider_message_id, d.provider_message_id),
      finished_at = CASE WHEN i.state <> 'pending' THEN now() END,
      history = CASE WHEN i.attempt IS NULL THEN d.history ELSE coalesce(d.history, '[]') || i.attempt::jsonb END
    FROM input i LEFT JOIN holding h ON h.id = i.pause_id
    WHERE d.id = i.id AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      AND d.lease_epoch = i.epoch AND d.state = 'pending'
    RETURNING d.id`.execute(db);
  return rows.map((row) => row.id);
}

/** Which delivery is held under which epoch. */
export interface HeldLease {
  readonly id: string;
  readonly leaseEpoch: number;
}

/** Lets held leases last `leaseMs` from now. Answers the ids that were still held. */
export async function renewLeases(
  db: Db,
  held: readonly HeldLease[],
  leaseMs: number,
): Promise<readonly string[]> {
  if (held.length === 0) return [];
  const [first, last] = toIdRange(held.map((h) => h.id));
  const { rows } = await sql<{ id: string }>`
    UPDATE deliveries d SET lease_until = now() + ${leaseMs}::float8 * interval '1 ms'
    FROM unnest(${held.map((h) => h.id)}::uuid[], ${held.map((h) => h.leaseEpoch)}::integer[]) AS i (id, epoch)
    WHERE d.id = i.id AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      AND d.lease_epoch = i.epoch AND d.state = 'pending' AND d.lease_until > now()
    RETURNING d.id`.execute(db);
  return rows.map((row) => row.id);
}

/** Gives back leases of deliveries that were not attempted: they are due for whoever comes first. */
export async function releaseLeases(db: Db, held: readonly HeldLease[]): Promise<void> {
  if (held.length === 0) return;
  const [first, last] = toIdRange(held.map((h) => h.id));
  await sql`
    UPDATE deliveries d SET lease_until = NULL
    FROM unnest(${held.map((h) => h.id)}::uuid[], ${held.map((h) => h.leaseEpoch)}::integer[]) AS i (id, epoch)
    WHERE d.id = i.id AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      AND d.lease_epoch = i.epoch AND d.state = 'pending'`.execute(db);
}

/**
 * Deliveries that are owed and that nobody holds, oldest first. Those never claimed are left `graceMs` for the job that announced
 * them.
 */
export async function listOverdue(db: Db, limit: number, graceMs: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM deliveries
    WHERE state = 'pending' AND next_attempt_at <= now()
      AND (lease_until IS NULL OR lease_until <= now())
      AND (lease_epoch > 0 OR next_attempt_at <= now() - ${graceMs}::float8 * interval '1 ms')
    ORDER BY next_attempt_at
    LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** The bounds of the ids, so that the planner reads their partitions only: it can't tell from an array. */
function toIdRange(ids: readonly string[]): [string, string] {
  let first = ids[0] ?? '';
  let last = first;
  for (const id of ids) {
    if (id < first) first = id;
    if (id > last) last = id;
  }
  return [first, last];
}
