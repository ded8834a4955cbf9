import {
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  useTestDatabase,
  type MadeDevice,
} from '@heliograph/testing';
import { sql } from 'kysely';

import { AMBIGUOUS, freezePage } from './campaign-audience.ts';
import {
  claimChunk,
  claimMovedToken,
  claimUnsettled,
  readDeferred,
  readOwedDevices,
  recordCheckpoints,
  renewChunkLeases,
  type ChunkCheckpoint,
  type ChunkException,
  type ClaimedChunk,
} from './campaign-chunks.ts';
import { controlStoredRun, finishRun } from './campaign-runs.ts';
import { inRegistration, saveDevice } from './devices.ts';
import { liftPause, openPause, wakeLifted } from './pauses.ts';

const database = useTestDatabase();

const LEASE_MS = 60_000;

/** A run that is frozen and sends, to so many devices of an app of its own. */
async function freeze(devices: number) {
  const { db } = database;
  const appRef = await makeApp(db);
  const made: MadeDevice[] = [];
  for (let n = 0; n < devices; n += 1) made.push(await makeDevice(db, appRef));
  const campaign = await makeCampaign(
    db,
    appRef,
    made.map((device) => device.userId),
  );
  const runId = await makeRun(db, campaign);
  await freezePage(db, runId);
  return { appRef, devices: made, runId };
}

async function claim(runId: string): Promise<ClaimedChunk> {
  const chunk = await claimChunk(database.db, runId, LEASE_MS);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  return chunk;
}

/** What follows the claim: these outcomes, and nothing else. */
function toPoint(chunk: ClaimedChunk, changes: Partial<ChunkCheckpoint> = {}): ChunkCheckpoint {
  const { runId, ordinal, leaseEpoch, provider, checkpoint, outcomes } = chunk;
  return {
    runId,
    ordinal,
    leaseEpoch,
    provider,
    checkpoint,
    outcomes,
    changes: new Map(),
    exceptions: [],
    release: { kind: 'due' },
    ...changes,
  };
}

const exception = (index: number, changes: Partial<ChunkException> = {}): ChunkException => ({
  index,
  deviceId: 1,
  userId: 'user',
  state: 'pending',
  reason: 'ServiceUnavailable',
  attempts: 1,
  ambiguousAttempts: 0,
  nextAttemptAt: new Date(Date.now() + 3_600_000),
  providerMessageId: null,
  history: [],
  ...changes,
});

const readChunk = (runId: string) =>
  database.db
    .selectFrom('campaignChunks')
    .select(['outcomes', 'dueAt', 'leased', 'pauseId', 'checkpoint', 'expiresAt'])
    .where('runId', '=', runId)
    .executeTakeFirstOrThrow();

async function sumsOf(runId: string) {
  const { rows } = await sql<{ code: number; count: number }>`
    SELECT code, sum(count)::bigint AS count FROM campaign_run_counts WHERE run_id = ${runId} GROUP BY code ORDER BY code`.execute(
    database.db,
  );
  return rows.map(({ code, count }) => [code, count]);
}

describe('claiming a chunk', () => {
  test('gives it to one, until it is given up or the lease runs out', async () => {
    const { runId } = await freeze(2);

    const claims = await Promise.all([1, 2, 3].map(() => claimChunk(database.db, runId, LEASE_MS)));

    expect(claims.filter((chunk) => chunk !== undefined)).toMatchObject([
      { runId, leaseEpoch: 1, outcomes: Buffer.from([0, 0]) },
    ]);
    await sql`UPDATE campaign_chunks SET due_at = now() WHERE run_id = ${runId}`.execute(
      database.db,
    );
    expect(await claim(runId)).toMatchObject({ leaseEpoch: 2 });
  });

  test.each(['pause', 'cancel'] as const)('does not happen after a %s', async (control) => {
    const { runId } = await freeze(1);

    await controlStoredRun(database.db, runId, control);

    expect(await claimChunk(database.db, runId, LEASE_MS)).toBeUndefined();
  });

  test('fixes when its pushes expire, once', async () => {
    const { runId } = await freeze(1);
    const first = await claim(runId);
    await recordCheckpoints(database.db, [toPoint(first)], 0);

    const second = await claim(runId);

    expect(second.expiresAt).toEqual(first.expiresAt);
    const hours = (first.expiresAt.getTime() - first.claimedAt.getTime()) / 3_600_000;
    expect(hours).toBeCloseTo(24);
  });
});

