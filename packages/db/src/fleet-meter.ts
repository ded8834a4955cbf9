import { isFinalCode, OUTCOME_CODES, toUuidFloor, type Provider } from '@heliograph/core';
import { sql } from 'kysely';

import { TARGETED } from './campaigns/run-counts.ts';
import type { Db } from './database.ts';
import type { PausesTable } from './schema.ts';

/*
 * What is the same for the whole fleet, for its metrics: one dispatcher asks, under a lease. Every query reads an index and has a bound.
 */

/** Takes the right to measure, or keeps it, for `holdMs` from now. Answers false while somebody else has it. */
export async function holdMeter(db: Db, holder: string, holdMs: number): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO fleet_meter AS m (holder, held_until)
    VALUES (${holder}::uuid, now() + ${holdMs}::float8 * interval '1 ms')
    ON CONFLICT (only_row) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
      WHERE m.holder = excluded.holder OR m.held_until <= now()
    RETURNING 1`.execute(db);
  return rows.length > 0;
}

/** Lets the next one measure at once. */
export async function releaseMeter(db: Db, holder: string): Promise<void> {
  await sql`UPDATE fleet_meter SET held_until = now() WHERE holder = ${holder}::uuid`.execute(db);
}

export interface Backlog {
  /** For how long what is due longest, and nobody has in hand, has waited. 0 where there is none. */
  readonly oldestSeconds: number;
  /** How many deliveries are due, about, and a million at most. */
  readonly deliveries: number;
}

/** What waits in each lane. A run that may not be sent now, or has a rate of its own, keeps nobody waiting. */
export async function measureBacklog(
  db: Db,
): Promise<{ readonly message: Backlog; readonly campaign: Backlog }> {
  const { rows } = await sql<Record<'messageAge' | 'messages' | 'chunkAge' | 'chunks', number>>`
    SELECT
      (SELECT coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8 FROM deliveries
        WHERE state = 'pending' AND next_attempt_at <= now() AND pause_id IS NULL
          AND (lease_until IS NULL OR lease_until < now())) AS message_age,
      (SELECT count(*)::float8 FROM (
        SELECT FROM deliveries WHERE state = 'pending' AND next_attempt_at <= now() AND pause_id IS NULL
        LIMIT ${MAX_WAITING}) AS due) AS messages,
      coalesce(extract(epoch FROM now() - c.oldest), 0)::float8 AS chunk_age, c.chunks
    FROM (
      SELECT min(due_at) FILTER (WHERE NOT leased) AS oldest, count(*)::float8 AS chunks FROM (
        SELECT c.due_at, c.leased FROM campaign_runs AS r JOIN campaign_chunks AS c ON c.run_id = r.id AND c.due_at <= now()
        WHERE r.finished_at IS NULL AND r.state IN ('materialising', 'running') AND NOT r.dry_run
          AND r.rate_per_second IS NULL
        LIMIT ${MAX_WAITING_CHUNKS}
      ) AS due
    ) AS c`.execute(db);
  const { messageAge = 0, messages = 0, chunkAge = 0, chunks = 0 } = rows[0] ?? {};
  return {
    message: { oldestSeconds: messageAge, deliveries: messages },
    campaign: { oldestSeconds: chunkAge, deliveries: 1000 * chunks },
  };
}

const MAX_WAITING = 1_000_000;
const MAX_WAITING_CHUNKS = 10_000;

export interface PauseCount {
  readonly kind: PausesTable['scope'];
  readonly provider: Provider;
  readonly reason: string;
  readonly count: number;
}

/** Scopes that are stopped. */
export async function countPauses(db: Db): Promise<readonly PauseCount[]> {
  const { rows } = await sql<PauseCount>`
    SELECT scope AS kind, provider, reason, count(*)::integer AS count FROM pauses
    WHERE lifted_at IS NULL GROUP BY 1, 2, 3`.execute(db);
  return rows;
}

/** Token faults that the guard does not believe until an operator has decided; ten thousand at most. */
export async function countHeldFaults(db: Db): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM (
      SELECT FROM token_faults WHERE state = 'held' LIMIT 10000) AS held`.execute(db);
  return rows[0]?.count ?? 0;
}

const LEDGER_WINDOW_MS = 60_000;
const MAX_LEDGER_DELIVERIES = 20_000;
/** A run lasts no longer, with all that is retried of it. */
const LEDGER_RUNS_MS = 30 * 24 * 3_600_000;
const MAX_LEDGER_RUNS = 200;

