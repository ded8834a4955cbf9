import {
  MAX_REMEMBERED_ATTEMPTS,
  toMessageId,
  type DeliveryState,
  type Environment,
  type MessageBody,
  type Priority,
  type Provider,
} from '@heliograph/core';
import { sql } from 'kysely';

import { tellDeliveries } from './callback-writes.ts';
import type { Db } from './database.ts';
import type { AttemptRecord } from './schema.ts';
import { selectSendingConditions, type SendingConditions } from './sending-conditions.ts';

/** A delivery under lease, with all that is needed to send it. */
export interface ClaimedDelivery extends SendingConditions {
  readonly id: string;
  readonly messageId: string;
  readonly appRef: number;
  readonly provider: Provider;
  readonly attempts: number;
  readonly ambiguousAttempts: number;
  readonly leaseEpoch: number;
  /** By the database's clock, as registrations are. */
  readonly claimedAt: Date;
  /** ISO instant of the first attempt that counted; null while there was none. What a pause stopped was none. */
  readonly firstAttemptAt: string | null;
  /** Null for a message to a push token that was nobody's. */
  readonly userId: string | null;
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
    /** The message was for a push token that the device has no more. */
    readonly tokenReplaced: boolean;
    readonly tokenDeactivated: boolean;
  } | null;
}

/**
 * Takes a lease of `leaseMs` on those of the deliveries that are due and that nobody else holds.
 * One statement: of two who ask at once the second waits for the first's row, finds it leased, and passes it over. Planning costs more
 * than execution here, and look-ups beside the update are planned faster than joins.
 */
