import { DEFERRED, OWED, SENT, toOutcomeCode } from '@heliograph/core';
import { makeApp, makeCampaign, makeDevice, makeRun, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { hashPushToken } from '../devices.ts';
import { liftPause, openPause } from '../pauses.ts';
import type { AttemptRecord } from '../schema.ts';
import {
  claimChunk,
  claimUnsettled,
  renewChunkLeases,
  type ChunkLease,
  type ClaimedChunk,
} from './chunk-leases.ts';
import { controlStoredRun } from './control-run.ts';
import { stopRun } from './end-run.ts';
import { freezePage } from './freeze-audience.ts';
import { claimMovedToken } from './moved-tokens.ts';
import {
  recordCheckpoints,
  type ChunkCheckpoint,
  type ChunkException,
} from './record-checkpoints.ts';
import { AMBIGUOUS, TARGETED } from './run-counts.ts';

const LEASE_MS = 60_000;
const SHARD = 3;

const database = useTestDatabase({ poolSize: 10 });

/** A run whose audience is frozen, in chunks of so many devices each. */
async function freeze(chunkSizes: readonly number[], changes = {}) {
  const { db } = database;
  const appRef = await makeApp(db);
  const devices = [];
  for (let n = 0; n < chunkSizes.reduce((sum, size) => sum + size, 0); n += 1)
    devices.push(await makeDevice(db, appRef));
  const campaign = await makeCampaign(
    db,
    appRef,
    devices.map((device) => device.userId),
  );
  const runId = await makeRun(db, campaign, changes);
  for (const size of chunkSizes) await freezePage(db, runId, size);
  while (await freezePage(db, runId));
  return { appRef, devices, campaign, runId };
}

async function claim(runId: string, leaseMs = LEASE_MS): Promise<ClaimedChunk> {
  const chunk = await claimChunk(database.db, runId, leaseMs);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  return chunk;
}

function readChunk({ runId, ordinal }: Pick<ChunkLease, 'runId' | 'ordinal'>) {
  return database.db
    .selectFrom('campaignChunks')
    .selectAll()
    .where('runId', '=', runId)
    .where('ordinal', '=', ordinal)
    .executeTakeFirstOrThrow();
}

function readExceptions(runId: string) {
  return database.db
    .selectFrom('campaignExceptions')
    .selectAll()
    .where('runId', '=', runId)
    .orderBy('ordinal')
    .execute();
}

/** What the chunk's holder would write where its devices have these codes now. */
function toCheckpoint(
  chunk: ClaimedChunk,
  codes: readonly number[],
  changes: Partial<ChunkCheckpoint> = {},
): ChunkCheckpoint {
  const counts = new Map<number, number>();
  const add = (code: number, count: number) => counts.set(code, (counts.get(code) ?? 0) + count);
  for (const [index, code] of codes.entries()) {
    const before = chunk.outcomes[index] ?? OWED;
    if (before === code) continue;
    if (before !== OWED) add(before, -1);
    if (code !== OWED) add(code, 1);
  }
  return {
    ...chunk,
    outcomes: Buffer.from(codes),
    changes: counts,
    exceptions: [],
    release: { kind: 'keep' },
    ...changes,
  };
}

const record = (...points: ChunkCheckpoint[]) => recordCheckpoints(database.db, points, SHARD);

const ATTEMPT: AttemptRecord = {
  at: '2026-11-23T06:00:00.000Z',
  outcome: 'retry',
  endpoint: 'host',
  environment: '',
  credentialVersion: 1,
  latencyMs: 1,
};

function toException(changes: Partial<ChunkException> = {}): ChunkException {
  return {
    index: 0,
    deviceId: 1,
    userId: 'user',
    state: 'pending',
    reason: 'timeout',
    attempts: 1,
    ambiguousAttempts: 0,
    nextAttemptAt: new Date(Date.now() + 60_000),
    providerMessageId: null,
    history: [ATTEMPT],
    ...changes,
  };
}

/** The sums of the run by code, and the same counted from its ledger. */
async function readSums(runId: string) {
  const { rows } = await sql<{ code: number; kept: number; counted: number }>`
    WITH kept AS (
      SELECT code, sum(count)::integer AS count FROM campaign_run_counts
      WHERE run_id = ${runId} AND code <> ${AMBIGUOUS}::smallint GROUP BY code
    ), counted AS (
      SELECT get_byte(c.outcomes, n) AS code, count(*)::integer AS count
      FROM campaign_chunks c CROSS JOIN LATERAL generate_series(0, length(c.outcomes) - 1) n
      WHERE c.run_id = ${runId} GROUP BY 1
      UNION ALL
      SELECT ${TARGETED}, sum(length(outcomes))::integer FROM campaign_chunks WHERE run_id = ${runId}
    )
    SELECT code, coalesce(kept.count, 0) AS kept, coalesce(counted.count, 0) AS counted
    FROM kept FULL JOIN counted USING (code) WHERE code <> ${OWED}::integer ORDER BY code`.execute(
    database.db,
  );
  return {
    kept: new Map(rows.map((row) => [row.code, row.kept])),
    counted: new Map(rows.map((row) => [row.code, row.counted])),
  };
}

async function expectExactSums(...runIds: string[]): Promise<void> {
  for (const runId of runIds) {
    const { kept, counted } = await readSums(runId);
    expect(kept).toEqual(counted);
  }
}

describe('claiming a chunk', () => {
  test('brings all that is needed to send, and takes a lease', async () => {
    const { appRef, campaign, runId } = await freeze([2]);

    const chunk = await claim(runId);

    expect(chunk).toMatchObject({
      runId,
      ordinal: 0,
      leaseEpoch: 1,
      checkpoint: 0,
      provider: 'apns',
      appRef,
      campaignId: campaign.campaignId,
      message: { title: 'Hello' },
      canary: false,
      outcomes: Buffer.alloc(2),
      claimedAt: expect.any(Date),
      credential: { version: expect.any(Number), environment: null },
      pauses: null,
    });
    expect(await readChunk(chunk)).toMatchObject({ leased: true, leaseEpoch: 1 });
  });

  test('takes them in their order, then what is due again, and each once', async () => {
    const { db } = database;
    const { runId } = await freeze([1, 1, 1]);

    const first = await claim(runId);
    const second = await claim(runId);
    await record(toCheckpoint(first, [OWED], { release: { kind: 'due' } }));
    const others = [await claim(runId), await claim(runId)];

    expect([first, second, ...others].map((chunk) => chunk.ordinal)).toEqual([0, 1, 2, 0]);
    expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();
  });

  test('gives each to one of many who ask at once', async () => {
    const { runId } = await freeze([1, 1, 1, 1]);

    const claims = await Promise.all(
      Array.from({ length: 10 }, () => claimChunk(database.db, runId, LEASE_MS)),
    );

    // One that several are about to take is passed over, so somebody may go away without.
    const rest = [];
    for (let chunk; (chunk = await claimChunk(database.db, runId, LEASE_MS));) rest.push(chunk);
    const all = [...claims, ...rest].flatMap((chunk) => chunk?.ordinal ?? []);
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  test('takes over a lease that ran out, with the next epoch and what was recorded', async () => {
    const { runId } = await freeze([2]);
    const first = await claim(runId, 0);
    await record(toCheckpoint(first, [SENT, OWED]));

    const second = await claim(runId);

    expect(second).toMatchObject({
      ordinal: 0,
      leaseEpoch: 2,
      checkpoint: 1,
      outcomes: Buffer.from([SENT, OWED]),
    });
  });

  test('fixes the expiry at the first claim', async () => {
    const { db } = database;
    const { runId } = await freeze([1]);
    const validUntil = new Date(Date.now() + 1_800_000);
    const limited = await freeze([1], { validUntil });

    const first = await claim(runId, 0);
    await db
      .updateTable('campaignChunks')
      .set({ expiresAt: new Date(first.expiresAt.getTime() - 1000) })
      .where('runId', '=', runId)
      .execute();
    const second = await claim(runId);

    expect(first.expiresAt.getTime() - first.claimedAt.getTime()).toBe(24 * 3_600_000);
    expect(second.expiresAt.getTime()).toBe(first.expiresAt.getTime() - 1000);
    expect((await claim(limited.runId)).expiresAt).toEqual(validUntil);
  });

  test.each(['paused', 'halted'] as const)('takes none of a run that is %s', async (state) => {
    const { db } = database;
    const { runId } = await freeze([1]);

    await stopRun(db, runId, state, 'operator');
    expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();

    await controlStoredRun(db, runId, 'resume');
    expect(await claim(runId)).toMatchObject({ ordinal: 0 });
  });

  test('takes none of a run that is cancelled, only counts, or does not exist', async () => {
    const { db } = database;
    const cancelled = await freeze([1]);
    const dry = await freeze([1], { dryRun: true });
    await controlStoredRun(db, cancelled.runId, 'cancel');

    for (const runId of [cancelled.runId, dry.runId, '019345a0-0000-7000-8000-000000000000'])
      expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();
  });

  test('takes what is behind the canary when that is approved', async () => {
    const { db } = database;
    const { runId } = await freeze([2, 2], { canaryPercent: 25 });

    expect(await claim(runId)).toMatchObject({ canary: true, outcomes: Buffer.alloc(1) });
    expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();
    await controlStoredRun(db, runId, 'approve');
    const rest = [await claim(runId), await claim(runId)];

    expect(rest.map((chunk) => chunk.outcomes.length).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(rest.every((chunk) => !chunk.canary)).toBe(true);
  });

  test('says what is paused, and when the credential is gone', async () => {
    const { db } = database;
    const { appRef, runId } = await freeze([1, 1]);
    const { credential } = await claim(runId);
    const pauseId = await openPause(
      db,
      {
        appRef,
        provider: 'apns',
        environment: 'production',
        credentialVersion: credential?.version ?? 0,
      },
      'app',
      'BadTopic',
    );
    await db.deleteFrom('credentials').where('appRef', '=', appRef).execute();

    expect(await claim(runId)).toMatchObject({
      credential: null,
      pauses: [{ id: pauseId, environment: 'production', reason: 'BadTopic' }],
    });
  });
});

describe('recording checkpoints', () => {
  test('writes outcomes, exceptions and sums, and repeated changes nothing', async () => {
    const { runId, devices } = await freeze([4]);
    const chunk = await claim(runId);
    const gone = toOutcomeCode('failed', 'Unregistered');
    const point = toCheckpoint(chunk, [SENT, SENT, gone, DEFERRED], {
      exceptions: [
        toException({
          index: 2,
          deviceId: devices[2]?.id ?? 0,
          state: 'failed',
          reason: 'Unregistered',
          nextAttemptAt: null,
          providerMessageId: 'p1',
        }),
        toException({ index: 3 }),
      ],
    });

    const answers = [await record(point), await record(point), await record(point)];

    expect(answers).toEqual([[true], [true], [true]]);
    expect(await readChunk(chunk)).toMatchObject({
      checkpoint: 1,
      leased: true,
      leaseEpoch: 1,
      outcomes: Buffer.from([SENT, SENT, gone, DEFERRED]),
    });
    expect(await readExceptions(runId)).toMatchObject([
      {
        ordinal: 2,
        deviceId: devices[2]?.id,
        provider: 'apns',
        state: 'failed',
        providerMessageId: 'p1',
        finishedAt: expect.any(Date),
      },
      { ordinal: 3, state: 'pending', reason: 'timeout', finishedAt: null, history: [ATTEMPT] },
    ]);
    expect((await readSums(runId)).kept).toEqual(
      new Map([
        [TARGETED, 4],
        [SENT, 2],
        [DEFERRED, 1],
        [gone, 1],
      ]),
    );
    await expectExactSums(runId);
  });

  test('of two equal statements at once one counts, and both are told that it is written', async () => {
    const { runId } = await freeze([2]);
    const chunk = await claim(runId);
    const point = toCheckpoint(chunk, [SENT, OWED]);

    const answers = await Promise.all(Array.from({ length: 8 }, () => record(point)));

    expect(answers.flat()).toEqual(Array.from({ length: 8 }, () => true));
    await expectExactSums(runId);
  });

  test('one that is not the next is left alone', async () => {
    const { runId } = await freeze([2]);
    const chunk = await claim(runId);

    const ahead = await record(toCheckpoint(chunk, [SENT, OWED], { checkpoint: 1 }));
    const first = toCheckpoint(chunk, [SENT, OWED]);
    await record(first);
    const next = toCheckpoint({ ...chunk, outcomes: first.outcomes }, [SENT, SENT], {
      checkpoint: 1,
    });
    const written = await record(next);
    const tooLate = await record(first);

    expect([ahead, written, tooLate]).toEqual([[false], [true], [false]]);
    expect(await readChunk(chunk)).toMatchObject({ outcomes: Buffer.from([SENT, SENT]) });
    await expectExactSums(runId);
  });

  test('the holder of an old epoch writes nothing: no byte, no exception, no sum', async () => {
    const { runId } = await freeze([2]);
    const old = await claim(runId, 0);
    const current = await claim(runId);

    const late = toCheckpoint(old, [DEFERRED, SENT], {
      exceptions: [toException()],
      release: { kind: 'done' },
    });

    expect(await record(late)).toEqual([false]);
    expect(await readChunk(current)).toMatchObject({ leaseEpoch: 2, outcomes: Buffer.alloc(2) });
    expect(await readExceptions(runId)).toEqual([]);
    await expectExactSums(runId);
    expect(await record(toCheckpoint(current, [SENT, SENT]))).toEqual([true]);
  });

  test('who gave up the lease writes nothing more', async () => {
    const { runId } = await freeze([1]);
    const chunk = await claim(runId);
    await record(toCheckpoint(chunk, [OWED], { release: { kind: 'due' } }));

    expect(await record(toCheckpoint(chunk, [SENT], { checkpoint: 1 }))).toEqual([false]);
    await expectExactSums(runId);
  });

  test('many chunks of several runs go in one call, each for itself', async () => {
    const [one, two] = [await freeze([2, 2]), await freeze([1])];
    const [first, second, other] = [
      await claim(one.runId),
      await claim(one.runId, 0),
      await claim(two.runId),
    ];
    await claim(one.runId);

    const answers = await record(
      toCheckpoint(other, [DEFERRED], { exceptions: [toException()], release: { kind: 'due' } }),
      toCheckpoint(second, [SENT, SENT], { exceptions: [toException()] }),
      toCheckpoint(first, [SENT, DEFERRED], { exceptions: [toException({ index: 1 })] }),
    );

    expect(answers).toEqual([true, false, true]);
    expect(await readExceptions(one.runId)).toMatchObject([{ ordinal: 1 }]);
    expect(await readExceptions(two.runId)).toMatchObject([{ ordinal: 0 }]);
    await expectExactSums(one.runId, two.runId);
  });

  test('a chunk under the lease that was lost and under the new one is written for the new one', async () => {
    const { runId } = await freeze([2]);
    const old = await claim(runId, 0);
    const current = await claim(runId);

    const answers = await record(
      toCheckpoint(old, [DEFERRED, OWED], { exceptions: [toException()] }),
      toCheckpoint(current, [OWED, SENT]),
    );

    expect(answers).toEqual([false, true]);
    expect(await readExceptions(runId)).toEqual([]);
    expect(await readChunk(current)).toMatchObject({ outcomes: Buffer.from([OWED, SENT]) });
    await expectExactSums(runId);
  });

  test('exceptions of a later chunk have its places', async () => {
    const { runId } = await freeze([1, 2]);
    const [, second] = [await claim(runId), await claim(runId)];

    await record(
      toCheckpoint(second, [OWED, DEFERRED], { exceptions: [toException({ index: 1 })] }),
    );

    expect(await readExceptions(runId)).toMatchObject([{ ordinal: 1001 }]);
  });

  test('an exception that comes again is replaced; its history and user stay where nothing is said', async () => {
    const { runId } = await freeze([1]);
    const chunk = await claim(runId);
    await record(toCheckpoint(chunk, [DEFERRED], { exceptions: [toException()] }));
    const skipped = toOutcomeCode('skipped', 'cancelled');

    await record(
      toCheckpoint({ ...chunk, outcomes: Buffer.from([DEFERRED]) }, [skipped], {
        checkpoint: 1,
        exceptions: [
          toException({
            state: 'skipped',
            reason: 'cancelled',
            userId: null,
            attempts: 2,
            nextAttemptAt: null,
            history: [],
          }),
        ],
        release: { kind: 'done' },
      }),
    );

    expect(await readExceptions(runId)).toMatchObject([
      {
        state: 'skipped',
        reason: 'cancelled',
        userId: 'user',
        attempts: 2,
        nextAttemptAt: null,
        finishedAt: expect.any(Date),
        history: [ATTEMPT],
      },
    ]);
    expect((await readSums(runId)).kept.get(DEFERRED)).toBe(0);
    await expectExactSums(runId);
  });

  test('counts what was ambiguous', async () => {
    const { db } = database;
    const { runId } = await freeze([1]);
    const chunk = await claim(runId);

    await record(toCheckpoint(chunk, [OWED], { changes: new Map([[AMBIGUOUS, 2]]) }));

    const counts = await db
      .selectFrom('campaignRunCounts')
      .selectAll()
      .where('runId', '=', runId)
      .where('code', '=', AMBIGUOUS)
      .execute();
    expect(counts).toEqual([{ runId, provider: 'apns', code: AMBIGUOUS, shard: SHARD, count: 2 }]);
  });

  test('nothing is nothing', async () => {
    expect(await record()).toEqual([]);
    expect(await renewChunkLeases(database.db, [], LEASE_MS)).toEqual([]);
  });

  test('dispatchers that write to one run at once lose nothing', async () => {
    const sizes = Array.from({ length: 12 }, () => 2);
    const { runId } = await freeze(sizes);
    const chunks: ClaimedChunk[] = [];
    for (const _ of sizes) chunks.push(await claim(runId));

    await Promise.all(
      chunks.map((chunk, n) =>
        recordCheckpoints(database.db, [toCheckpoint(chunk, [SENT, SENT])], n % 2),
      ),
    );

    expect((await readSums(runId)).kept.get(SENT)).toBe(24);
    await expectExactSums(runId);
  });
});

describe('what becomes of the lease with a checkpoint', () => {
  test('kept: it stays as it is', async () => {
    const { runId } = await freeze([1]);
    const chunk = await claim(runId);
    const { dueAt } = await readChunk(chunk);

    await record(toCheckpoint(chunk, [OWED]));

    expect(await readChunk(chunk)).toMatchObject({ leased: true, dueAt, checkpoint: 1 });
  });

  test('done: nobody gets it any more', async () => {
    const { db } = database;
    const { runId } = await freeze([1]);
    const chunk = await claim(runId);

    await record(toCheckpoint(chunk, [SENT], { release: { kind: 'done' } }));

    expect(await readChunk(chunk)).toMatchObject({ leased: false, dueAt: null, pauseId: null });
    expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();
    expect(await claimUnsettled(db, runId, 10, LEASE_MS)).toEqual([]);
  });

  test('later: not before that', async () => {
    const { db } = database;
    const { runId } = await freeze([1]);
    const chunk = await claim(runId);
    const dueAt = new Date(Date.now() + 60_000);

    await record(
      toCheckpoint(chunk, [DEFERRED], { release: { kind: 'later', dueAt, pauseId: null } }),
    );

    expect(await readChunk(chunk)).toMatchObject({ leased: false, dueAt, pauseId: null });
    expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();
  });

  test.each([true, false])('held by a pause, lifted meanwhile: %s', async (isLifted) => {
    const { db } = database;
    // given
    const { appRef, runId } = await freeze([1]);
    const chunk = await claim(runId);
    const scope = {
      appRef,
      provider: 'apns',
      environment: 'production',
      credentialVersion: chunk.credential?.version ?? 0,
    } as const;
    const pauseId = (await openPause(db, scope, 'credential', 'InvalidProviderToken')) ?? 0;
    if (isLifted) await liftPause(db, pauseId);

    // when
    const dueAt = new Date(Date.now() + 60_000);
    await record(toCheckpoint(chunk, [OWED], { release: { kind: 'later', dueAt, pauseId } }));

    // then
    const after = await readChunk(chunk);
    if (isLifted) {
      expect(after).toMatchObject({ pauseId: null, leased: false });
      expect(await claim(runId)).toMatchObject({ ordinal: 0, leaseEpoch: 2 });
    } else {
      expect(after).toMatchObject({ pauseId, dueAt, leased: false });
      expect(await claimChunk(db, runId, LEASE_MS)).toBeUndefined();
    }
  });
});

describe('leases of chunks', () => {
  test('are renewed by their holder only, and only while they last', async () => {
    const { db } = database;
    const { runId } = await freeze([1, 1, 1]);
    const held = await claim(runId);
    const released = await claim(runId);
    await record(
      toCheckpoint(released, [OWED], {
        release: { kind: 'later', dueAt: new Date(Date.now() + 60_000), pauseId: null },
      }),
    );
    const lost = await claim(runId, 0);

    const renewed = await renewChunkLeases(db, [lost, held, released], 10 * LEASE_MS);

    expect(renewed).toEqual([false, true, false]);
    expect(await renewChunkLeases(db, [{ ...held, leaseEpoch: 7 }], LEASE_MS)).toEqual([false]);
    const { dueAt } = await readChunk(held);
    expect(dueAt?.getTime()).toBeGreaterThan(Date.now() + 5 * LEASE_MS);
  });
});

describe('a run that will not go on', () => {
  test('gives its chunks with what was tried of them, a few at a time', async () => {
    const { db } = database;
    // given: one is done, one waits, one was tried, one is held by a dispatcher, one was left by another
    const { devices, runId } = await freeze([1, 1, 2, 1, 1]);
    const done = await claim(runId);
    const waiting = await claim(runId);
    const tried = await claim(runId);
    const held = await claim(runId);
    const left = await claim(runId, 0);
    const later = {
      kind: 'later',
      dueAt: new Date(Date.now() + 60_000),
      pauseId: null,
    } as const;
    await record(
      toCheckpoint(done, [SENT], { release: { kind: 'done' } }),
      toCheckpoint(waiting, [OWED], { release: later }),
      toCheckpoint(tried, [SENT, DEFERRED], {
        exceptions: [toException({ index: 1, deviceId: devices[3]?.id ?? 0, attempts: 2 })],
        release: later,
      }),
    );
    await controlStoredRun(db, runId, 'cancel');

    // when
    const first = await claimUnsettled(db, runId, 2, LEASE_MS);
    const second = await claimUnsettled(db, runId, 2, LEASE_MS);

    // then
    const all = [...first, ...second].toSorted((a, b) => a.ordinal - b.ordinal);
    expect(first).toHaveLength(2);
    expect(all).toMatchObject([
      { ordinal: waiting.ordinal, leaseEpoch: 2, deferred: [], outcomes: Buffer.alloc(1) },
      {
        ordinal: tried.ordinal,
        leaseEpoch: 2,
        checkpoint: 1,
        outcomes: Buffer.from([SENT, DEFERRED]),
        deferred: [
          { index: 1, deviceId: devices[3]?.id, userId: 'user', attempts: 2, state: 'pending' },
        ],
      },
      { ordinal: left.ordinal, leaseEpoch: 2 },
    ]);
    expect(all.map((chunk) => chunk.ordinal)).not.toContain(held.ordinal);
  });

  test('gives what was behind the canary, too, and settled it is exact', async () => {
    const { db } = database;
    const { runId } = await freeze([2, 2], { canaryPercent: 25 });
    await controlStoredRun(db, runId, 'cancel');
    const skipped = toOutcomeCode('skipped', 'cancelled');

    const chunks = await claimUnsettled(db, runId, 100, LEASE_MS);
    await record(
      ...chunks.map((chunk): ChunkCheckpoint => ({
        ...chunk,
        outcomes: Buffer.alloc(chunk.outcomes.length, skipped),
        changes: new Map([[skipped, chunk.outcomes.length]]),
        exceptions: [],
        release: { kind: 'done' },
      })),
    );

    expect(chunks).toHaveLength(3);
    expect((await readSums(runId)).kept.get(skipped)).toBe(4);
    await expectExactSums(runId);
  });
});

describe('a device with a new token', () => {
  /** Two devices in the audience, and a way to give them other tokens. */
  async function freezeTwo() {
    const { db } = database;
    const frozen = await freeze([1, 1]);
    const [first, second] = frozen.devices;
    if (first === undefined || second === undefined) throw new Error('there are two');
    const move = (deviceId: number, pushToken: string) =>
      db
        .updateTable('devices')
        .set({ pushToken, pushTokenHash: hashPushToken(pushToken) })
        .where('id', '=', deviceId)
        .execute();
    const mayHave = (deviceId: number, pushToken: string) =>
      claimMovedToken(db, { runId: frozen.runId, provider: 'apns', deviceId, pushToken });
    return { ...frozen, first, second, move, mayHave };
  }

  test('gets the run there, however often it asks', async () => {
    const { first, move, mayHave } = await freezeTwo();
    await move(first.id, 'new');

    expect(await mayHave(first.id, 'new')).toBe(true);
    expect(await mayHave(first.id, 'new')).toBe(true);
  });

  test('does not where another in the audience has that token, or had it', async () => {
    const { db } = database;
    const { first, second, move, mayHave } = await freezeTwo();

    await move(first.id, second.pushToken);
    expect(await mayHave(first.id, second.pushToken)).toBe(false);
    await move(second.id, 'new');
    expect(await mayHave(first.id, second.pushToken)).toBe(false);
    await db.deleteFrom('devices').where('id', '=', second.id).execute();
    expect(await mayHave(first.id, second.pushToken)).toBe(false);
  });

  test('does where only devices outside of the audience have it', async () => {
    const { db } = database;
    const { appRef, first, move, mayHave } = await freezeTwo();
    const stranger = await makeDevice(db, appRef);
    const elsewhere = await makeDevice(db, await makeApp(db));
    await move(first.id, stranger.pushToken);

    expect(await mayHave(first.id, stranger.pushToken)).toBe(true);
    expect(await mayHave(first.id, elsewhere.pushToken)).toBe(true);
  });

  test('is the only one of several that moved to the same, whoever asks at once', async () => {
    const { first, second, move, mayHave } = await freezeTwo();
    await move(first.id, 'new');
    await move(second.id, 'new');

    const answers = await Promise.all([
      mayHave(first.id, 'new'),
      mayHave(second.id, 'new'),
      mayHave(first.id, 'new'),
      mayHave(second.id, 'new'),
    ]);

    expect([answers[2], answers[3]]).toEqual([answers[0], answers[1]]);
    expect(answers[0]).toBe(!answers[1]);
  });

  test('is asked for by the token that is about to be used, whichever it has by now', async () => {
    const { first, second, move, mayHave } = await freezeTwo();
    await move(first.id, second.pushToken);
    await move(first.id, 'newer');

    expect(await mayHave(first.id, second.pushToken)).toBe(false);
    expect(await mayHave(first.id, 'newer')).toBe(true);
  });
});
