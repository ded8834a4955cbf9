import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { CampaignMessage } from '../schema.ts';
import { selectSendingConditions, type SendingConditions } from '../sending-conditions.ts';
import { MAX_DELIVERIES_PER_CHUNK, toBounds } from './chunks.ts';
import type { ChunkException } from './record-checkpoints.ts';

/** Which chunk is held under which epoch. */
export interface ChunkLease {
  readonly runId: string;
  readonly ordinal: number;
  readonly leaseEpoch: number;
}

/** A chunk under lease, with what its run and app say. */
export interface ClaimedChunk extends ChunkLease, SendingConditions {
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
    SELECT claimed.*, now() AS claimed_at, ${selectSendingConditions(sql`claimed.app_ref`, sql`claimed.provider`)}
    FROM claimed`.execute(db);
  return rows[0];
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
    SELECT claimed.*, (
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
