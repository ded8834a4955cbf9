import { DEFERRED, OWED, toOutcome, toOutcomeCode, type Provider } from '@heliograph/core';
import { sql } from 'kysely';

import { tellRuns } from '../callback-writes.ts';
import type { Db } from '../database.ts';
import type { ReplayTerms, ReplayVerdict } from '../failed-deliveries.ts';
import { countReplayed } from '../failure-counts.ts';
import type { FailureState } from '../schema.ts';
import { MAX_DELIVERIES_PER_CHUNK } from './chunks.ts';
import { sumFinal } from './run-counts.ts';
import { addToTimeline } from './run-timeline.ts';

/** Which failed deliveries of an app's runs are meant. */
export interface FailedPlaces {
  readonly appRef: number;
  /** Undefined: of all runs that went on in the period. */
  readonly runId: string | undefined;
  readonly provider: Provider | undefined;
  /** Undefined: both. */
  readonly state: FailureState | undefined;
  readonly reason: string | undefined;
  readonly since: Date;
  readonly until: Date;
}

/** The outcome codes that a failure of this kind may have. */
export function toFailureCodes({
  state,
  reason,
}: Pick<FailedPlaces, 'state' | 'reason'>): readonly number[] {
  const states = state === undefined ? (['failed', 'expired'] as const) : [state];
  return states.flatMap((one) =>
    reason === undefined ? CODES[one] : [toOutcomeCode(one, reason)],
  );
}

const CODES: Readonly<Record<FailureState, readonly number[]>> = {
  failed: Array.from({ length: 216 }, (_, n) => n + 40).filter(isKnown),
  expired: [toOutcomeCode('expired', null)],
};

function isKnown(code: number): boolean {
  try {
    return toOutcome(code).state === 'failed';
  } catch {
    return false;
  }
}