describe('what is owed of a chunk', () => {
  test('are devices not tried yet, and those whose next attempt has come', async () => {
    const { runId } = await freeze(4);
    const chunk = await claim(runId);
    const soon = exception(1, { nextAttemptAt: new Date(Date.now() - 1_000), attempts: 3 });
    await recordCheckpoints(
      database.db,
      [toPoint(chunk, { outcomes: Buffer.from([1, 2, 2, 0]), exceptions: [soon, exception(2)] })],
      0,
    );

    const again = await claim(runId);

    expect(await readOwedDevices(database.db, again)).toMatchObject([
      { index: 1, attempts: 3, sameOwner: true, sameToken: true },
      { index: 3, attempts: 0, history: null },
    ]);
    expect(await readOwedDevices(database.db, again, 1)).toMatchObject([{ index: 1 }]);
    expect([...(await readDeferred(database.db, again)).keys()]).toEqual([1, 2]);
  });

  test('shows what became of the device since', async () => {
    const { runId, appRef, devices } = await freeze(4);
    const register = (n: number, changes: { pushToken?: string; userId?: string }) => {
      const { activationId, userId, pushToken } = { ...devices[n]!, ...changes };
      const registration = { appRef, activationId, userId, pushToken, activationActive: true };
      return inRegistration(
        database.db,
        { pushToken: registration.pushToken, activationIds: [registration.activationId] },
        (tx) =>
          saveDevice(
            tx,
            { ...registration, provider: 'apns', environment: null },
            { kind: 'refuse' },
          ),
      );
    };
    await register(0, { pushToken: 'another' });
    await register(1, { userId: 'somebody else' });
    await register(2, {});
    await database.db.deleteFrom('devices').where('id', '=', devices[3]!.id).execute();

    const owed = await readOwedDevices(database.db, await claim(runId));

    expect(owed).toMatchObject([
      { pushToken: 'another', sameOwner: true, sameToken: false },
      { sameOwner: false, sameToken: true },
      { sameOwner: true, sameToken: true },
      { pushToken: null },
    ]);
  });
});

describe('a checkpoint', () => {
  test('writes outcomes, exceptions and sums together; repeated, it counts once', async () => {
    const { runId } = await freeze(3);
    const chunk = await claim(runId);
    const point = toPoint(chunk, {
      outcomes: Buffer.from([1, 52, 0]),
      changes: new Map([
        [1, 1],
        [52, 1],
        [AMBIGUOUS, 1],
      ]),
      exceptions: [exception(1, { state: 'failed', reason: 'Unregistered', nextAttemptAt: null })],
      release: { kind: 'keep' },
    });

    const first = await recordCheckpoints(database.db, [point], 0);
    const repeated = await recordCheckpoints(database.db, [point], 0);

    expect([first, repeated]).toEqual([[true], [true]]);
    expect(await readChunk(runId)).toMatchObject({
      outcomes: Buffer.from([1, 52, 0]),
      leased: true,
      checkpoint: 1,
    });
    expect(await sumsOf(runId)).toEqual([
      [AMBIGUOUS, 1],
      [-1, 3],
      [1, 1],
      [52, 1],
    ]);
  });

  test('of somebody whose lease is another’s by now changes nothing', async () => {
    const { runId } = await freeze(1);
    const old = await claim(runId);
    await sql`UPDATE campaign_chunks SET due_at = now() WHERE run_id = ${runId}`.execute(
      database.db,
    );
    const chunk = await claim(runId);

    const point = toPoint(old, { outcomes: Buffer.from([1]), changes: new Map([[1, 1]]) });
    const written = await recordCheckpoints(
      database.db,
      [point, toPoint(chunk, { release: { kind: 'keep' } })],
      0,
    );

    expect(written).toEqual([false, true]);
    expect(await readChunk(runId)).toMatchObject({ outcomes: Buffer.from([0]), leased: true });
    expect(await sumsOf(runId)).toEqual([[-1, 1]]);
  });

  test('of many chunks and runs goes with one statement', async () => {
    const runs = [await freeze(1), await freeze(2)];
    const chunks = await Promise.all(runs.map(({ runId }) => claim(runId)));

    const points = chunks.map((chunk) =>
      toPoint(chunk, {
        outcomes: Buffer.alloc(chunk.outcomes.length, 1),
        changes: new Map([[1, chunk.outcomes.length]]),
        release: { kind: 'done' },
      }),
    );

    expect(await recordCheckpoints(database.db, points, 3)).toEqual([true, true]);
    for (const [n, { runId }] of runs.entries()) {
      expect(await sumsOf(runId)).toEqual([
        [-1, n + 1],
        [1, n + 1],
      ]);
      expect(await readChunk(runId)).toMatchObject({ dueAt: null, leased: false });
    }
  });

  test('keeps the history of an exception that is written again without one', async () => {
    const { runId } = await freeze(1);
    const record = {
      at: '2026-11-23T06:00:00.000Z',
      outcome: 'retry',
      endpoint: 'host',
      environment: '',
      credentialVersion: 1,
      latencyMs: 1,
    };
    const first = await claim(runId);
    await recordCheckpoints(
      database.db,
      [
        toPoint(first, {
          outcomes: Buffer.from([2]),
          exceptions: [exception(0, { history: [record] })],
        }),
      ],
      0,
    );
    const second = await claim(runId);

    const skipped = exception(0, { state: 'skipped', reason: 'cancelled', nextAttemptAt: null });
    await recordCheckpoints(
      database.db,
      [toPoint(second, { outcomes: Buffer.from([20]), exceptions: [skipped] })],
      0,
    );

    const kept = await database.db
      .selectFrom('campaignExceptions')
      .select(['state', 'reason', 'history'])
      .where('runId', '=', runId)
      .execute();
    expect(kept).toEqual([{ state: 'skipped', reason: 'cancelled', history: [record] }]);
  });

  test('holds a chunk for a pause, until that is lifted; for one that is lifted already it holds nothing', async () => {
    const { runId, appRef } = await freeze(1);
    const { version } = await database.db
      .selectFrom('credentials')
      .select('version')
      .where('appRef', '=', appRef)
      .where('provider', '=', 'apns')
      .executeTakeFirstOrThrow();
    const scope = {
      appRef,
      provider: 'apns',
      environment: 'production',
      credentialVersion: version,
    } as const;
    const pauseId = (await openPause(database.db, scope, 'credential', 'reason')) ?? -1;
    const later = new Date(Date.now() + 3_600_000);
    const held = { kind: 'later', dueAt: later, pauseId } as const;

    await recordCheckpoints(database.db, [toPoint(await claim(runId), { release: held })], 0);
    expect(await readChunk(runId)).toMatchObject({ pauseId, dueAt: later });
    await liftPause(database.db, pauseId);
    await wakeLifted(database.db, 100);
    expect(await readChunk(runId)).toMatchObject({ pauseId: null });

    await recordCheckpoints(database.db, [toPoint(await claim(runId), { release: held })], 0);
    expect(await readChunk(runId)).toMatchObject({ pauseId: null });
    expect(await claimChunk(database.db, runId, LEASE_MS)).toBeDefined();
  });
});