/**
 * How many deliveries the ledger can't account for: 0, or there is a bug. Of the messages of the last minute, whose deliveries' ids count up
 * without a gap; and of the latest runs that are open, or ended within the hour, whose sums must be those of their audiences.
 */
export async function measureImbalance(db: Db, nowMs: number): Promise<number> {
  const { rows } = await sql<{ imbalance: number }>`
    SELECT (${unbalancedMessages(nowMs)} + ${unbalancedRuns(nowMs)})::float8 AS imbalance`.execute(
    db,
  );
  return rows[0]?.imbalance ?? 0;
}

/** The last four digits of a delivery's id are its place among those of its message. The bound may have cut off a part of the last one. */
function unbalancedMessages(nowMs: number) {
  return sql`(
      SELECT coalesce(sum(abs(m.last - m.count)) FILTER (WHERE m.behind > 0), 0) FROM (
        SELECT count(*) AS count, max(('x' || right(d.id::text, 4))::bit(16)::integer) AS last,
          count(*) OVER (ORDER BY d.message_id DESC ROWS UNBOUNDED PRECEDING) - 1 AS behind
        FROM (
          SELECT id, message_id FROM deliveries
          WHERE id >= ${toUuidFloor(nowMs - LEDGER_WINDOW_MS)}::uuid ORDER BY id LIMIT ${MAX_LEDGER_DELIVERIES}
        ) AS d GROUP BY d.message_id
      ) AS m
    )`;
}

/** targeted = sent + failed + expired + skipped + pending, and nothing is pending at the end. */
function unbalancedRuns(nowMs: number) {
  return sql`(
      SELECT coalesce(sum(n.negative + CASE
        WHEN r.finished_at IS NULL THEN greatest(n.final - n.targeted, 0) ELSE abs(n.final - n.targeted) END), 0)
      FROM (
        SELECT id, finished_at FROM campaign_runs
        WHERE NOT dry_run AND id >= ${toUuidFloor(nowMs - LEDGER_RUNS_MS)}::uuid
          AND (finished_at IS NULL OR finished_at > now() - interval '1 hour')
        ORDER BY id DESC LIMIT ${MAX_LEDGER_RUNS}
      ) AS r
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.count) FILTER (WHERE s.code = ${TARGETED}), 0) AS targeted,
          coalesce(sum(s.count) FILTER (WHERE s.code = ANY (${FINAL_CODES}::smallint[])), 0) AS final,
          coalesce(-sum(s.count) FILTER (WHERE s.count < 0), 0) AS negative
        FROM (
          SELECT code, sum(count) AS count FROM campaign_run_counts WHERE run_id = r.id GROUP BY provider, code
        ) AS s
      ) AS n
    )`;
}

const FINAL_CODES = OUTCOME_CODES.map(({ code }) => code).filter(isFinalCode);

/** For how long the oldest event has waited that a receiver was not told yet. 0 where there is none. */
export interface CallbackWait {
  /** Of receivers that took the last request, or had none. */
  readonly workingSeconds: number;
  /** Of those that did not take it. */
  readonly failingSeconds: number;
}

export async function measureCallbackWait(db: Db): Promise<CallbackWait> {
  const { rows } = await sql<CallbackWait>`
    SELECT coalesce(max(w.seconds) FILTER (WHERE NOT w.failing), 0) AS working_seconds,
      coalesce(max(w.seconds) FILTER (WHERE w.failing), 0) AS failing_seconds
    FROM (
      SELECT c.failures > 0 AS failing, extract(epoch FROM now() - e.created_at)::float8 AS seconds
      FROM callback_endpoints AS c
      CROSS JOIN LATERAL (
        SELECT e.created_at FROM callback_events AS e
        WHERE e.app_ref = c.app_ref AND e.developer_key_ref = c.developer_key_ref
          AND (e.xid, e.id) > (c.position_xid, c.position_id)
        ORDER BY e.xid, e.id LIMIT 1
      ) AS e
      WHERE c.suspended_at IS NULL AND NOT EXISTS (
        SELECT FROM developer_keys AS k WHERE k.id = c.developer_key_ref AND k.disabled_at IS NOT NULL)
    ) AS w`.execute(db);
  return rows[0] ?? { workingSeconds: 0, failingSeconds: 0 };
}