/** Runs, the earliest first, with such a delivery, whose devices are kept, and that went on in the period. */
export async function listFailedRuns(
  db: Db,
  { appRef, runId, provider, since, until, ...cause }: FailedPlaces,
  {
    from,
    limit,
    order = 'asc',
  }: {
    readonly from?: string | undefined;
    readonly limit: number;
    readonly order?: 'asc' | 'desc';
  },
): Promise<readonly string[]> {
  const codes = toFailureCodes(cause);
  const isFrom = order === 'asc' ? sql`>=` : sql`<=`;
  const { rows } = await sql<{ id: string }>`
    SELECT r.id FROM campaign_runs r
    WHERE r.app_ref = ${appRef} AND NOT r.dry_run AND r.devices_purged_at IS NULL AND r.started_at < ${until}
      AND (r.finished_at IS NULL OR r.finished_at >= ${since})
      ${runId === undefined ? sql`` : sql`AND r.id = ${runId}`}
      ${from === undefined ? sql`` : sql`AND r.id ${isFrom} ${from}`}
      AND EXISTS (
        SELECT FROM campaign_run_counts c
        WHERE c.run_id = r.id AND c.code = ANY (${codes}::smallint[]) ${provider === undefined ? sql`` : sql`AND c.provider = ${provider}`}
        GROUP BY c.run_id HAVING sum(c.count) > 0)
    ORDER BY r.id ${sql.raw(order)} LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** The first chunk of the run, from this one on, that has such an outcome; undefined where there is none. */
export async function findFailedChunk(
  db: Db,
  runId: string,
  from: number,
  { provider, ...cause }: Pick<FailedPlaces, 'provider' | 'state' | 'reason'>,
): Promise<number | undefined> {
  const bytes = toFailureCodes(cause).map((code) => Buffer.of(code));
  const { rows } = await sql<{ ordinal: number }>`
    SELECT ordinal FROM campaign_chunks
    WHERE run_id = ${runId} AND ordinal >= ${from}
      AND EXISTS (SELECT FROM unnest(${bytes}::bytea[]) AS byte WHERE position(byte IN outcomes) > 0)
      ${provider === undefined ? sql`` : sql`AND provider = ${provider}`}
    ORDER BY ordinal LIMIT 1`.execute(db);
  return rows[0]?.ordinal;
}

/** What of a chunk failed, and what became of it. */
export interface ChunkReplay {
  /** Somebody sends it right now, or something else of it is owed that has another expiry. Nothing was done. */
  readonly busy: boolean;
  readonly verdicts: ReadonlyMap<ReplayVerdict, number>;
}

interface HeldRun {
  readonly state: string;
  readonly finishedAt: Date | null;
  readonly devicesPurgedAt: Date | null;
}

interface HeldChunk {
  readonly provider: Provider;
  readonly outcomes: Buffer;
  readonly isLeased: boolean;
  readonly isOwed: boolean;
  /** What of it is owed was replayed with an expiry of its own. */
  readonly isOverridden: boolean;
  /** What is replayed now could be sent no more. */
  readonly isOver: boolean;
}

interface FailedPlace {
  readonly index: number;
  readonly code: number;
  readonly reachable: boolean;
  readonly state: string | null;
  readonly reason: string | null;
  readonly ambiguousAttempts: number;
  readonly finishedAt: Date | null;
}

/**
 * Puts failed deliveries of a chunk back to be sent again, with `validUntil` until then; only counts them with `dryRun`. The run goes on
 * if it was completed; one that is stopped takes them along when it is resumed, and of one that was cancelled nothing is sent again.
 *
 * One transaction, so the sums of the run are true at all times. The run is locked before the chunk, and its end waits for that: so it
 * can't end with something owed. A chunk under lease is its holder's, who writes all its outcomes at once, and is left alone.
 */
export async function replayChunk(
  db: Db,
  { runId, ordinal }: { readonly runId: string; readonly ordinal: number },
  failed: FailedPlaces,
  terms: ReplayTerms,
  dryRun: boolean,
): Promise<ChunkReplay> {
  return db.transaction().execute(async (tx) => {
    const run = await holdRun(tx, runId);
    const chunk = run === undefined ? undefined : await holdChunk(tx, runId, ordinal, terms);
    if (run === undefined || chunk === undefined || run.devicesPurgedAt !== null) return NOTHING;
    if (!dryRun && isBusy(chunk, terms)) return { ...NOTHING, busy: true };

    const places = (await readFailed(tx, runId, ordinal, chunk, failed)).filter((place) =>
      isMeant(place, failed),
    );
    const verdicts = new Map<ReplayVerdict, number>();
    const replayed: FailedPlace[] = [];
    for (const place of places) {
      const verdict = judge(place, run, chunk, terms);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      if (verdict === 'replayable') replayed.push(place);
    }
    if (!dryRun && replayed.length > 0)
      await putBack(tx, { runId, ordinal, run, chunk, appRef: failed.appRef }, replayed, terms);
    return { busy: false, verdicts };
  });
}

const NOTHING: ChunkReplay = { busy: false, verdicts: new Map() };

async function holdRun(tx: Db, id: string): Promise<HeldRun | undefined> {
  return tx
    .selectFrom('campaignRuns')
    .select(['state', 'finishedAt', 'devicesPurgedAt'])
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

async function holdChunk(
  tx: Db,
  runId: string,
  ordinal: number,
  { validUntil }: ReplayTerms,
): Promise<HeldChunk | undefined> {
  const { rows } = await sql<HeldChunk>`
    SELECT provider, outcomes, leased AND due_at > now() AS is_leased, due_at IS NOT NULL AS is_owed,
      replay_expires_at IS NOT NULL AS is_overridden,
      coalesce(${validUntil ?? null}::timestamptz, expires_at, 'infinity') <= now() AS is_over
    FROM campaign_chunks WHERE run_id = ${runId} AND ordinal = ${ordinal} FOR NO KEY UPDATE`.execute(
    tx,
  );
  return rows[0];
}

/** All that is owed of a chunk has one expiry, so none is changed under what waits for its own. */
function isBusy(
  { isLeased, isOwed, isOverridden }: HeldChunk,
  { validUntil }: ReplayTerms,
): boolean {
  return isLeased || (isOwed && (isOverridden || validUntil !== undefined));
}

async function readFailed(
  tx: Db,
  runId: string,
  ordinal: number,
  { provider, outcomes }: HeldChunk,
  failed: FailedPlaces,
): Promise<readonly FailedPlace[]> {
  const codes = new Set(toFailureCodes(failed));
  const indexes = [...outcomes.entries()].flatMap(([index, code]) =>
    codes.has(code) ? [index] : [],
  );
  if (indexes.length === 0) return [];
  const { rows } = await sql<FailedPlace>`
    SELECT i.index, get_byte(c.outcomes, i.index) AS code, x.state, x.reason, coalesce(x.ambiguous_attempts, 0) AS ambiguous_attempts,
      x.finished_at,
      coalesce(d.token_deactivated_at IS NULL AND d.provider = ${provider} AND d.app_ref = ${failed.appRef}
        AND hashtextextended(d.user_id, 0) = c.user_hashes[i.index + 1], false) AS reachable
    FROM campaign_chunks c
    CROSS JOIN unnest(${indexes}::integer[]) AS i (index)
    LEFT JOIN LATERAL (SELECT * FROM devices WHERE id = c.device_ids[i.index + 1] OFFSET 0) d ON true
    LEFT JOIN LATERAL (
      SELECT * FROM campaign_exceptions
      WHERE run_id = ${runId} AND ordinal = ${ordinal * MAX_DELIVERIES_PER_CHUNK}::bigint + i.index OFFSET 0
    ) x ON true
    WHERE c.run_id = ${runId} AND c.ordinal = ${ordinal}
    ORDER BY i.index`.execute(tx);
  return rows;
}

/** What the exception says more than the byte: the provider's words, and when it was. */
function isMeant(
  { code, state, reason, finishedAt }: FailedPlace,
  { reason: wanted, since, until }: FailedPlaces,
): boolean {
  const outcome = toOutcome(code);
  const hasWords = state === outcome.state;
  if (wanted !== undefined && ((hasWords ? reason : null) ?? outcome.reason) !== wanted)
    return false;
  return !hasWords || finishedAt === null || (finishedAt >= since && finishedAt < until);
}

function judge(
  place: FailedPlace,
  run: HeldRun,
  chunk: HeldChunk,
  { includeAmbiguous }: ReplayTerms,
): ReplayVerdict {
  if (run.state === 'cancelled') return 'cancelled';
  if (place.ambiguousAttempts > 0 && !includeAmbiguous) return 'ambiguous';
  if (chunk.isOver) return 'over';
  return place.reachable ? 'replayable' : 'unreachable';
}

interface Held {
  readonly runId: string;
  readonly ordinal: number;
  readonly run: HeldRun;
  readonly chunk: HeldChunk;
  readonly appRef: number;
}

/** The shard of the sums that replays add to; dispatchers have those from 0 on, and freezing has -1. */
const REPLAY_SHARD = -2;

async function putBack(
  tx: Db,
  { runId, ordinal, run, chunk, appRef }: Held,
  places: readonly FailedPlace[],
  { validUntil }: ReplayTerms,
): Promise<void> {
  const outcomes = Buffer.from(chunk.outcomes);
  const changes = new Map<number, number>();
  const add = (code: number, change: number) =>
    changes.set(code, (changes.get(code) ?? 0) + change);
  // What was never tried has no exception, and is owed as it was at first.
  const tried = places.filter(({ state }) => state !== null);
  const triedAt = new Set(tried.map(({ index }) => index));
  for (const { index, code } of places) {
    const isTried = triedAt.has(index);
    outcomes[index] = isTried ? DEFERRED : OWED;
    add(code, -1);
    if (isTried) add(DEFERRED, 1);
  }

  await sql`
    UPDATE campaign_chunks SET outcomes = ${outcomes}, due_at = now(), leased = false, lease_epoch = lease_epoch + 1, pause_id = NULL,
      replay_expires_at = ${validUntil ?? null}::timestamptz
    WHERE run_id = ${runId} AND ordinal = ${ordinal}`.execute(tx);
  await sql`
    UPDATE campaign_exceptions SET state = 'pending', reason = 'replayed', next_attempt_at = now(), finished_at = NULL,
      replayed_at = now(), attempts_before = attempts, ambiguous_before = ambiguous_attempts, history = coalesce(history, '[]')
    WHERE run_id = ${runId} AND ordinal = ANY (${tried.map(({ index }) => ordinal * MAX_DELIVERIES_PER_CHUNK + index)}::bigint[])`.execute(
    tx,
  );
  await sql`
    WITH changed AS (
      SELECT ${runId}::uuid AS run_id, ${chunk.provider}::text AS provider, c.*
      FROM unnest(${[...changes.keys()]}::smallint[], ${[...changes.values()]}::bigint[]) AS c (code, change)
    ), timed AS (
      ${addToTimeline(sql`changed`, REPLAY_SHARD)}
    )
    INSERT INTO campaign_run_counts AS t (run_id, provider, code, shard, count)
    SELECT run_id, provider, code, ${REPLAY_SHARD}::smallint, change FROM changed
    ORDER BY code
    ON CONFLICT (run_id, provider, code, shard) DO UPDATE SET count = t.count + excluded.count`.execute(
    tx,
  );
  await reopen(tx, runId, run, validUntil);
  // What expired without a try has no time of its own: it is counted where its run ended.
  const endedAt = run.finishedAt ?? new Date();
  const words = places.map((place) => {
    const outcome = toOutcome(place.code);
    const hasWords = place.state === outcome.state;
    return {
      state: outcome.state,
      reason: (hasWords ? place.reason : null) ?? outcome.reason,
      at: ((hasWords ? place.finishedAt : null) ?? endedAt).toISOString(),
    };
  });
  await sql`
    WITH replayed AS (
      SELECT ${appRef}::bigint AS app_ref, ${chunk.provider}::text AS provider, f.* FROM unnest(
        ${words.map(({ state }) => state)}::text[], ${words.map(({ reason }) => reason)}::text[], ${words.map(({ at }) => at)}::timestamptz[]
      ) AS f (state, reason, finished_at)
    )
    ${countReplayed('campaign', sql`replayed`)}`.execute(tx);
}

/**
 * A run that was completed goes on. How often it may fail is counted from here, as when an operator resumes it. Its row is written in any
 * case: whoever ends it waits for that, and looks again.
 */
async function reopen(
  tx: Db,
  id: string,
  run: HeldRun,
  validUntil: Date | undefined,
): Promise<void> {
  const { sent, failed } = await sumFinal(tx, id);
  const isOver = run.state === 'completed';
  await tx
    .updateTable('campaignRuns')
    .set({
      judgedSent: sent,
      judgedFailed: failed,
      ...(isOver ? { state: 'running', reason: null, finishedAt: null, measuredAt: null } : {}),
      ...(validUntil === undefined
        ? {}
        : { replayUntil: sql<Date>`greatest(replay_until, ${validUntil}::timestamptz)` }),
    })
    .where('id', '=', id)
    .execute();
  if (isOver)
    await sql`
      WITH reopened AS (SELECT * FROM campaign_runs WHERE id = ${id})
      ${tellRuns('run.resumed', sql`reopened`)}`.execute(tx);
}