describe('leases of chunks', () => {
  test('are renewed for who holds them, and for nobody else', async () => {
    const { runId } = await freeze(1);
    const chunk = await claim(runId);
    const before = (await readChunk(runId)).dueAt ?? new Date(0);

    const stale = { ...chunk, leaseEpoch: chunk.leaseEpoch - 1 };
    const renewed = await renewChunkLeases(database.db, [stale, chunk], 2 * LEASE_MS);

    expect(renewed).toEqual([false, true]);
    const after = (await readChunk(runId)).dueAt ?? new Date(0);
    expect(after.getTime() - before.getTime()).toBeGreaterThan(LEASE_MS / 2);
    await sql`UPDATE campaign_chunks SET due_at = now() WHERE run_id = ${runId}`.execute(
      database.db,
    );
    expect(await renewChunkLeases(database.db, [chunk], LEASE_MS)).toEqual([false]);
  });
});

describe('what is owed of a run that was cancelled', () => {
  test('is left to who sends it, and taken when that is over, with what was tried', async () => {
    const { runId } = await freeze(2);
    const chunk = await claim(runId);
    await controlStoredRun(database.db, runId, 'cancel');
    expect(await claimUnsettled(database.db, runId, 10, LEASE_MS)).toEqual([]);

    await recordCheckpoints(
      database.db,
      [toPoint(chunk, { outcomes: Buffer.from([2, 0]), exceptions: [exception(0)] })],
      0,
    );
    const [unsettled] = await claimUnsettled(database.db, runId, 10, LEASE_MS);

    expect(unsettled).toMatchObject({
      outcomes: Buffer.from([2, 0]),
      deferred: [{ index: 0, attempts: 1, state: 'pending' }],
    });
    expect(await finishRun(database.db, runId)).toBe(false);
  });
});

describe('a device that moved to another push token', () => {
  test('may have it if nobody in the audience does, and only one of two that moved there', async () => {
    const { runId, devices } = await freeze(3);
    const [a, b, c] = devices;
    const moved = (deviceId: number, pushToken: string) =>
      claimMovedToken(database.db, { runId, provider: 'apns', deviceId, pushToken });

    const answers = [
      await moved(a!.id, 'new'),
      await moved(b!.id, 'new'),
      // Asked again, as after a crash.
      await moved(a!.id, 'new'),
      await moved(b!.id, c!.pushToken),
    ];

    expect(answers).toEqual([true, false, true, false]);
  });
});
