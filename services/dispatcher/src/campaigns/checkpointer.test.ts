import { createRunId } from '@heliograph/core';
import { claimChunk, openDatabase, type ClaimedChunk, type Db } from '@heliograph/db';
import { eventually, makeApp, useTestDatabase } from '@heliograph/testing';
import { pino } from 'pino';
import { sql } from 'kysely';

import { createCheckpointer } from './checkpointer.ts';
import { createChunkLeases } from './chunk-leases.ts';
import { ChunkProgress } from './chunk-progress.ts';

const database = useTestDatabase();

/** A chunk of so many devices of a running run, under lease. */
async function claim(devices = 3): Promise<ClaimedChunk> {
  const appRef = await makeApp(database.db);
  const runId = createRunId(Date.now());
  await sql`
    INSERT INTO campaign_runs (id, campaign_id, app_ref, message, state, dry_run, start_at, started_at, materialised_at)
    VALUES (${runId}, 1, ${appRef}, '{}', 'running', false, now(), now(), now())`.execute(
    database.db,
  );
  await sql`
    INSERT INTO campaign_chunks (run_id, ordinal, provider, first_device_id, last_device_id, device_ids, token_hashes,
      user_hashes, outcomes, due_at)
    SELECT ${runId}, 0, 'apns', 1, ${devices}::bigint, array_agg(n::bigint), decode(repeat('00', 16 * ${devices}::integer), 'hex'),
      array_agg(0::bigint), decode(repeat('00', ${devices}::integer), 'hex'), now()
    FROM generate_series(1, ${devices}::integer) AS n`.execute(database.db);
  const chunk = await claimChunk(database.db, runId, 60_000);
  if (chunk === undefined) throw new Error('the chunk was not claimed');
  return chunk;
}

function open(db: Db = database.db) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const log = pino({ level: 'silent' });
  const leases = createChunkLeases({
    db,
    clockMs: () => performance.now(),
    onError,
    leaseMs: 60_000,
  });
  const checkpointer = createCheckpointer({
    db,
    leases,
    log,
    onRecorded: () => undefined,
    onError,
    random: () => 0,
  });
  const close = async () => {
    await checkpointer.close();
    leases.close();
  };
  return { checkpointer, errors, close };
}

const chunkRow = ({ runId }: ClaimedChunk) =>
  database.db
    .selectFrom('campaignChunks')
    .select(['outcomes', 'leased', 'dueAt', 'checkpoint'])
    .where('runId', '=', runId)
    .executeTakeFirstOrThrow();

async function countsOf({ runId }: ClaimedChunk) {
  const rows = await database.db
    .selectFrom('campaignRunCounts')
    .select(['code', 'count'])
    .where('runId', '=', runId)
    .orderBy('code')
    .execute();
  return rows.map(({ code, count }) => [code, count]);
}

const exception = (index: number, reason: string) => ({
  index,
  deviceId: index + 1,
  userId: 'user',
  state: 'failed' as const,
  reason,
  attempts: 1,
  ambiguousAttempts: 0,
  nextAttemptAt: null,
  providerMessageId: null,
  history: [],
});

describe('the checkpointer', () => {
  test('writes outcomes while the chunk is still being sent', async () => {
    const chunk = await claim();
    const { checkpointer, close } = open();
    const progress = new ChunkProgress(chunk);
    checkpointer.watch(progress);

    progress.finish(0, 'sent', null);

    await eventually(async () =>
      expect(await chunkRow(chunk)).toMatchObject({
        outcomes: Buffer.from([1, 0, 0]),
        leased: true,
      }),
    );
    progress.finish(1, 'sent', null);
    progress.finish(2, 'sent', null);
    await checkpointer.release(progress, { kind: 'done' });
    expect(await chunkRow(chunk)).toMatchObject({
      outcomes: Buffer.from([1, 1, 1]),
      leased: false,
      dueAt: null,
    });
    expect(await countsOf(chunk)).toEqual([[1, 3]]);
    await close();
  });

  test('writes nothing under a lease that is another’s by now, and says that it is lost', async () => {
    const chunk = await claim();
    const { checkpointer, close } = open();
    const progress = new ChunkProgress(chunk);
    checkpointer.watch(progress);
    await sql`UPDATE campaign_chunks SET lease_epoch = lease_epoch + 1 WHERE run_id = ${chunk.runId}`.execute(
      database.db,
    );

    progress.finish(0, 'sent', null);
    await checkpointer.release(progress, { kind: 'due' });

    expect(progress.isLost).toBe(true);
    expect(await chunkRow(chunk)).toMatchObject({
      outcomes: Buffer.from([0, 0, 0]),
      checkpoint: 0,
    });
    expect(await countsOf(chunk)).toEqual([]);
    await close();
  });

  test('writes everybody else’s outcomes though the database refuses words of one', async () => {
    const [bad, good] = [await claim(), await claim()];
    const { checkpointer, errors, close } = open();
    const [badly, well] = [new ChunkProgress(bad), new ChunkProgress(good)];
    for (const progress of [badly, well]) checkpointer.watch(progress);

    // PostgreSQL takes no NUL.
    badly.finish(0, 'failed', 'a\u0000b', exception(0, 'a\u0000b'));
    well.finish(0, 'sent', null);
    await Promise.all([
      checkpointer.release(badly, { kind: 'due' }),
      checkpointer.release(well, { kind: 'due' }),
    ]);

    expect(errors.length).toBeGreaterThan(0);
    expect(await countsOf(good)).toEqual([[1, 1]]);
    expect(await countsOf(bad)).toEqual([[40, 1]]);
    const kept = await database.db
      .selectFrom('campaignExceptions')
      .select(['state', 'reason'])
      .where('runId', '=', bad.runId)
      .execute();
    expect(kept).toEqual([{ state: 'failed', reason: 'unrecordable' }]);
    await close();
  });

  test('keeps what was sent while the database is away, and counts it once', async () => {
    const chunk = await claim();
    const away = openDatabase('postgres://127.0.0.1:1/nobody', 1);
    let db: Db = away;
    const switching = new Proxy(database.db, {
      get(_, name) {
        const value: unknown = Reflect.get(db, name, db);
        return typeof value === 'function' ? (value.bind(db) as unknown) : value;
      },
    });
    const { checkpointer, errors, close } = open(switching);
    const progress = new ChunkProgress(chunk);
    checkpointer.watch(progress);

    progress.finish(0, 'sent', null);
    const released = checkpointer.release(progress, { kind: 'due' });
    await eventually(() => expect(errors.length).toBeGreaterThan(1));
    // Whoever sends must not run away from the ledger.
    await eventually(() => expect(checkpointer.isBehind()).toBe(true));
    db = database.db;
    await released;
    await eventually(() => expect(checkpointer.isBehind()).toBe(false));

    expect(await chunkRow(chunk)).toMatchObject({
      outcomes: Buffer.from([1, 0, 0]),
      checkpoint: 1,
    });
    expect(await countsOf(chunk)).toEqual([[1, 1]]);
    await close();
    await away.destroy();
  });
});