export async function claimDue(
  db: Db,
  ids: readonly string[],
  leaseMs: number,
): Promise<readonly ClaimedDelivery[]> {
  if (ids.length === 0) return [];
  const [first, last] = toIdRange(ids);
  // `state` is written so that no index but the primary key fits: for these few the planner would read a whole backlog of what is due.
  const { rows } = await sql<ClaimedDelivery>`
    UPDATE deliveries d
    SET lease_until = now() + ${leaseMs}::float8 * interval '1 ms', lease_epoch = d.lease_epoch + 1
    FROM messages m
    WHERE d.id = ANY (${ids.toSorted()}::uuid[]) AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      AND d.state || '' = 'pending' AND d.next_attempt_at <= now()
      AND (d.lease_until IS NULL OR d.lease_until <= now())
      AND m.id = d.message_id AND m.id BETWEEN ${toMessageId(first)}::uuid AND ${last}::uuid
    RETURNING d.id, d.message_id, d.app_ref, d.provider, d.attempts, d.ambiguous_attempts, d.lease_epoch, d.device_id,
      jsonb_path_query_first(d.history, '$[*] ? (@.outcome != "pause")') ->> 'at' AS first_attempt_at,
      now() AS claimed_at, m.user_id, m.activation_id, m.silent, m.personal, m.priority, m.body, m.awaited, m.expires_at,
      (SELECT json_build_object(
        'userId', v.user_id, 'activationId', v.activation_id, 'activationActive', v.activation_active,
        'provider', v.provider, 'environment', v.environment, 'pushToken', v.push_token,
        'tokenReplaced', coalesce(v.push_token_hash <> m.push_token_hash, false),
        'tokenDeactivated', v.token_deactivated_at IS NOT NULL
      ) FROM devices v WHERE v.id = d.device_id) AS device,
      ${selectSendingConditions(sql`d.app_ref`, sql`d.provider`)}`.execute(db);
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
 * somebody else took it, is left alone, and so is one that was recorded already: a statement whose answer got lost may be repeated.
 * Answers the ids that were written. What is final is told to callbacks; `isHeard: false` says that nobody listens, and spares
 * the statement two fifths of its time.
 */
export async function recordUpdates(
  db: Db,
  unsorted: readonly DeliveryUpdate[],
  { isHeard = true }: { readonly isHeard?: boolean } = {},
): Promise<readonly string[]> {
  if (unsorted.length === 0) return [];
  const updates = inLockOrder(unsorted);
  const [first, last] = toIdRange(updates.map((u) => u.id));
  // Most outcomes hold nothing back, and a statement without pauses is planned in half the time.
  const isHeld = updates.some((u) => u.pauseId !== null);
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
    )${isHeld ? HOLDING : sql``}${isHeard ? sql`, recorded AS (` : sql``}
    UPDATE deliveries d SET
      state = i.state,
      reason = i.reason,
      attempts = d.attempts + i.burned,
      ambiguous_attempts = d.ambiguous_attempts + i.ambiguous,
      ${isHeld ? HELD : sql`next_attempt_at = i.next_attempt_at, pause_id = NULL`},
      lease_until = NULL,
      provider_message_id = coalesce(i.provider_message_id, d.provider_message_id),
      finished_at = CASE WHEN i.state <> 'pending' THEN now() END,
      history = CASE
        WHEN i.attempt IS NULL THEN d.history
        -- Bounded: the first attempt and the latest ones stay.
        WHEN jsonb_array_length(d.history) >= ${MAX_REMEMBERED_ATTEMPTS} THEN d.history - 1 || i.attempt::jsonb
        ELSE coalesce(d.history, '[]') || i.attempt::jsonb
      END
    FROM input i ${isHeld ? sql`LEFT JOIN holding h ON h.id = i.pause_id` : sql``}
    WHERE d.id = i.id AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      AND d.lease_epoch = i.epoch AND d.state = 'pending' AND d.lease_until IS NOT NULL
    ${isHeard ? toldOf(first, last) : sql`RETURNING d.id`}`.execute(db);
  return rows.map((row) => row.id);
}

/** Reads the messages by their range, too: the planner can't tell from the deliveries which partitions they are in. */
function toldOf(first: string, last: string) {
  const messages = sql`messages m ON m.id BETWEEN ${toMessageId(first)}::uuid AND ${last}::uuid AND`;
  return sql`RETURNING d.*
    ), told AS (${tellDeliveries(sql`recorded`, messages)})
    SELECT id FROM recorded`;
}

/**
 * The share lock closes the race with whoever lifts the pause: lifted first, it holds nothing and the delivery is due; held first,
 * the lifting waits and then finds the delivery.
 */
const HOLDING = sql`, holding AS (
      SELECT id FROM pauses WHERE id IN (SELECT pause_id FROM input) AND lifted_at IS NULL FOR SHARE
    )`;
const HELD = sql`
      next_attempt_at = CASE WHEN i.pause_id IS NOT NULL AND h.id IS NULL THEN now() ELSE i.next_attempt_at END,
      pause_id = h.id`;

/** Which delivery is held under which epoch. */
export interface HeldLease {
  readonly id: string;
  readonly leaseEpoch: number;
}

/** Lets held leases last `leaseMs` from now. Answers the ids that were still held. */
export async function renewLeases(
  db: Db,
  unsorted: readonly HeldLease[],
  leaseMs: number,
): Promise<readonly string[]> {
  if (unsorted.length === 0) return [];
  const held = inLockOrder(unsorted);
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
export async function releaseLeases(db: Db, unsorted: readonly HeldLease[]): Promise<void> {
  if (unsorted.length === 0) return;
  const held = inLockOrder(unsorted);
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
  return db.transaction().execute(async (tx) => {
    // In the order of the index, up to the limit: the planner thinks too little of a backlog, and would read and sort all of it.
    await sql`SET LOCAL enable_sort = off`.execute(tx);
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM deliveries
      WHERE state = 'pending' AND next_attempt_at <= now()
        AND (lease_until IS NULL OR lease_until <= now())
        AND (lease_epoch > 0 OR next_attempt_at <= now() - ${graceMs}::float8 * interval '1 ms')
      ORDER BY next_attempt_at
      LIMIT ${limit}`.execute(tx);
    return rows.map((row) => row.id);
  });
}

/** Rows are locked in one order by all statements, so that none waits for another that waits for it. */
function inLockOrder<T extends { readonly id: string }>(rows: readonly T[]): readonly T[] {
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
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
