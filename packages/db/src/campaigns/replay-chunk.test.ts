import { DEFERRED, OWED, SENT, toOutcomeCode } from '@heliograph/core';
import {
  eventually,
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  useTestDatabase,
} from '@heliograph/testing';
import { sql } from 'kysely';

import { listFailureCauses } from '../failure-counts.ts';
import { claimChunk, type ClaimedChunk } from './chunk-leases.ts';
import { countUsers } from './count-users.ts';
import { finishRun } from './end-run.ts';
import { freezePage } from './freeze-audience.ts';
import { recordCheckpoints, type ChunkCheckpoint } from './record-checkpoints.ts';
import { replayChunk, type FailedPlaces } from './replay-chunk.ts';
import { findRun } from './runs.ts';

const database = useTestDatabase({ poolSize: 10 });

const LEASE_MS = 60_000;
const TOO_LARGE = toOutcomeCode('failed', 'PayloadTooLarge');
const EXPIRED = toOutcomeCode('expired', 'expired');
const TERMS = { includeAmbiguous: false, validUntil: undefined };

/** A run to so many devices, in one chunk that is claimed. */
async function claimRun(devices: number) {
  const { db } = database;
  const appRef = await makeApp(db);
  const made = [];
  for (let n = 0; n < devices; n += 1) made.push(await makeDevice(db, appRef));
  const campaign = await makeCampaign(
    db,
    appRef,
    made.map(({ userId }) => userId),
  );
  const runId = await makeRun(db, campaign);
  while (await freezePage(db, runId));
  await countUsers(db, runId);
  const chunk = await claimChunk(db, runId, LEASE_MS);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  return { appRef, runId, chunk, devices: made };
}

/** What came of the devices of a chunk, in their order: a failure has an exception, what expired without a try has none. */
function toCheckpoint(
  chunk: ClaimedChunk,
  codes: readonly number[],
  release: ChunkCheckpoint['release'] = { kind: 'done' },
): ChunkCheckpoint {
  const changes = new Map<number, number>();
  for (const code of codes) if (code !== OWED) changes.set(code, (changes.get(code) ?? 0) + 1);
  return {
    runId: chunk.runId,
    ordinal: chunk.ordinal,
    leaseEpoch: chunk.leaseEpoch,
    appRef: chunk.appRef,
    provider: chunk.provider,
    checkpoint: chunk.checkpoint,
    outcomes: Buffer.from(codes),
    changes,
    exceptions: codes.flatMap((code, index) =>
      code === TOO_LARGE
        ? [
            {
              index,
              deviceId: 1,
              userId: null,
              state: 'failed' as const,
              reason: 'PayloadTooLarge',
              attempts: 1,
              ambiguousAttempts: 0,
              nextAttemptAt: null,
              providerMessageId: null,
              history: [],
            },
          ]
        : [],
    ),
    release,
  };
}

async function finish(codes: readonly number[]) {
  const run = await claimRun(codes.length);
  await recordCheckpoints(database.db, [toCheckpoint(run.chunk, codes)], 0);
  expect(await finishRun(database.db, run.runId)).toBe(true);
  return run;
}

function anyOf(appRef: number, runId: string): FailedPlaces {
  return {
    appRef,
    runId,
    provider: undefined,
    state: undefined,
    reason: undefined,
    since: new Date(0),
    until: new Date('2100-01-01T00:00:00Z'),
  };
}

function readChunk(runId: string) {
  return database.db
    .selectFrom('campaignChunks')
    .select(['outcomes', 'dueAt', 'leased', 'expiresAt', 'replayExpiresAt'])
    .where('runId', '=', runId)
    .executeTakeFirstOrThrow();
}

async function replay(
  { appRef, runId }: { readonly appRef: number; readonly runId: string },
  changes: { readonly terms?: object; readonly failed?: object; readonly dryRun?: boolean } = {},
) {
  const { busy, verdicts } = await replayChunk(
    database.db,
    { runId, ordinal: 0 },
    { ...anyOf(appRef, runId), ...changes.failed },
    { ...TERMS, ...changes.terms },
    changes.dryRun ?? false,
  );
  return { busy, ...Object.fromEntries(verdicts) };
}

