import type { Db } from '@heliograph/db';
import { Redis } from 'ioredis';
import { sql } from 'kysely';

/** What a run may be waiting for, for whoever reads a failed test: its rows, who holds what in PostgreSQL, and the lane. */
export async function explainRun(
  { db, redisUrl, prefix }: { db: Db; redisUrl: string; prefix: string },
  runId: string,
): Promise<string> {
  const { rows: runs } = await sql`
    SELECT to_jsonb(r) - 'message' - 'id' AS run FROM campaign_runs r WHERE id = ${runId}`.execute(
    db,
  );
  const { rows: chunks } = await sql`
    SELECT ordinal, leased, lease_epoch, checkpoint, pause_id, (due_at - now())::text AS due_in, (
      SELECT jsonb_object_agg(code, count) FROM (
        SELECT get_byte(outcomes, n) AS code, count(*)
        FROM generate_series(0, length(outcomes) - 1) n GROUP BY 1
      ) c
    ) AS outcomes
    FROM campaign_chunks WHERE run_id = ${runId} AND due_at IS NOT NULL ORDER BY due_at`.execute(
    db,
  );
  const { rows: owed } = await sql`
    SELECT reason, count(*), (min(next_attempt_at) - now())::text AS next_in, max(attempts) AS attempts
    FROM campaign_exceptions WHERE run_id = ${runId} AND state = 'pending' GROUP BY reason`.execute(
    db,
  );
  const { rows: sessions } = await sql`
    SELECT pid, state, wait_event, (now() - xact_start)::text AS open_for, pg_blocking_pids(pid) AS waits_for, left(query, 150) AS query, (
      SELECT jsonb_agg(DISTINCT concat_ws(' ', locktype, mode, CASE WHEN NOT granted THEN 'awaited' END))
      FROM pg_locks l WHERE l.pid = a.pid AND (locktype IN ('advisory', 'tuple', 'transactionid') OR NOT granted)
    ) AS locks
    FROM pg_stat_activity a
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`.execute(
    db,
  );
  const lane = await readLane(redisUrl, prefix).catch(String);
  return Object.entries({ runs, chunks, owed, sessions, lane: [lane] })
    .map(([what, rows]) => [what, ...rows.map((row) => JSON.stringify(row))].join('\n  '))
    .join('\n');
}

async function readLane(redisUrl: string, prefix: string): Promise<object> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined);
  const key = (name: string) => `${prefix}:campaigns:${name}`;
  try {
    return {
      waiting: await redis.llen(key('wait')),
      active: await redis.llen(key('active')),
      delayed: await redis.zcard(key('delayed')),
      markers: await redis.zcard(key('marker')),
    };
  } finally {
    redis.disconnect();
  }
}
