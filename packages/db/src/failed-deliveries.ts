import { toUuidFloor, type Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import { inLockOrder, toIdRange } from './deliveries.ts';
import { selectMessageDeliveries, type MessageDelivery } from './delivery-trace.ts';
import { countReplayed } from './failure-counts.ts';
import type { FailureState } from './schema.ts';

/** What failed of an app's messages for one reason. */
export interface FailedCause {
  readonly appRef: number;
  readonly provider: Provider;
  readonly state: FailureState;
  readonly reason: string;
}

/** The place of a failed delivery among those of its cause: when it failed, in µs since the epoch, and its id. */
export interface FailedPosition {
  readonly atMicros: number;
  readonly id: string;
}

export interface FailedQuery {
  readonly cause: FailedCause;
  readonly since: Date;
  readonly until: Date;
  /** The last one of the page before. */
  readonly after: FailedPosition | undefined;
  readonly limit: number;
}

/** Failed deliveries of a cause that failed in the period, the latest first. */
export async function listFailedDeliveries(
  db: Db,
  query: FailedQuery,
): Promise<readonly (MessageDelivery & { readonly atMicros: number })[]> {
  const { rows } = await sql<{ id: string; atMicros: number }>`
    SELECT id, ${MICROS} AS at_micros FROM deliveries d WHERE ${isOf(query, 'before')}
    ORDER BY finished_at DESC, id DESC LIMIT ${query.limit}`.execute(db);
  if (rows.length === 0) return [];
  const places = new Map(rows.map((row, n) => [row.id, { n, atMicros: row.atMicros }]));
  const [first, last] = toIdRange(rows.map((row) => row.id));
  const found = await selectMessageDeliveries(sql`
    SELECT d.*, m.user_id, m.activation_id, m.created_at
    FROM deliveries d CROSS JOIN LATERAL (
      SELECT user_id, activation_id, created_at FROM messages WHERE id = d.message_id AND id <= ${last}::uuid OFFSET 0
    ) m
    WHERE d.id = ANY (${rows.map((row) => row.id)}::uuid[]) AND d.id BETWEEN ${first}::uuid AND ${last}::uuid`).execute(
    db,
  );
  return found.rows
    .map((row) => ({ ...row, ...(places.get(row.id) ?? { n: 0, atMicros: 0 }) }))
    .toSorted((a, b) => a.n - b.n)
    .map(({ n: _n, ...row }) => row);
}

/** What becomes of a failed delivery that is to be sent again. */
export const REPLAY_VERDICTS = [
  'replayable',
  'ambiguous',
  'unreachable',
  'over',
  'cancelled',
] as const;
export type ReplayVerdict = (typeof REPLAY_VERDICTS)[number];

export interface ReplayTerms {
  /** Also what may have been shown, since a provider once did not answer. */
  readonly includeAmbiguous: boolean;
  /** Until when they are sent now; undefined: while their message's own expiry is not over. */
  readonly validUntil: Date | undefined;
}

/** A failed delivery that was looked at. */
export interface FailedCandidate extends FailedPosition {
  readonly verdict: ReplayVerdict;
}

/**
 * Failed deliveries of a cause, the oldest failure first, and whether each may be sent again. Nothing is locked: who replays asks again.
 * Of `messageId` only those of that message.
 */
export async function listReplayable(
  db: Db,
  query: FailedQuery & { readonly messageId?: string | undefined },
  { includeAmbiguous, validUntil }: ReplayTerms,
): Promise<readonly FailedCandidate[]> {
  const { messageId } = query;
  const { rows } = await sql<FailedCandidate>`
    WITH hit AS MATERIALIZED (
      SELECT d.id, d.message_id, d.device_id, d.provider, d.finished_at, d.ambiguous_attempts FROM deliveries d
      WHERE ${isOf(query, 'behind')}
        ${messageId === undefined ? sql`` : sql`AND d.id > ${messageId}::uuid AND d.id <= ${messageId.slice(0, -4) + 'ffff'}::uuid`}
      ORDER BY d.finished_at, d.id LIMIT ${query.limit}
    )
    SELECT d.id, ${MICROS} AS at_micros, CASE
      WHEN d.ambiguous_attempts > 0 AND NOT ${includeAmbiguous}::boolean THEN 'ambiguous'
      WHEN coalesce(${validUntil ?? null}::timestamptz, m.expires_at) <= now() THEN 'over'
      -- As the gate of the dispatchers has it.
      WHEN v.id IS NULL OR v.token_deactivated_at IS NOT NULL OR v.user_id IS DISTINCT FROM m.user_id OR v.provider <> d.provider
        OR coalesce(v.push_token_hash <> m.push_token_hash, false) OR coalesce(v.activation_id <> m.activation_id, false)
        OR (m.personal AND NOT v.activation_active) THEN 'unreachable'
      ELSE 'replayable' END AS verdict
    FROM hit d
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.message_id OFFSET 0) m
    LEFT JOIN LATERAL (SELECT * FROM devices WHERE id = d.device_id OFFSET 0) v ON true
    ORDER BY d.finished_at, d.id`.execute(db);
  return rows;
}

/**
 * Puts failed deliveries back to be sent again, with `validUntil` until then. Answers the ids of those that it did: one that failed at
 * another time than was seen, because somebody else replayed it meanwhile, is left alone. So each failure is replayed once, however many
 * ask. The sum of the ledger stays true, since a delivery is in one state.
 */
export async function replayDeliveries(
  db: Db,
  unsorted: readonly FailedPosition[],
  validUntil: Date | undefined,
): Promise<readonly string[]> {
  if (unsorted.length === 0) return [];
  const failed = inLockOrder(unsorted);
  const [first, last] = toIdRange(failed.map((one) => one.id));
  const { rows } = await sql<{ id: string }>`
    WITH input AS (
      SELECT * FROM unnest(${failed.map((one) => one.id)}::uuid[], ${failed.map((one) => one.atMicros)}::bigint[]) AS i (id, at_micros)
    ), held AS MATERIALIZED (
      SELECT d.id, d.app_ref, d.provider, d.state, d.reason, d.finished_at
      FROM deliveries d JOIN input i ON i.id = d.id
      WHERE d.id BETWEEN ${first}::uuid AND ${last}::uuid AND d.state IN ('failed', 'expired') AND ${MICROS} = i.at_micros
      ORDER BY d.id FOR NO KEY UPDATE OF d
    ), replayed AS (
      UPDATE deliveries d SET
        state = 'pending', reason = 'replayed', next_attempt_at = now(), pause_id = NULL, lease_until = NULL, finished_at = NULL,
        replayed_at = now(), attempts_before = d.attempts, ambiguous_before = d.ambiguous_attempts,
        expires_at = ${validUntil ?? null}::timestamptz
      FROM held h WHERE d.id = h.id AND d.id BETWEEN ${first}::uuid AND ${last}::uuid
      RETURNING h.*
    ), counted AS (${countReplayed('message', sql`replayed`)})
    SELECT id FROM replayed`.execute(db);
  return rows.map((row) => row.id);
}

const MICROS = sql`(extract(epoch FROM d.finished_at) * 1000000)::bigint`;

/** A message is accepted before it fails, so later partitions hold nothing of the period. */
function isOf({ cause, since, until, after }: FailedQuery, from: 'before' | 'behind') {
  const { appRef, provider, state, reason } = cause;
  const at =
    after === undefined
      ? undefined
      : sql`(timestamptz 'epoch' + ${after.atMicros}::bigint * interval '1 microsecond', ${after.id}::uuid)`;
  // The state is written into the text: the index of failures fits what is known to be one.
  return sql`d.app_ref = ${appRef} AND d.provider = ${provider} AND d.state = ${sql.lit(state)} AND d.reason = ${reason}
    AND d.finished_at >= ${since} AND d.finished_at < ${until} AND d.id < ${toUuidFloor(until.getTime() + CLOCK_DOUBT_MS)}::uuid
    ${at === undefined ? sql`` : sql`AND (d.finished_at, d.id) ${from === 'before' ? sql`<` : sql`>`} ${at}`}`;
}

/** Ids are made by the clock of an api, and outcomes timed by the database's. */
const CLOCK_DOUBT_MS = 60_000;
