import { CALLBACKS_START, type CallbackPosition } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import { noteCall, type MadeCall } from './callback-calls.ts';
import type { CallbackOwner } from './callback-events.ts';
import { toLockKey } from './locks.ts';
import type { Db } from './database.ts';

/*
 * Who may POST to an endpoint, and move its position, is decided here: a lease by this database's clock, with an epoch.
 */

/**
 * What is to be expected of an endpoint: `proven` ones answered the last request, and soon; `unproven` ones never answered one yet, or
 * slowly; `failing` ones did not.
 */
export const CALLBACK_STANDINGS = ['proven', 'unproven', 'failing'] as const;
export type CallbackStanding = (typeof CALLBACK_STANDINGS)[number];

/** An answer that took longer than this may keep others waiting. */
const SLOW_MS = 2_000;

export interface ClaimedCallback extends CallbackOwner {
  readonly id: number;
  readonly appId: string;
  readonly url: string;
  readonly types: readonly string[] | null;
  readonly standing: CallbackStanding;
  readonly failures: number;
  readonly triedFrom: Date;
  readonly positionXid: string;
  readonly positionId: string;
  readonly leaseEpoch: number;
  /** Operators want calls made again. */
  readonly hasResends: boolean;
  /** What it is signed with, of the developer key or of its own; null where there is none. */
  readonly key: string | null;
  readonly secret: { readonly id: string; readonly sealed: string } | null;
  /** By the database's clock. */
  readonly claimedAt: Date;
}

/** How many more endpoints may be claimed: of each standing, and of all. */
export interface CallbackRoom extends Readonly<Record<CallbackStanding, number>> {
  readonly all: number;
}

/**
 * Takes leases on endpoints whose owner has something to tell, or that are to be told something again, and whose time has come, those first that wait longest; never so many
 * that more than `perTarget` of one host are under lease in the fleet. One claims at a time, so that all count each other's: undefined
 * where somebody else was at it. A developer key that is disabled is told nothing until it is enabled again.
 */
export async function claimCallbacks(
  db: Db,
  room: CallbackRoom,
  perTarget: number,
  leaseMs: number,
): Promise<readonly ClaimedCallback[] | undefined> {
  return db.transaction().execute(async (tx) => {
    const { rows: looks } = await sql<{ locked: boolean; due: boolean; ahead: boolean }>`
      SELECT pg_try_advisory_xact_lock(${toLockKey('callbacks')}::bigint) AS locked,
        EXISTS (SELECT FROM callback_endpoints WHERE suspended_at IS NULL AND next_attempt_at <= now()) AS due,
        EXISTS (SELECT FROM callback_endpoints WHERE position_xid > pg_snapshot_xmax(pg_current_snapshot())) AS ahead`.execute(
      tx,
    );
    if (looks[0]?.locked !== true) return undefined;
    if (looks[0].ahead) await beginAnew(tx);
    if (!looks[0].due) return [];
    const { rows } = await sql<ClaimedCallback>`
      WITH waiting AS (
        SELECT c.id, c.target, c.next_attempt_at, ${STANDING} AS standing
        FROM callback_endpoints c
        CROSS JOIN LATERAL (
          (SELECT FROM callback_events e
          WHERE e.app_ref = c.app_ref AND e.developer_key_ref = c.developer_key_ref
            AND (e.xid, e.id) > (c.position_xid, c.position_id) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
          LIMIT 1)
          UNION ALL
          (SELECT FROM callback_calls r WHERE ${waitsAt(sql`c.id`)} LIMIT 1)
          LIMIT 1
        ) something
        WHERE c.suspended_at IS NULL AND c.next_attempt_at <= now() AND (c.lease_until IS NULL OR c.lease_until <= now())
          AND NOT EXISTS (
            SELECT FROM developer_keys k WHERE k.id = c.developer_key_ref AND k.disabled_at IS NOT NULL)
      ), held AS (
        SELECT target, count(*) AS count FROM callback_endpoints WHERE lease_until > now() GROUP BY target
      ), by_target AS (
        SELECT w.*, coalesce(h.count, 0)
          + row_number() OVER (PARTITION BY w.target ORDER BY w.next_attempt_at, w.id) AS place_at_target
        FROM waiting w LEFT JOIN held h ON h.target = w.target
      ), by_standing AS (
        SELECT t.*, row_number() OVER (PARTITION BY t.standing ORDER BY t.next_attempt_at, t.id) AS place
        FROM by_target t WHERE t.place_at_target <= ${perTarget}
      ), chosen AS (
        SELECT id, standing FROM by_standing
        WHERE place <= CASE standing
          WHEN 'proven' THEN ${room.proven}::integer WHEN 'unproven' THEN ${room.unproven}::integer ELSE ${room.failing}::integer END
        ORDER BY next_attempt_at, id LIMIT ${room.all}
      )
      UPDATE callback_endpoints c
      SET lease_until = now() + ${leaseMs}::float8 * interval '1 ms', lease_epoch = c.lease_epoch + 1
      FROM chosen JOIN callback_endpoints o ON o.id = chosen.id JOIN apps a ON a.id = o.app_ref
      WHERE c.id = chosen.id AND (c.lease_until IS NULL OR c.lease_until <= now())
      RETURNING c.id, c.app_ref, c.developer_key_ref, a.app_id, c.url, c.types, chosen.standing, c.failures, c.tried_from,
        c.position_xid, c.position_id, c.lease_epoch, now() AS claimed_at,
        EXISTS (SELECT FROM callback_calls r WHERE ${waitsAt(sql`c.id`)}) AS has_resends, ${KEY} AS key, ${SECRET} AS secret`.execute(
      tx,
    );
    return rows;
  });
}

