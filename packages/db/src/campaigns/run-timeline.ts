import { OUTCOME_CODES, type DeliveryState } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import type { Db } from '../database.ts';

const FINAL_STATES = [
  'sent',
  'failed',
  'expired',
  'skipped',
] as const satisfies readonly DeliveryState[];
type FinalState = (typeof FINAL_STATES)[number];

/** How many deliveries of a run were final at that time, by what had come of them. */
export interface TimelinePoint extends Readonly<Record<FinalState, number>> {
  readonly at: Date;
}

export interface RunTimeline {
  /** How long the spans between two points are, s; the last one may be shorter. */
  readonly intervalSeconds: number;
  /** From when the run began on, the earliest first. None where it did not begin. */
  readonly points: readonly TimelinePoint[];
}

interface Span {
  readonly seconds: number;
  /** So long after the run began it is another one. */
  readonly untilSeconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How finely times are kept. The longer a run is under way the coarser, so that each run has few rows, and about 180 points to show however
 * long it takes. Each span is a multiple of the one before, and so is the time at which it takes over: so what is kept finely adds up
 * to what is kept coarsely.
 */
export const TIMELINE_SPANS: readonly Span[] = [
  { seconds: 1, untilSeconds: 3 * MINUTE },
  { seconds: 5, untilSeconds: 15 * MINUTE },
  { seconds: 15, untilSeconds: 45 * MINUTE },
  { seconds: MINUTE, untilSeconds: 3 * HOUR },
  { seconds: 5 * MINUTE, untilSeconds: 15 * HOUR },
  { seconds: 15 * MINUTE, untilSeconds: 45 * HOUR },
  { seconds: HOUR, untilSeconds: 7.5 * DAY },
  { seconds: 4 * HOUR, untilSeconds: 30 * DAY },
  { seconds: DAY, untilSeconds: 180 * DAY },
  { seconds: 30 * DAY, untilSeconds: Infinity },
];

/**
 * Adds what changed of a run's sums to the span of now. `changed` has `run_id`, `code` and `change`; the statement writes the sums by it,
 * too, so that the two agree.
 */
export function addToTimeline(changed: RawBuilder<unknown>, shard: number): RawBuilder<unknown> {
  return sql`
    INSERT INTO campaign_run_timeline AS t (run_id, at, shard, ${eachState((state) => sql.ref(state))})
    SELECT f.run_id, date_bin(${toSpan(sql`now() - r.started_at`)}, greatest(now(), r.started_at), r.started_at), ${shard}::smallint,
      ${eachState((state) => sql`f.${sql.ref(state)}`)}
    FROM (
      SELECT run_id, ${sumByState(sql`change`)} FROM ${changed} WHERE code = ANY (${codesOf(...FINAL_STATES)}::smallint[]) GROUP BY run_id
    ) f
    JOIN campaign_runs r ON r.id = f.run_id
    -- Rows are locked in one order by all, so that none waits for another that waits for it.
    ORDER BY 1, 2
    ON CONFLICT (run_id, at, shard) DO UPDATE SET
      ${eachState((state) => sql`${sql.ref(state)} = t.${sql.ref(state)} + excluded.${sql.ref(state)}`)}`;
}

/**
 * What stood in the sums of a run at the end of each span of time since it began, about 180 of them at most; the last point is what stands
 * there now. What was counted before times were kept stands in the first.
 */
export async function readRunTimeline(db: Db, runId: string): Promise<RunTimeline> {
  const { rows } = await sql<TimelinePoint & { readonly intervalSeconds: number }>`
    WITH period AS (
      SELECT started_at, greatest(
        coalesce(finished_at, now()), (SELECT max(at) FROM campaign_run_timeline WHERE run_id = ${runId})
      ) AS ended_at
      FROM campaign_runs WHERE id = ${runId} AND started_at IS NOT NULL
    ), run AS (
      SELECT *, ${toSpan(sql`ended_at - started_at`)} AS span FROM period
    ), added AS (
      SELECT date_bin(run.span, t.at, run.started_at) AS at, ${eachState((state) => sql`sum(t.${sql.ref(state)}) AS ${sql.ref(state)}`)}
      FROM campaign_run_timeline t, run WHERE t.run_id = ${runId} GROUP BY 1
    ), first AS (
      SELECT ${eachState((state) => sql`c.${sql.ref(state)} - coalesce((SELECT sum(${sql.ref(state)}) FROM added), 0) AS ${sql.ref(state)}`)}
      FROM (SELECT ${sumByState(sql`count`)} FROM campaign_run_counts WHERE run_id = ${runId}) c
    ), point AS (
      SELECT run.started_at AS at, first.* FROM run, first
      UNION ALL
      SELECT least(s.at + run.span, run.ended_at), ${eachState((state) => sql`coalesce(a.${sql.ref(state)}, 0)`)}
      FROM run CROSS JOIN generate_series(run.started_at, run.ended_at, run.span) AS s (at) LEFT JOIN added a ON a.at = s.at
    )
    SELECT p.at, extract(epoch FROM run.span)::integer AS interval_seconds,
      ${eachState((state) => sql`(sum(p.${sql.ref(state)}) OVER earlier)::bigint AS ${sql.ref(state)}`)}
    FROM point p, run WINDOW earlier AS (ORDER BY p.at ROWS UNBOUNDED PRECEDING) ORDER BY p.at`.execute(
    db,
  );
  const [first] = rows;
  return {
    intervalSeconds: first?.intervalSeconds ?? 1,
    points: rows.map(({ at, sent, failed, expired, skipped }) => ({
      at,
      sent,
      failed,
      expired,
      skipped,
    })),
  };
}

/** The span that counts so long after a run began. */
function toSpan(elapsed: RawBuilder<unknown>): RawBuilder<unknown> {
  const cases = TIMELINE_SPANS.map(({ seconds, untilSeconds }) =>
    untilSeconds === Infinity
      ? sql`ELSE ${toInterval(seconds)}`
      : sql`WHEN ${elapsed} < ${toInterval(untilSeconds)} THEN ${toInterval(seconds)}`,
  );
  return sql`CASE ${sql.join(cases, sql` `)} END`;
}

/** A literal: it is part of the statement's text, which is the same each time. */
function toInterval(seconds: number): RawBuilder<unknown> {
  return sql`${sql.lit(`${seconds} s`)}::interval`;
}

function eachState(part: (state: FinalState) => RawBuilder<unknown>): RawBuilder<unknown> {
  return sql.join(FINAL_STATES.map(part));
}

function sumByState(summand: RawBuilder<unknown>): RawBuilder<unknown> {
  return eachState(
    (state) =>
      sql`coalesce(sum(${summand}) FILTER (WHERE code = ANY (${codesOf(state)}::smallint[])), 0) AS ${sql.ref(state)}`,
  );
}

function codesOf(...states: readonly DeliveryState[]): readonly number[] {
  return OUTCOME_CODES.filter(({ state }) => states.includes(state)).map(({ code }) => code);
}
