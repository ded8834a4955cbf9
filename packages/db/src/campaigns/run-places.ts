import type { DeliveryState, Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { AttemptRecord } from '../schema.ts';
import { MAX_DELIVERIES_PER_CHUNK } from './chunks.ts';

/** Where a delivery is in its run, counted from 0: what `toRunPlace` reads from its id. */
export interface RunPlace {
  readonly runId: string;
  readonly ordinal: number;
}

/** Which deliveries of a run are wanted. */
export interface PlacesQuery {
  readonly runId: string;
  /** Outcome codes; none find nothing. */
  readonly codes: readonly number[];
  /** Undefined: of both. */
  readonly provider: Provider | undefined;
  /** The first place that is looked at. */
  readonly from: number;
  readonly limit: number;
}

/** So much is in memory at once. A chunk that is read has one that is wanted, so a page needs a few of these statements at most. */
const CHUNKS_PER_STATEMENT = 64;

/** The first `limit` places of a run with one of the outcomes, in their order. Of chunks without any, only the outcomes are looked at. */
export async function listPlacesByOutcome(
  db: Db,
  { runId, codes, provider, from, limit }: PlacesQuery,
): Promise<readonly RunPlace[]> {
  const wanted = new Set(codes);
  const bytes = codes.map((code) => Buffer.of(code));
  const chunks = Math.min(limit, CHUNKS_PER_STATEMENT);
  const found: RunPlace[] = [];
  let chunk = Math.floor(from / MAX_DELIVERIES_PER_CHUNK);
  for (;;) {
    const { rows } = await sql<{ ordinal: number; outcomes: Buffer }>`
      SELECT ordinal, outcomes FROM campaign_chunks
      WHERE run_id = ${runId} AND ordinal >= ${chunk}
        AND EXISTS (SELECT FROM unnest(${bytes}::bytea[]) AS byte WHERE position(byte IN outcomes) > 0)
        ${provider === undefined ? sql`` : sql`AND provider = ${provider}`}
      ORDER BY ordinal LIMIT ${chunks}`.execute(db);

    for (const row of rows)
      for (const [index, code] of row.outcomes.entries()) {
        const ordinal = row.ordinal * MAX_DELIVERIES_PER_CHUNK + index;
        if (ordinal < from || !wanted.has(code)) continue;
        if (found.length === limit) return found;
        found.push({ runId, ordinal });
      }

    const last = rows.at(-1);
    if (last === undefined || rows.length < chunks || found.length === limit) return found;
    chunk = last.ordinal + 1;
  }
}

/** A delivery of a run: what the ledger says, and the exception where there is one. */
export interface RunDelivery extends RunPlace {
  readonly campaignId: number;
  readonly appId: string;
  /** When the run started. */
  readonly createdAt: Date;
  readonly provider: Provider;
  readonly deviceId: number;
  /** Its outcome code. */
  readonly code: number;
  /** Whose the device was when the audience was frozen; null where nothing says it any more. */
  readonly userId: string | null;
  /** Null where the device is gone, or somebody else's by now. */
  readonly activationId: string | null;
  /** Null where it was sent at the first try, or never tried. */
  readonly exception: RunDeliveryException | null;
}

export interface RunDeliveryException {
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly finishedAt: Date | null;
  readonly providerMessageId: string | null;
  readonly history: readonly AttemptRecord[] | null;
}

type RunDeliveryRow = Omit<RunDelivery, 'exception'> &
  Omit<RunDeliveryException, 'state' | 'attempts'> & {
    readonly state: DeliveryState | null;
    readonly attempts: number | null;
  };

/** What is at these places, in their order; places that do not exist are left out. */
export async function readRunDeliveries(
  db: Db,
  places: readonly RunPlace[],
): Promise<readonly RunDelivery[]> {
  if (places.length === 0) return [];
  const runIds = places.map((place) => place.runId);
  const sorted = runIds.toSorted();
  // The bounds let the planner pass over the partitions of other days.
  const inBounds = sql`run_id BETWEEN ${sorted[0]}::uuid AND ${sorted.at(-1)}::uuid`;
  // OFFSET 0: a probe of an index per place, where the planner would rather read all that its bounds leave.
  const { rows } = await sql<RunDeliveryRow>`
    SELECT i.run_id, i.ordinal, r.campaign_id, a.app_id, coalesce(r.started_at, r.created_at) AS created_at,
      c.provider, c.device_id, c.code,
      CASE c.user_hash WHEN hashtextextended(d.user_id, 0) THEN d.user_id WHEN hashtextextended(x.user_id, 0) THEN x.user_id END AS user_id,
      CASE c.user_hash WHEN hashtextextended(d.user_id, 0) THEN d.activation_id END AS activation_id,
      x.state, x.reason, x.attempts, x.next_attempt_at, x.finished_at, x.provider_message_id, x.history
    FROM (
      SELECT run_id, ordinal, n, (ordinal / ${MAX_DELIVERIES_PER_CHUNK}::bigint)::integer AS chunk,
        (ordinal % ${MAX_DELIVERIES_PER_CHUNK}::bigint)::integer AS index
      FROM unnest(${runIds}::uuid[], ${places.map((place) => place.ordinal)}::bigint[]) WITH ORDINALITY AS place (run_id, ordinal, n)
    ) i
    JOIN campaign_runs r ON r.id = i.run_id
    JOIN apps a ON a.id = r.app_ref
    CROSS JOIN LATERAL (
      SELECT provider, device_ids[i.index + 1] AS device_id, user_hashes[i.index + 1] AS user_hash, get_byte(outcomes, i.index) AS code
      FROM campaign_chunks
      WHERE run_id = i.run_id AND ordinal = i.chunk AND ${inBounds} AND i.index < length(outcomes) OFFSET 0
    ) c
    LEFT JOIN LATERAL (
      SELECT * FROM campaign_exceptions WHERE run_id = i.run_id AND ordinal = i.ordinal AND ${inBounds} OFFSET 0
    ) x ON true
    LEFT JOIN LATERAL (SELECT user_id, activation_id FROM devices WHERE id = c.device_id OFFSET 0) d ON true
    ORDER BY i.n`.execute(db);
  return rows.map(toRunDelivery);
}

function toRunDelivery(row: RunDeliveryRow): RunDelivery {
  const { state, reason, attempts, nextAttemptAt, finishedAt, providerMessageId, history, ...of } =
    row;
  const exception =
    state === null || attempts === null
      ? null
      : { state, reason, attempts, nextAttemptAt, finishedAt, providerMessageId, history };
  return { ...of, exception };
}
