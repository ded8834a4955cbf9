import type { DeliveryState, Environment, Provider } from '@heliograph/core';
import { sql } from 'kysely';

import { frozenHashOf, MAX_DELIVERIES_PER_CHUNK } from './campaign-audience.ts';
import type { Db } from './database.ts';
import type { ActivePause } from './deliveries.ts';
import { hashPushToken } from './devices.ts';
import type { AttemptRecord, CampaignMessage, RouteName } from './schema.ts';

/** Which chunk is held under which epoch. */
export interface ChunkLease {
  readonly runId: string;
  readonly ordinal: number;
  readonly leaseEpoch: number;
}

/** A chunk under lease, with what its run and app say. */
export interface ClaimedChunk extends ChunkLease {
  readonly provider: Provider;
  readonly appRef: number;
  readonly campaignId: number;
  readonly message: CampaignMessage;
  readonly canary: boolean;
  /** One byte per device. */
  readonly outcomes: Buffer;
  readonly checkpoint: number;
  readonly expiresAt: Date;
  /** By the database's clock, as registrations are. */
  readonly claimedAt: Date;
  /** Null where the app's credential was removed since. */
  readonly credential: {
    readonly version: number;
    readonly route: RouteName;
    readonly environment: Environment | null;
  } | null;
  /** Active pauses of the app at this provider, of any environment and version. */
  readonly pauses: readonly ActivePause[] | null;
}

/** How long a push is kept by default, counted from its chunk's first claim. */
const DEFAULT_EXPIRY = '24 hours';

/**
 * Takes a lease of `leaseMs` on the next chunk of the run that has something to do; undefined where there is none, or the run does not
 * send. Chunks that others are about to take are passed over.
 */
export async function claimChunk(
  db: Db,
  runId: string,
  leaseMs: number,
): Promise<ClaimedChunk | undefined> {
  const { rows } = await sql<ClaimedChunk>`
    WITH run AS (
      SELECT id, app_ref, campaign_id, message, valid_until FROM campaign_runs
      WHERE id = ${runId} AND state IN ('materialising', 'running') AND NOT dry_run
    ), picked AS (
      SELECT c.run_id, c.ordinal FROM campaign_chunks c
      WHERE c.run_id = ${runId} AND c.due_at <= now() AND EXISTS (SELECT FROM run)
      ORDER BY c.due_at, c.ordinal LIMIT 1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE campaign_chunks c SET
        due_at = now() + ${leaseMs}::float8 * interval '1 ms', leased = true, lease_epoch = c.lease_epoch + 1, pause_id = NULL,
        expires_at = coalesce(c.expires_at, run.valid_until, now() + ${DEFAULT_EXPIRY}::interval)
      FROM picked, run
      WHERE c.run_id = ${runId} AND c.ordinal = picked.ordinal
      RETURNING c.run_id, c.ordinal, c.lease_epoch, c.checkpoint, c.provider, c.canary, c.outcomes, c.expires_at,
        run.app_ref, run.campaign_id, run.message
    )
    SELECT claimed.*, now() AS claimed_at,
      (SELECT json_build_object('version', k.version, 'route', k.route, 'environment', k.environment)
      FROM credentials k WHERE k.app_ref = claimed.app_ref AND k.provider = claimed.provider) AS credential,
      (SELECT json_agg(json_build_object(
        'id', p.id, 'environment', p.environment, 'credentialVersion', p.credential_version, 'scope', p.scope,
        'reason', p.reason, 'probeDeliveryId', p.probe_delivery_id))
      FROM pauses p
      WHERE p.app_ref = claimed.app_ref AND p.provider = claimed.provider AND p.lifted_at IS NULL) AS pauses
    FROM claimed`.execute(db);
  return rows[0];
}

/** A device that is to get the run at another push token than the one it had when the audience was frozen. */
export interface MovedToken {
  readonly runId: string;
  readonly provider: Provider;
  readonly deviceId: number;
  /** The one that it is about to be sent to. By now the device may have yet another. */
  readonly pushToken: string;
}

/**
 * Whether a device whose push token changed since may get the run at its new one: nobody else in the audience has it. Asked when the
 * whole audience is frozen. Of two devices that moved to the same token the first one gets it; asking again answers the same.
 */