describe('a chunk that is replayed', () => {
  test('owes what failed, with its tries, and what expired untried as at first; the run goes on', async () => {
    const run = await finish([SENT, TOO_LARGE, EXPIRED, SENT]);

    const counted = await replay(run, { dryRun: true });
    const before = await readChunk(run.runId);
    const replayed = await replay(run);

    expect([counted, replayed]).toEqual([
      { busy: false, replayable: 2 },
      { busy: false, replayable: 2 },
    ]);
    expect([...before.outcomes]).toEqual([SENT, TOO_LARGE, EXPIRED, SENT]);
    const { outcomes, dueAt, leased } = await readChunk(run.runId);
    expect([[...outcomes], leased]).toEqual([[SENT, DEFERRED, OWED, SENT], false]);
    expect(dueAt).toBeInstanceOf(Date);
    expect(await findRun(database.db, run.runId)).toMatchObject({
      state: 'running',
      finishedAt: null,
    });
    const causes = await listFailureCauses(database.db, { ...anyOf(run.appRef, ''), limit: 10 });
    const shown = causes.map(({ reason, count, failed }) => ({ reason, count, failed }));
    expect(shown.toSorted((a, b) => (a.reason < b.reason ? -1 : 1))).toEqual([
      { reason: 'PayloadTooLarge', count: 0, failed: 1 },
      { reason: 'expired', count: 0, failed: 1 },
    ]);
  });

  test('owes only what is meant, by reason and by time', async () => {
    const run = await finish([TOO_LARGE, EXPIRED]);

    const other = await replay(run, { failed: { reason: 'BadTopic' } });
    const earlier = await replay(run, {
      failed: { state: 'failed', until: new Date('2020-01-01T00:00:00Z') },
    });
    const expired = await replay(run, { failed: { state: 'expired', reason: 'expired' } });

    expect([other, earlier, expired]).toEqual([
      { busy: false },
      { busy: false },
      { busy: false, replayable: 1 },
    ]);
    expect([...(await readChunk(run.runId)).outcomes]).toEqual([TOO_LARGE, OWED]);
  });

  test('leaves devices alone that are gone, or whose token is dead', async () => {
    const run = await finish([TOO_LARGE, TOO_LARGE, TOO_LARGE]);
    const [gone, dead] = run.devices;
    await database.db
      .deleteFrom('devices')
      .where('id', '=', gone?.id ?? 0)
      .execute();
    await database.db
      .updateTable('devices')
      .set({ tokenDeactivatedAt: new Date() })
      .where('id', '=', dead?.id ?? 0)
      .execute();

    expect(await replay(run)).toEqual({ busy: false, unreachable: 2, replayable: 1 });
  });

  test('is left to who holds its lease', async () => {
    const run = await claimRun(2);
    const point = toCheckpoint(run.chunk, [TOO_LARGE, OWED], { kind: 'keep' });
    await recordCheckpoints(database.db, [point], 0);

    const refused = await replay(run);
    const last = { ...toCheckpoint(run.chunk, [TOO_LARGE, SENT]), checkpoint: 1 };
    const [recorded] = await recordCheckpoints(
      database.db,
      [{ ...last, changes: new Map([[SENT, 1]]), exceptions: [] }],
      0,
    );

    expect(refused).toEqual({ busy: true });
    expect(recorded).toBe(true);
    expect(await replay(run)).toEqual({ busy: false, replayable: 1 });
  });

  test('takes a new expiry only while nothing else of it is owed', async () => {
    const run = await claimRun(2);
    const point = toCheckpoint(run.chunk, [TOO_LARGE, OWED], { kind: 'due' });
    await recordCheckpoints(database.db, [point], 0);
    const terms = { validUntil: new Date(Date.now() + 3_600_000) };

    const refused = await replay(run, { terms });
    const own = await replay(run);

    expect([refused, own]).toEqual([{ busy: true }, { busy: false, replayable: 1 }]);
    expect((await readChunk(run.runId)).replayExpiresAt).toBeNull();
  });

  test('that was replayed with an expiry of its own owes nothing else until that is final', async () => {
    const run = await finish([TOO_LARGE, EXPIRED]);
    const validUntil = new Date(Date.now() + 3_600_000);

    const own = await replay(run, { terms: { validUntil }, failed: { state: 'failed' } });
    const other = await replay(run, { failed: { state: 'expired' } });
    const claimed = await claimChunk(database.db, run.runId, LEASE_MS);

    expect([own, other]).toEqual([{ busy: false, replayable: 1 }, { busy: true }]);
    expect(claimed?.expiresAt).toEqual(validUntil);
  });
});

test('a run does not end while somebody replays of it', async () => {
  const run = await claimRun(1);
  const { db } = database;
  await recordCheckpoints(db, [toCheckpoint(run.chunk, [TOO_LARGE])], 0);

  const ended = await db.transaction().execute(async (tx) => {
    const { verdicts } = await replayChunk(
      withoutTransaction(tx),
      { runId: run.runId, ordinal: 0 },
      anyOf(run.appRef, run.runId),
      TERMS,
      false,
    );
    expect(verdicts.get('replayable')).toBe(1);
    const ending = finishRun(db, run.runId);
    await eventually(async () => {
      const { rows } = await sql`
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%campaign_runs%'`.execute(
        db,
      );
      expect(rows.length).toBeGreaterThan(0);
    });
    return { ending };
  });

  expect(await ended.ending).toBe(false);
  expect(await findRun(db, run.runId)).toMatchObject({ finishedAt: null });
  expect((await readChunk(run.runId)).dueAt).toBeInstanceOf(Date);
});

/** A transaction whose own transactions are parts of it. */
function withoutTransaction(tx: typeof database.db): typeof database.db {
  return new Proxy(tx, {
    get(target, name) {
      if (name === 'transaction')
        return () => ({ execute: (work: (inner: typeof tx) => unknown) => work(tx) });
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
