import { OWED, SENT, toOutcomeCode } from '@heliograph/core';
import { makeApp, makeCampaign, makeDevice, makeRun, useTestDatabase } from '@heliograph/testing';
import fc from 'fast-check';
import { sql } from 'kysely';

import { claimChunk, type ClaimedChunk } from './chunk-leases.ts';
import { countUsers } from './count-users.ts';
import { finishRun } from './end-run.ts';
import { freezePage } from './freeze-audience.ts';
import { purgeRuns } from './purge-runs.ts';
import { recordCheckpoints } from './record-checkpoints.ts';
import { replayChunk } from './replay-chunk.ts';
import { readRunTimeline, TIMELINE_SPANS, type TimelinePoint } from './run-timeline.ts';

const database = useTestDatabase({ poolSize: 10 });

const LEASE_MS = 60_000;
const TOO_LARGE = toOutcomeCode('failed', 'PayloadTooLarge');
const EXPIRED = toOutcomeCode('expired', 'expired');
const CANCELLED = toOutcomeCode('skipped', 'cancelled');
const MOST_POINTS = 183;

/** A run to so many devices, all in one chunk that is claimed, and what records what comes of them one by one. */
async function beginRun(devices: number) {
  const { db } = database;
  const appRef = await makeApp(db);
  const users = [];
  for (let n = 0; n < devices; n += 1) users.push((await makeDevice(db, appRef)).userId);
  const runId = await makeRun(db, await makeCampaign(db, appRef, users));
  while (await freezePage(db, runId));
  await countUsers(db, runId);
  const chunk = await claimChunk(db, runId, LEASE_MS);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  return { appRef, runId, record: recorderOf(chunk) };
}

/** Adds outcomes to those that were recorded; the last of them are the chunk's end. */
function recorderOf(chunk: ClaimedChunk) {
  const outcomes = Buffer.from(chunk.outcomes);
  let checkpoint = chunk.checkpoint;
  let done = 0;
  return async (codes: readonly number[], shard = 0) => {
    const changes = new Map<number, number>();
    for (const code of codes) {
      changes.set(code, (changes.get(code) ?? 0) + 1);
      outcomes[done] = code;
      done += 1;
    }
    const release = { kind: outcomes.includes(OWED) ? ('keep' as const) : ('done' as const) };
    const point = { ...chunk, checkpoint, outcomes: Buffer.from(outcomes), changes, release };
    const written = await recordCheckpoints(database.db, [{ ...point, exceptions: [] }], shard);
    checkpoint += 1;
    return written;
  };
}

/** As if so much time went by: all that is kept of the run's times is that much older. */
async function letPass(runId: string, seconds: number): Promise<void> {
  await database.db.transaction().execute(async (tx) => {
    const back = sql`${seconds} * interval '1 s'`;
    await sql`UPDATE campaign_runs SET started_at = started_at - ${back} WHERE id = ${runId}`.execute(
      tx,
    );
    // By way of long ago, so that none meets another on its way.
    for (const move of [sql`- ${back} - ${AGES}`, sql`+ ${AGES}`])
      await sql`UPDATE campaign_run_timeline SET at = at ${move} WHERE run_id = ${runId}`.execute(
        tx,
      );
  });
}

const AGES = sql`interval '400000 days'`;