const STANDING = sql`CASE
  WHEN c.failures > 0 THEN 'failing'
  WHEN c.last_success_at IS NULL OR c.last_latency_ms > ${sql.lit(SLOW_MS)} THEN 'unproven'
  ELSE 'proven' END`;

const KEY = sql`coalesce(c.callback_key, (SELECT k.developer_key FROM developer_keys k WHERE k.id = c.developer_key_ref))`;
const SECRET = sql`CASE
  WHEN c.developer_key_ref = 0 THEN (
    SELECT json_build_object('id', s.id, 'sealed', encode(s.sealed_secret, 'base64')) FROM callback_secrets s
    WHERE s.endpoint_ref = c.id AND s.used_from <= now() ORDER BY s.used_from DESC, s.created_at DESC LIMIT 1)
  ELSE (
    SELECT json_build_object('id', s.id, 'sealed', encode(s.sealed_secret, 'base64')) FROM developer_secrets s
    WHERE s.developer_key_ref = c.developer_key_ref AND s.valid_until IS NULL) END`;

/** A call that an operator wants again. */
function waitsAt(endpointId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`r.endpoint_ref = ${endpointId} AND r.result IS NULL`;
}

/**
 * The database was restored from a dump: transactions are counted from a lower number again, and what comes would stand before what
 * was told. Everything that is kept counts as written before, and is told again.
 */
async function beginAnew(tx: Db): Promise<void> {
  const { xid, id } = CALLBACKS_START;
  await sql`
    UPDATE callback_events SET xid = '1' WHERE xid > pg_snapshot_xmax(pg_current_snapshot())`.execute(
    tx,
  );
  await sql`
    UPDATE callback_endpoints SET position_xid = ${xid}::xid8, position_id = ${id}::uuid, lease_epoch = lease_epoch + 1`.execute(
    tx,
  );
}

/** An endpoint under lease. */
export interface HeldCallback {
  readonly id: number;
  readonly leaseEpoch: number;
}

/**
 * Moves the position after events were taken, or are not wanted, or were given up (`passedOver` of them); the lease lasts `leaseMs`
 * from now. Answers false where it is somebody else's by now, or was deleted.
 */
export async function moveCallback(
  db: Db,
  held: HeldCallback,
  to: CallbackPosition,
  { leaseMs, passedOver = 0 }: { readonly leaseMs: number; readonly passedOver?: number },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE callback_endpoints SET position_xid = ${to.xid}::xid8, position_id = ${to.id}::uuid,
      passed_over = passed_over + ${passedOver}, lease_until = now() + ${leaseMs}::float8 * interval '1 ms'
    WHERE ${isHeld(held)}`.execute(db);
  return numAffectedRows === 1n;
}

/** The receiver took everything up to there by that call. Otherwise like `moveCallback`. */
export async function succeedCallback(
  db: Db,
  held: HeldCallback,
  to: CallbackPosition,
  { leaseMs, call, ...last }: LastAttempt & { readonly leaseMs: number },
): Promise<boolean> {
  const { rows } = await sql`
    WITH ${noteCall(held.id, call, { ...last, taken: true })}
    UPDATE callback_endpoints SET position_xid = ${to.xid}::xid8, position_id = ${to.id}::uuid,
      lease_until = now() + ${leaseMs}::float8 * interval '1 ms', failures = 0, failing_since = NULL,
      last_success_at = now(), ${noted(last)}
    WHERE ${isHeld(held)}
    RETURNING 1`.execute(db);
  return rows.length === 1;
}

/** What came of a request, for operators. */
export interface LastAttempt {
  readonly result: string;
  readonly latencyMs: number;
  readonly call: MadeCall;
}

/**
 * The receiver did not take it: gives up the lease until `delayMs` from now. Suspends an endpoint that is `gone`, or has failed for
 * `giveUpAfterMs`; answers whether it did.
 */
export async function failCallback(
  db: Db,
  held: HeldCallback,
  failure: LastAttempt & {
    readonly delayMs: number;
    readonly isGone: boolean;
    readonly giveUpAfterMs: number;
  },
): Promise<boolean> {
  const { rows } = await sql<{ suspended: boolean }>`
    WITH ${noteCall(held.id, failure.call, { ...failure, taken: false })}
    UPDATE callback_endpoints SET failures = failures + 1, failing_since = coalesce(failing_since, now()),
      next_attempt_at = now() + ${failure.delayMs}::float8 * interval '1 ms', lease_until = NULL,
      suspended_at = CASE
        WHEN ${failure.isGone} OR failing_since < now() - ${failure.giveUpAfterMs}::float8 * interval '1 ms' THEN now() END,
      suspended_because = CASE
        WHEN ${failure.isGone} THEN 'gone'
        WHEN failing_since < now() - ${failure.giveUpAfterMs}::float8 * interval '1 ms' THEN 'failing' END,
      ${noted(failure)}
    WHERE ${isHeld(held)}
    RETURNING suspended_at IS NOT NULL AS suspended`.execute(db);
  return rows[0]?.suspended === true;
}

/** Gives it back as it is: it stands behind the others that wait, or is left alone for `delayMs`. */
export async function releaseCallback(db: Db, held: HeldCallback, delayMs = 0): Promise<void> {
  await sql`
    UPDATE callback_endpoints SET lease_until = NULL, next_attempt_at = now() + ${delayMs}::float8 * interval '1 ms'
    WHERE ${isHeld(held)}`.execute(db);
}

function isHeld({ id, leaseEpoch }: HeldCallback) {
  return sql<boolean>`id = ${id} AND lease_epoch = ${leaseEpoch}`;
}

function noted({ result, latencyMs }: Omit<LastAttempt, 'call'>) {
  return sql`last_attempt_at = now(), last_result = ${result}, last_latency_ms = ${Math.round(latencyMs)}`;
}