export async function claimMovedToken(db: Db, moved: MovedToken): Promise<boolean> {
  const { runId, provider, deviceId } = moved;
  const hash = hashPushToken(moved.pushToken);
  // Whoever is in the audience under this token has it still, or released it.
  const { rows } = await sql<{ deviceId: number }>`
    WITH holder AS (
      SELECT d.id FROM devices d JOIN campaign_runs r ON r.id = ${runId} AND r.app_ref = d.app_ref + 0
      WHERE d.push_token_hash = ${hash} AND d.provider || '' = ${provider} AND d.id <> ${deviceId}
      UNION ALL
      SELECT t.device_id FROM token_releases t JOIN campaign_runs r ON r.id = ${runId} AND r.app_ref = t.app_ref
      WHERE t.push_token_hash = ${hash} AND t.provider = ${provider} AND t.device_id <> ${deviceId}
    )
    INSERT INTO campaign_moved_tokens AS m (run_id, provider, push_token_hash, device_id)
    SELECT ${runId}, ${provider}, ${hash}, ${deviceId}
    WHERE NOT EXISTS (
      SELECT FROM holder
      WHERE ${frozenHashOf(sql`${runId}`, sql`${provider}`, sql`holder.id`)} = substring(${hash}::bytea FOR 16))
    ON CONFLICT (run_id, provider, push_token_hash) DO UPDATE SET device_id = m.device_id
    RETURNING device_id`.execute(db);
  return rows[0]?.deviceId === moved.deviceId;
}

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
    ), counted AS (
      INSERT INTO campaign_run_counts AS t (run_id, provider, code, shard, count)
      SELECT d.run_id, d.provider, d.code, ${shard}::smallint, sum(d.change)
      FROM unnest(
        ${changes.map((c) => c.n)}::integer[],
        ${changes.map((c) => c.point.runId)}::uuid[],
        ${changes.map((c) => c.point.provider)}::text[],
        ${changes.map((c) => c.code)}::smallint[],
        ${changes.map((c) => c.change)}::integer[]
      ) AS d (n, run_id, provider, code, change)
      JOIN written w ON w.n = d.n
      GROUP BY 1, 2, 3
      -- Rows are locked in one order by all, so that none waits for another that waits for it.
      ORDER BY 1, 2, 3
      ON CONFLICT (run_id, provider, code, shard) DO UPDATE SET count = t.count + excluded.count
    )${exceptions.length === 0 ? sql`` : sql`, excepted AS (${insertExceptions(exceptions)})`}
    SELECT w.n IS NOT NULL AS recorded FROM input i LEFT JOIN written w ON w.n = i.n ORDER BY i.n`.execute(
    db,
  );
  if (rows.every((row) => row.recorded)) return rows.map(() => true);
  // Looked at afterwards: the first of two equal statements may have been under way when the second began.
  const found = await findRecorded(db, checkpoints);
  return rows.map((row, n) => row.recorded || found[n] === true);
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

/** Lets held leases last `leaseMs` from now. Answers, in the order of the input, which were still held. */
export async function renewChunkLeases(
  db: Db,
  leases: readonly ChunkLease[],
  leaseMs: number,
): Promise<readonly boolean[]> {
  if (leases.length === 0) return [];
  const [firstRun, lastRun] = toBounds(leases.map((lease) => lease.runId));
  const { rows } = await sql<{ renewed: boolean }>`
    WITH input AS (
      SELECT * FROM unnest(
        ${leases.map((l) => l.runId)}::uuid[], ${leases.map((l) => l.ordinal)}::integer[], ${leases.map((l) => l.leaseEpoch)}::integer[]
      ) WITH ORDINALITY AS i (run_id, ordinal, epoch, n)
    ), renewed AS (
      UPDATE campaign_chunks c SET due_at = now() + ${leaseMs}::float8 * interval '1 ms'
      FROM input i
      WHERE c.run_id = i.run_id AND c.ordinal = i.ordinal AND c.run_id BETWEEN ${firstRun}::uuid AND ${lastRun}::uuid
        AND c.lease_epoch = i.epoch AND c.leased AND c.due_at > now()
      RETURNING i.n
    )
    SELECT r.n IS NOT NULL AS renewed FROM input i LEFT JOIN renewed r ON r.n = i.n ORDER BY i.n`.execute(
    db,
  );
  return rows.map((row) => row.renewed);
}

/** A chunk of a run that will not go on, under lease, and what of it is owed. */
export interface UnsettledChunk extends ChunkLease {
  readonly appRef: number;
  readonly provider: Provider;
  readonly outcomes: Buffer;
  readonly checkpoint: number;
  /** Places in the chunk of deliveries that were tried and are owed still. */
  readonly deferred: readonly ChunkException[];
}

/** Takes leases on up to `limit` chunks of the run that have something owed and that nobody works on. */
export async function claimUnsettled(
  db: Db,
  runId: string,
  limit: number,
  leaseMs: number,
): Promise<readonly UnsettledChunk[]> {
  const { rows } = await sql<
    Omit<UnsettledChunk, 'deferred'> & { deferred: UnsettledChunk['deferred'] | null }
  >`
    WITH picked AS (
      SELECT c.run_id, c.ordinal FROM campaign_chunks c
      WHERE c.run_id = ${runId} AND c.due_at IS NOT NULL AND (NOT c.leased OR c.due_at <= now())
      ORDER BY c.due_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE campaign_chunks c SET
        due_at = now() + ${leaseMs}::float8 * interval '1 ms', leased = true, lease_epoch = c.lease_epoch + 1, pause_id = NULL
      FROM picked WHERE c.run_id = ${runId} AND c.ordinal = picked.ordinal
      RETURNING c.run_id, c.ordinal, c.lease_epoch, c.checkpoint, c.provider, c.outcomes
    )
    SELECT claimed.*, (SELECT app_ref FROM campaign_runs WHERE id = ${runId}) AS app_ref, (
      SELECT json_agg(json_build_object(
        'index', x.ordinal - claimed.ordinal::bigint * ${MAX_DELIVERIES_PER_CHUNK}::bigint, 'deviceId', x.device_id, 'userId', x.user_id,
        'state', x.state, 'reason', x.reason, 'attempts', x.attempts, 'ambiguousAttempts', x.ambiguous_attempts,
        'nextAttemptAt', NULL, 'providerMessageId', x.provider_message_id, 'history', '[]'::json))
      FROM campaign_exceptions x
      WHERE x.run_id = ${runId} AND x.state = 'pending'
        AND x.ordinal >= claimed.ordinal::bigint * ${MAX_DELIVERIES_PER_CHUNK}::bigint
        AND x.ordinal < (claimed.ordinal::bigint + 1) * ${MAX_DELIVERIES_PER_CHUNK}::bigint
    ) AS deferred
    FROM claimed`.execute(db);
  return rows.map((row) => ({ ...row, deferred: row.deferred ?? [] }));
}

function toBounds(ids: readonly string[]): [string, string] {
  const sorted = ids.toSorted();
  return [sorted[0] ?? '', sorted.at(-1) ?? ''];
}