/** Seconds since the run began. */
async function readElapsed(runId: string): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT extract(epoch FROM now() - started_at)::double precision AS seconds FROM campaign_runs WHERE id = ${runId}`.execute(
    database.db,
  );
  return rows[0]?.seconds ?? Number.NaN;
}

function readRows(runId: string) {
  return database.db
    .selectFrom('campaignRunTimeline')
    .selectAll()
    .where('runId', '=', runId)
    .execute();
}

const toCounts = ({ sent, failed, expired, skipped }: TimelinePoint) => [
  sent,
  failed,
  expired,
  skipped,
];

async function readLast(runId: string) {
  const point = (await readRunTimeline(database.db, runId)).points.at(-1);
  return point && toCounts(point);
}

describe('the spans', () => {
  test('add up to the next ones, which begin where one of those does', () => {
    for (const [n, { seconds, untilSeconds }] of TIMELINE_SPANS.entries()) {
      const next = TIMELINE_SPANS[n + 1];
      if (next === undefined) continue;
      expect([next.seconds % seconds, untilSeconds % next.seconds]).toEqual([0, 0]);
      expect(untilSeconds / seconds).toBeLessThanOrEqual(MOST_POINTS - 3);
    }
  });
});

describe('the timeline of a run', () => {
  test('says what stood in the sums at each time, however long the run takes', async () => {
    const pauses = fc.oneof(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 0, max: 3_000_000 }),
    );
    const outcome = fc.constantFrom(SENT, TOO_LARGE, EXPIRED, CANCELLED);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(pauses, outcome, fc.integer({ min: 0, max: 3 })), {
          minLength: 1,
          maxLength: 12,
        }),
        pauses,
        async (steps, rest) => {
          const { runId, record } = await beginRun(steps.length);
          const times: { readonly from: number; readonly to: number }[] = [];
          for (const [pause, code, shard] of steps) {
            await letPass(runId, pause);
            const from = await readElapsed(runId);
            await record([code], shard);
            times.push({ from, to: await readElapsed(runId) });
          }
          await letPass(runId, rest);

          const { points, intervalSeconds } = await readRunTimeline(database.db, runId);

          const startedAt = points[0]?.at.getTime() ?? Number.NaN;
          expect(points.length).toBeLessThanOrEqual(MOST_POINTS);
          const codes = steps.map(([, code]) => code);
          expect(points.at(-1) && toCounts(points.at(-1) as TimelinePoint)).toEqual(
            [SENT, TOO_LARGE, EXPIRED, CANCELLED].map(
              (code) => codes.filter((one) => one === code).length,
            ),
          );
          for (const [n, point] of points.entries()) {
            const at = (point.at.getTime() - startedAt) / 1_000;
            if (n > 0 && n < points.length - 2) expect(at).toBeCloseTo(n * intervalSeconds, 2);
            const count = toCounts(point).reduce((sum, one) => sum + one, 0);
            // What was recorded in the span that ends there is in; nothing later is.
            const sure = times.filter(({ to }) => to <= at - intervalSeconds).length;
            const possible = times.filter(({ from }) => from <= at + 0.001).length;
            expect(count).toBeGreaterThanOrEqual(sure);
            expect(count).toBeLessThanOrEqual(possible);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('is kept in one row per span and shard, whatever is recorded in it', async () => {
    const { runId, record } = await beginRun(6);
    // Spans of four hours: no test is so slow that a second one begins.
    await letPass(runId, 8 * 86_400 + 60);

    await record([SENT], 0);
    await record([SENT, TOO_LARGE], 0);
    await record([EXPIRED], 1);
    await record([SENT, CANCELLED], 1);

    const rows = await readRows(runId);
    expect(rows.map(({ shard, at: _at, runId: _run, ...counts }) => [shard, counts])).toEqual([
      [0, { sent: 2, failed: 1, expired: 0, skipped: 0 }],
      [1, { sent: 1, failed: 0, expired: 1, skipped: 1 }],
    ]);
    expect(new Set(rows.map(({ at }) => at.getTime())).size).toBe(1);
  });

  test('counts once what is recorded twice', async () => {
    const { runId, record } = await beginRun(2);
    await record([SENT, TOO_LARGE]);
    const { db } = database;
    const chunk = await db
      .selectFrom('campaignChunks')
      .selectAll()
      .where('runId', '=', runId)
      .executeTakeFirstOrThrow();

    await recordCheckpoints(
      db,
      [
        {
          ...chunk,
          appRef: 0,
          checkpoint: chunk.checkpoint - 1,
          changes: new Map([[SENT, 1]]),
          exceptions: [],
          release: { kind: 'done' },
        },
      ],
      0,
    );

    expect(await readLast(runId)).toEqual([1, 1, 0, 0]);
  });

  test('takes away what a replay puts back, when it does, and leaves what was before', async () => {
    const { db } = database;
    const { appRef, runId, record } = await beginRun(3);
    await record([SENT, EXPIRED, EXPIRED]);
    await finishRun(db, runId);
    await letPass(runId, 3_600);

    const { verdicts } = await replayChunk(
      db,
      { runId, ordinal: 0 },
      {
        appRef,
        runId,
        provider: undefined,
        state: undefined,
        reason: undefined,
        since: new Date(0),
        until: new Date('2100-01-01T00:00:00Z'),
      },
      { includeAmbiguous: false, validUntil: undefined },
      false,
    );

    const { points } = await readRunTimeline(db, runId);
    expect(verdicts.get('replayable')).toBe(2);
    expect(points.slice(1, -2).map(toCounts)).toEqual(points.slice(1, -2).map(() => [1, 0, 2, 0]));
    expect(points.length).toBeGreaterThan(50);
    expect(await readLast(runId)).toEqual([1, 0, 0, 0]);
  });

  test('begins with what was counted before times were kept', async () => {
    const { runId, record } = await beginRun(3);
    await record([SENT, TOO_LARGE]);
    await database.db.deleteFrom('campaignRunTimeline').where('runId', '=', runId).execute();
    await letPass(runId, 10);
    await record([SENT]);

    const { points } = await readRunTimeline(database.db, runId);

    expect(points[0] && toCounts(points[0])).toEqual([1, 1, 0, 0]);
    expect(await readLast(runId)).toEqual([2, 1, 0, 0]);
  });

  test('ends with the run', async () => {
    const { db } = database;
    const { runId, record } = await beginRun(1);
    await letPass(runId, 100);
    await record([SENT]);
    await finishRun(db, runId);
    const { finishedAt } = await db
      .selectFrom('campaignRuns')
      .select('finishedAt')
      .where('id', '=', runId)
      .executeTakeFirstOrThrow();

    const { points } = await readRunTimeline(db, runId);

    expect(points.at(-1)?.at).toEqual(finishedAt);
  });

  test('of a run that did not begin, or of none, is empty', async () => {
    const { db } = database;
    const { runId } = await beginRun(1);
    await db.updateTable('campaignRuns').set({ startedAt: null }).where('id', '=', runId).execute();

    expect((await readRunTimeline(db, runId)).points).toEqual([]);
    expect((await readRunTimeline(db, '00000000-0000-7000-8000-000000000000')).points).toEqual([]);
  });

  test('goes with the run', async () => {
    const { db } = database;
    const { runId, record } = await beginRun(1);
    await record([SENT]);
    await finishRun(db, runId);
    expect(await readRows(runId)).toHaveLength(1);
    await db.deleteFrom('campaignChunks').where('runId', '=', runId).execute();

    await purgeRuns(db, new Date(Date.now() + 60_000));

    expect(await readRows(runId)).toEqual([]);
  });
});
