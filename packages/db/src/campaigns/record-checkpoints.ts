import { toOutcomeCode, type DeliveryState, type Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { countFailures } from '../failure-counts.ts';
import type { AttemptRecord, FailureState } from '../schema.ts';
import type { ChunkLease } from './chunk-leases.ts';
import { MAX_DELIVERIES_PER_CHUNK, toBounds } from './chunks.ts';
import { addToTimeline } from './run-timeline.ts';

const EXPIRED = toOutcomeCode('expired', null);

/** A delivery that was not sent at the first try, as it stands now. */
export interface ChunkException {
  /** Its place in the chunk. */
  readonly index: number;
  readonly deviceId: number;
  readonly userId: string | null;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly ambiguousAttempts: number;
  readonly nextAttemptAt: Date | null;
  readonly providerMessageId: string | null;
  readonly history: readonly AttemptRecord[];
}

/** What becomes of the lease with a checkpoint. */
export type ChunkRelease =
  /** It is kept: there is more to send. */
  | { readonly kind: 'keep' }
  /** All are final. */
  | { readonly kind: 'done' }
  /** Something is owed; for whoever comes first. */
  | { readonly kind: 'due' }
  /** Due again then. With a pause: when that is lifted, or then. */
  | { readonly kind: 'later'; readonly dueAt: Date; readonly pauseId: number | null };

/** What came of a chunk since its last checkpoint. */
export interface ChunkCheckpoint extends ChunkLease {
  readonly appRef: number;
  readonly provider: Provider;
  /** The chunk's checkpoint that this one follows. */
  readonly checkpoint: number;
  /** All of them, as they are now. */
  readonly outcomes: Buffer;
  /** By code: how many more, or fewer, there are. */
  readonly changes: ReadonlyMap<number, number>;
  readonly exceptions: readonly ChunkException[];
  readonly release: ChunkRelease;
}

/**
 * Writes outcomes of chunks, their exceptions and the sums of their runs in one statement. What is not the next checkpoint under its
 * epoch is left alone: somebody else has the chunk, or the statement is repeated because its answer got lost. Answers, in the order of
 * the input, which are in the ledger now.
 */
export async function recordCheckpoints(
  db: Db,
  checkpoints: readonly ChunkCheckpoint[],
  shard: number,
): Promise<readonly boolean[]> {
  if (checkpoints.length === 0) return [];
  // By their place in the input: this process may hand in a chunk twice, under the lease that it lost and under its new one.
  const changes = checkpoints.flatMap((point, n) =>
    Array.from(point.changes, ([code, change]) => ({ n: n + 1, point, code, change })).filter(
      ({ change }) => change !== 0,
    ),
  );
  const exceptions = checkpoints.flatMap((point, n) =>
    point.exceptions.map((exception) => ({ n: n + 1, point, exception })),
  );
  const failures = checkpoints.flatMap((point, n) =>
    toFailures(point).map((failure) => ({ n: n + 1, point, ...failure })),
  );
  const [firstRun, lastRun] = toBounds(checkpoints.map((point) => point.runId));
  const releases = checkpoints.map((point) => point.release);
  const { rows } = await sql<{ recorded: boolean }>`
    WITH input AS (
      SELECT * FROM unnest(
        ${checkpoints.map((p) => p.runId)}::uuid[],
        ${checkpoints.map((p) => p.ordinal)}::integer[],
        ${checkpoints.map((p) => p.leaseEpoch)}::integer[],
        ${checkpoints.map((p) => p.checkpoint)}::integer[],
        ${checkpoints.map((p) => p.outcomes)}::bytea[],
        ${releases.map((r) => r.kind)}::text[],
        ${releases.map((r) => (r.kind === 'later' ? r.dueAt.toISOString() : null))}::timestamptz[],
        ${releases.map((r) => (r.kind === 'later' ? r.pauseId : null))}::bigint[]
      ) WITH ORDINALITY AS i (run_id, ordinal, epoch, checkpoint, outcomes, release, due_at, pause_id, n)
    ), holding AS (
      -- Of a pause that was lifted meanwhile nothing waits: see HOLDING in deliveries.ts.
      SELECT id FROM pauses WHERE id IN (SELECT pause_id FROM input) AND lifted_at IS NULL FOR SHARE
    ), written AS (
      UPDATE campaign_chunks c SET
        outcomes = i.outcomes,
        checkpoint = c.checkpoint + 1,
        leased = i.release = 'keep',
        due_at = CASE i.release
          WHEN 'keep' THEN c.due_at
          WHEN 'due' THEN now()
          WHEN 'later' THEN CASE WHEN i.pause_id IS NOT NULL AND h.id IS NULL THEN now() ELSE i.due_at END
        END,
        pause_id = h.id
      FROM input i LEFT JOIN holding h ON h.id = i.pause_id
      WHERE c.run_id = i.run_id AND c.ordinal = i.ordinal AND c.run_id BETWEEN ${firstRun}::uuid AND ${lastRun}::uuid
        AND c.lease_epoch = i.epoch AND c.checkpoint = i.checkpoint AND c.leased
      RETURNING i.n
    ), changed AS MATERIALIZED (
      SELECT d.run_id, d.provider, d.code, sum(d.change) AS change
      FROM unnest(
        ${changes.map((c) => c.n)}::integer[],
        ${changes.map((c) => c.point.runId)}::uuid[],
        ${changes.map((c) => c.point.provider)}::text[],
        ${changes.map((c) => c.code)}::smallint[],
        ${changes.map((c) => c.change)}::integer[]
      ) AS d (n, run_id, provider, code, change)
      JOIN written w ON w.n = d.n
      GROUP BY 1, 2, 3
    ), counted AS (
      INSERT INTO campaign_run_counts AS t (run_id, provider, code, shard, count)
      SELECT run_id, provider, code, ${shard}::smallint, change FROM changed
      -- Rows are locked in one order by all, so that none waits for another that waits for it.
      ORDER BY 1, 2, 3
      ON CONFLICT (run_id, provider, code, shard) DO UPDATE SET count = t.count + excluded.count
    ), timed AS (
      ${addToTimeline(sql`changed`, shard)}
    )${exceptions.length === 0 ? sql`` : sql`, excepted AS (${insertExceptions(exceptions)})`}
    ${failures.length === 0 ? sql`` : sql`, failing AS (${selectFailures(failures)}), failures AS (${countFailures('campaign', sql`failing`)})`}
    SELECT w.n IS NOT NULL AS recorded FROM input i LEFT JOIN written w ON w.n = i.n ORDER BY i.n`.execute(
    db,
  );
  if (rows.every((row) => row.recorded)) return rows.map(() => true);
  // Looked at afterwards: the first of two equal statements may have been under way when the second began.
  const found = await findRecorded(db, checkpoints);
  return rows.map((row, n) => row.recorded || found[n] === true);
}

interface Failure {
  readonly state: FailureState;
  readonly reason: string | null;
  readonly count: number;
}

/** What failed or expired since the last checkpoint. Of what expired without a try there is no exception, and the byte says all. */
function toFailures({ changes, exceptions }: ChunkCheckpoint): readonly Failure[] {
  const failures: Failure[] = [];
  let untried = changes.get(EXPIRED) ?? 0;
  for (const { state, reason } of exceptions) {
    if (state !== 'failed' && state !== 'expired') continue;
    failures.push({ state, reason, count: 1 });
    if (state === 'expired') untried -= 1;
  }
  return untried > 0
    ? [...failures, { state: 'expired', reason: 'expired', count: untried }]
    : failures;
}

function selectFailures(
  failures: readonly (Failure & { readonly n: number; readonly point: ChunkCheckpoint })[],
) {
  return sql`
    SELECT r.app_ref, f.provider, f.state, f.reason, f.count
    FROM unnest(
      ${failures.map(({ n }) => n)}::integer[],
      ${failures.map(({ point }) => point.runId)}::uuid[],
      ${failures.map(({ point }) => point.provider)}::text[],
      ${failures.map(({ state }) => state)}::text[],
      ${failures.map(({ reason }) => reason)}::text[],
      ${failures.map(({ count }) => count)}::integer[]
    ) AS f (n, run_id, provider, state, reason, count)
    JOIN written w ON w.n = f.n
    JOIN campaign_runs r ON r.id = f.run_id`;
}

/** Which of the checkpoints were the last ones to be written of their chunks. */
async function findRecorded(
  db: Db,
  checkpoints: readonly ChunkCheckpoint[],
): Promise<readonly boolean[]> {
  const [firstRun, lastRun] = toBounds(checkpoints.map((point) => point.runId));
  const { rows } = await sql<{ recorded: boolean }>`
    SELECT coalesce(c.lease_epoch = i.epoch AND c.checkpoint = i.checkpoint + 1, false) AS recorded
    FROM unnest(
      ${checkpoints.map((p) => p.runId)}::uuid[], ${checkpoints.map((p) => p.ordinal)}::integer[],
      ${checkpoints.map((p) => p.leaseEpoch)}::integer[], ${checkpoints.map((p) => p.checkpoint)}::integer[]
    ) WITH ORDINALITY AS i (run_id, ordinal, epoch, checkpoint, n)
    LEFT JOIN campaign_chunks c ON c.run_id = i.run_id AND c.ordinal = i.ordinal
      AND c.run_id BETWEEN ${firstRun}::uuid AND ${lastRun}::uuid
    ORDER BY i.n`.execute(db);
  return rows.map((row) => row.recorded);
}

function insertExceptions(
  all: readonly {
    readonly n: number;
    readonly point: ChunkCheckpoint;
    readonly exception: ChunkException;
  }[],
) {
  const of = all.map(({ exception }) => exception);
  return sql`
    INSERT INTO campaign_exceptions AS x (run_id, ordinal, device_id, user_id, provider, state, reason, attempts,
      ambiguous_attempts, next_attempt_at, provider_message_id, finished_at, history)
    SELECT e.run_id, e.chunk::bigint * ${MAX_DELIVERIES_PER_CHUNK}::bigint + e.index, e.device_id, e.user_id, e.provider, e.state, e.reason, e.attempts,
      e.ambiguous_attempts, e.next_attempt_at, e.provider_message_id, CASE WHEN e.state <> 'pending' THEN now() END, e.history::jsonb
    FROM unnest(
      ${all.map(({ n }) => n)}::integer[],
      ${all.map(({ point }) => point.runId)}::uuid[],
      ${all.map(({ point }) => point.ordinal)}::integer[],
      ${all.map(({ point }) => point.provider)}::text[],
      ${of.map((e) => e.index)}::integer[],
      ${of.map((e) => e.deviceId)}::bigint[],
      ${of.map((e) => e.userId)}::text[],
      ${of.map((e) => e.state)}::text[],
      ${of.map((e) => e.reason)}::text[],
      ${of.map((e) => e.attempts)}::integer[],
      ${of.map((e) => e.ambiguousAttempts)}::smallint[],
      ${of.map((e) => e.nextAttemptAt?.toISOString() ?? null)}::timestamptz[],
      ${of.map((e) => e.providerMessageId)}::text[],
      ${of.map((e) => (e.history.length === 0 ? null : JSON.stringify(e.history)))}::text[]
    ) AS e (n, run_id, chunk, provider, index, device_id, user_id, state, reason, attempts, ambiguous_attempts, next_attempt_at,
      provider_message_id, history)
    JOIN written w ON w.n = e.n
    ON CONFLICT (run_id, ordinal) DO UPDATE SET
      user_id = coalesce(excluded.user_id, x.user_id), state = excluded.state, reason = excluded.reason,
      attempts = excluded.attempts, ambiguous_attempts = excluded.ambiguous_attempts,
      next_attempt_at = excluded.next_attempt_at, provider_message_id = excluded.provider_message_id,
      finished_at = excluded.finished_at, history = coalesce(excluded.history, x.history)`;
}
