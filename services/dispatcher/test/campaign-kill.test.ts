import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { isFinalCode, toRunDeliveryId } from '@heliograph/core';
import {
  controlStoredRun,
  findCampaign,
  findLatestRun,
  findRun,
  MAX_DELIVERIES_PER_CHUNK,
  type Db,
} from '@heliograph/db';
import type { ReceivedPush } from '@heliograph/sandbox';
import {
  eventually,
  startOwnPostgres,
  startOwnRedis,
  type SpawnedService,
} from '@heliograph/testing';
import { Redis } from 'ioredis';
import { sql } from 'kysely';

import {
  expectBalanced,
  makeCampaign,
  makeDevices,
  readLedger,
  startRun,
  type LedgerEntry,
} from './campaign-rig.ts';
import { openStack, toIdentity, type Stack } from './stack.ts';

jest.setTimeout(300_000);

/** A dispatcher sends so many chunks of a run at once. */
const CHUNKS_IN_HAND = 4;
/** So many campaign pushes are under way at APNs at once: three quarters of the streams of four connections. */
const PLACES = 3_000;
/** What a dead dispatcher had claimed is sent after its lease, of 20 s, and on a busy machine that takes long. */
const AFTER_LEASE_MS = 150_000;
/** For what takes long on a busy machine. */
const LATE = { timeoutMs: 60_000 };

describe('kill -9, FLUSHALL and a restart of PostgreSQL in the middle of a run to 50,000 devices', () => {
  test('loses none; repeats what was sent and not recorded, with the same ids', async () => {
    const seed = Number(process.env['KILL_SEED'] ?? randomInt(2 ** 31));
    const random = createRandom(seed);
    const [postgres, redis] = await Promise.all([
      startOwnPostgres({ durable: true }),
      startOwnRedis(),
    ]);
    const stack = await openStack({ postgres, redis });
    const client = new Redis(redis.url);
    const story: string[] = [];
    try {
      const app = await stack.makeSendingApp();
      const users: string[] = [];
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        users.push(...(await makeDevices(stack.db, app, 9_000, { name, provider: 'apns' })));
        users.push(
          ...(await makeDevices(stack.db, app, 1_000, { name: `${name}x`, provider: 'fcm' })),
        );
      }
      const campaign = await makeCampaign(stack.db, app, users);
      await noteTakeOvers(stack.db);
      let api = await stack.startApi();
      const dispatchers = [await stack.startDispatcher(), await stack.startDispatcher()];
      let killed = 0;

      const killOne = async () => {
        const victim = Math.floor(random() * dispatchers.length);
        await die(dispatchers[victim]);
        killed += 1;
        dispatchers[victim] = await stack.startDispatcher();
      };
      const killBoth = async () => {
        await Promise.all(dispatchers.map(die));
        killed += 2;
        dispatchers.splice(0, 2, await stack.startDispatcher(), await stack.startDispatcher());
      };
      const killApi = async () => {
        await die(api);
        api = await stack.startApi();
      };
      const flush = async () => void (await client.flushall());
      const restartPostgres = () => postgres.restart();
      const disasters = Object.entries({ killOne, killBoth, killApi, flush, restartPostgres })
        .map((disaster) => ({ disaster, place: random() }))
        .toSorted((one, other) => one.place - other.place)
        .map(({ disaster }) => disaster);
      const moments = disasters.map(() => Math.floor(1_000 + 33_000 * random()));
      moments.sort((one, other) => one - other);

      // The api that was asked may be killed before it answers.
      stack.call(api, 'POST', `/push/campaign/send/live/${campaign}`).catch(() => undefined);
      const { id: runId } = await eventually(async () => {
        const run = await findLatestRun(stack.db, campaign);
        if (run === undefined) throw new Error('no run yet');
        return run;
      });
      const sums = watchSums(stack.db, runId);
      for (const [n, [name, strike]] of disasters.entries()) {
        await arrived(stack, moments[n] ?? 0);
        story.push(`${name} at ${stack.countAccepted()}`);
        await strike();
      }
      await stack.runIn(runId, 'completed', AFTER_LEASE_MS);
      const { looks, mistakes } = await sums.stop();

      const total = { targeted: 50_000, sent: 50_000, pending: 0, failed: 0, expired: 0 };
      expect(await expectBalanced(stack.db, runId)).toMatchObject({ sent: 50_000, pending: 0 });
      expect(await stack.call(api, 'GET', `/push/campaign/${campaign}/run`)).toMatchObject({
        state: 'completed',
        counts: { total },
      });
      expect(await findCampaign(stack.db, campaign)).toMatchObject({ sent: true });
      expect(looks).toBeGreaterThan(10);
      expect(mistakes).toEqual([]);
      const { devices, repeats, unrecorded, takeOvers } = await reckon(stack, runId);
      expect(devices).toBe(50_000);
      expect(takeOvers).toBeLessThanOrEqual(killed * CHUNKS_IN_HAND);
      expect(repeats).toBeLessThanOrEqual(unrecorded);
    } catch (error) {
      throw new Error(`KILL_SEED=${seed}: ${story.join(', ')}`, { cause: error });
    } finally {
      client.disconnect();
      await stack.close();
      await Promise.all([postgres.stop(), redis.stop()]);
    }
  });
});

async function die(service: SpawnedService | undefined): Promise<void> {
  service?.kill('SIGKILL');
  await service?.exited;
}

describe('kill -9 of dispatchers while they freeze an audience of 60,000 devices', () => {
  test('the audience is complete, and nobody is in it twice', async () => {
    const stack = await openStack();
    try {
      const app = await stack.makeSendingApp();
      const users = await makeDevices(stack.db, app, 60_000, { provider: 'apns' });
      const campaign = await makeCampaign(stack.db, app, users);
      // A run that is sent so slowly that nothing but the freezing matters, and one that only counts.
      const runIds = [
        await startRun(stack.db, campaign, { ratePerSecond: 0.01 }),
        await startRun(stack.db, campaign, { dryRun: true }),
      ];
      let victim = await stack.startDispatcher();

      // In the middle of the first page, then of a later one, then wherever it is.
      for (const isFirst of [true, false]) {
        if (!isFirst) await someFrozen(stack.db, runIds);
        await holdingFreezing(stack.db, runIds, async () => {
          await die(victim);
          victim = await stack.startDispatcher();
        });
      }
      await die(victim);
      await stack.startDispatcher();

      for (const runId of runIds)
        await eventually(async () => {
          expect(await findRun(stack.db, runId)).toMatchObject({
            materialisedAt: expect.any(Date),
            users: 60_000,
            usersWithoutDevice: 0,
          });
        }, LATE);
      const [sent = '', dry = ''] = runIds;
      const ledger = await readLedger(stack.db, sent);
      expect(ledger).toHaveLength(60_000);
      await expectBalanced(stack.db, sent);
      expect(await countTargeted(stack.db, dry)).toBe(60_000);
      await stack.runIn(dry, 'completed');
    } finally {
      await stack.close();
    }
  });
});

describe('SIGSTOP of a dispatcher for longer than its leases on chunks', () => {
  test('lets the other one take over; when it goes on, it sends at most what was in flight', async () => {
    const stack = await openStack();
    const sleepers: SpawnedService[] = [];
    try {
      const app = await stack.makeSendingApp();
      const users = await makeDevices(stack.db, app, 8_000, { provider: 'apns' });
      const campaign = await makeCampaign(stack.db, app, users);
      await noteTakeOvers(stack.db);
      const sleeper = await stack.startDispatcher();
      sleepers.push(sleeper);
      const runId = await startRun(stack.db, campaign);
      await arrived(stack, 1_000);

      sleeper.kill('SIGSTOP');
      await stack.startDispatcher();
      await stack.runIn(runId, 'completed', AFTER_LEASE_MS);
      const before = stack.countAccepted();
      sleeper.kill('SIGCONT');
      // Time for it to do wrong; then it has ended all that it had in hand.
      await sleep(2_000);
      sleeper.kill('SIGTERM');
      await sleeper.exited;

      expect(await expectBalanced(stack.db, runId)).toMatchObject({ sent: 8_000 });
      const late = stack.countAccepted() - before;
      const { devices, repeats, unrecorded, takeOvers } = await reckon(stack, runId);
      expect(devices).toBe(8_000);
      expect(takeOvers).toBeGreaterThan(0);
      expect(late).toBeLessThanOrEqual(PLACES);
      expect(repeats).toBeLessThanOrEqual(unrecorded + late);
    } finally {
      for (const sleeper of sleepers) sleeper.kill('SIGCONT');
      await stack.close();
    }
  });

  test('does not keep the other ones from looking after the runs, though it was at it', async () => {
    const stack = await openStack();
    const sleepers: SpawnedService[] = [];
    try {
      const app = await stack.makeSendingApp();
      const users = await makeDevices(stack.db, app, 20_000, { provider: 'apns' });
      const campaign = await makeCampaign(stack.db, app, users);
      const sleeper = await stack.startDispatcher();
      sleepers.push(sleeper);
      const runId = await startRun(stack.db, campaign, { ratePerSecond: 1_000 });
      // It holds the run's row, and the lock on looking after runs perhaps.
      await holdingFreezing(stack.db, [runId], () => sleeper.kill('SIGSTOP'));
      await stack.startDispatcher();

      await eventually(async () => {
        expect(await findRun(stack.db, runId)).toMatchObject({ materialisedAt: expect.any(Date) });
      }, LATE);
    } finally {
      for (const sleeper of sleepers) sleeper.kill('SIGCONT');
      await stack.close();
    }
  });
});

describe('kill -9 of a dispatcher whose runs are paused and cancelled at that moment', () => {
  test('the one goes on when it is resumed; of the other what was owed is skipped, and nothing is sent after', async () => {
    const stack = await openStack();
    try {
      const app = await stack.makeSendingApp();
      const [pausing, cancelling] = await Promise.all(
        ['p', 'c'].map(async (name) =>
          makeCampaign(
            stack.db,
            app,
            await makeDevices(stack.db, app, 10_000, { name, provider: 'apns' }),
          ),
        ),
      );
      await noteTakeOvers(stack.db);
      const victim = await stack.startDispatcher();
      const paused = await startRun(stack.db, pausing ?? 0);
      const cancelled = await startRun(stack.db, cancelling ?? 0);
      const countPushes = (runId: string) =>
        stack.sandbox.received().filter((push) => toIdentity(push).includes(runId)).length;
      await eventually(() => {
        for (const runId of [paused, cancelled])
          expect(countPushes(runId)).toBeGreaterThanOrEqual(500);
      }, LATE);

      await Promise.all([
        controlStoredRun(stack.db, paused, 'pause'),
        controlStoredRun(stack.db, cancelled, 'cancel'),
      ]);
      await die(victim);
      await stack.startDispatcher();
      const sentBefore = [countPushes(paused), countPushes(cancelled)];
      // It is over when the leases of the dead one are.
      await stack.runIn(cancelled, 'cancelled', AFTER_LEASE_MS);
      expect([countPushes(paused), countPushes(cancelled)]).toEqual(sentBefore);
      expect(await findRun(stack.db, paused)).toMatchObject({ state: 'paused', finishedAt: null });
      await controlStoredRun(stack.db, paused, 'resume');
      await stack.runIn(paused, 'completed', AFTER_LEASE_MS);

      const ended = await expectBalanced(stack.db, cancelled);
      const ofCancelled = await reckon(stack, cancelled);
      expect(ended).toEqual({
        sent: ofCancelled.devices - ofCancelled.unrecorded,
        skipped: 10_000 - ended.sent,
        failed: 0,
        expired: 0,
        pending: 0,
      });
      expect(ofCancelled).toMatchObject({ devices: sentBefore[1], repeats: 0 });
      expect(await expectBalanced(stack.db, paused)).toMatchObject({ sent: 10_000, pending: 0 });
      const { devices, repeats, unrecorded } = await reckon(stack, paused);
      expect(devices).toBe(10_000);
      expect(repeats).toBeLessThanOrEqual(unrecorded);
      const reasons = (await readLedger(stack.db, cancelled)).map(({ reason }) => reason);
      expect(new Set(reasons)).toEqual(new Set([null, 'cancelled']));
    } finally {
      await stack.close();
    }
  });
});

describe('Redis away from soon after the start of a run', () => {
  test('the run stands still, though it can be cancelled; it goes on when Redis is back, and loses and repeats nothing', async () => {
    const redis = await startOwnRedis();
    const stack = await openStack({ redis });
    try {
      const app = await stack.makeSendingApp();
      const [first, second] = await Promise.all(
        ['f', 's'].map(async (name) =>
          makeCampaign(
            stack.db,
            app,
            await makeDevices(stack.db, app, 12_000, { name, provider: 'apns' }),
          ),
        ),
      );
      await noteTakeOvers(stack.db);
      await stack.startDispatcher();
      const runId = await startRun(stack.db, first ?? 0);
      await arrived(stack, 500);

      await redis.kill();
      const another = await startRun(stack.db, second ?? 0);
      // The audience is frozen without it, and what was in hand is sent and recorded.
      await eventually(async () => {
        expect(await findRun(stack.db, another)).toMatchObject({ state: 'running' });
        expect(await countLeased(stack.db)).toBe(0);
      }, LATE);
      const standing = await expectBalanced(stack.db, runId);
      expect(standing).toMatchObject({ sent: stack.countAccepted() });
      expect(standing.pending).toBeGreaterThan(0);
      await controlStoredRun(stack.db, another, 'cancel');
      await stack.runIn(another, 'cancelled');
      expect(standing).toMatchObject({ sent: stack.countAccepted() });
      await redis.start();
      await stack.runIn(runId, 'completed', AFTER_LEASE_MS);

      expect(await expectBalanced(stack.db, runId)).toMatchObject({ sent: 12_000, pending: 0 });
      expect(await expectBalanced(stack.db, another)).toMatchObject({ skipped: 12_000 });
      expect(await reckon(stack, runId)).toEqual({
        devices: 12_000,
        repeats: 0,
        unrecorded: 0,
        takeOvers: 0,
      });
      expect(stack.countAccepted()).toBe(12_000);
    } finally {
      await stack.close();
      await redis.stop();
    }
  });
});

async function countLeased(db: Db): Promise<number> {
  const rows = await db
    .selectFrom('campaignChunks')
    .select('ordinal')
    .where('leased', '=', true)
    .execute();
  return rows.length;
}

/** Waits until so many pushes were accepted by the fake providers. */
function arrived(stack: Stack, count: number): Promise<void> {
  return eventually(() => expect(stack.countAccepted()).toBeGreaterThanOrEqual(count), {
    timeoutMs: 120_000,
  });
}

/** Waits until a part of each audience was frozen. */
function someFrozen(db: Db, runIds: readonly string[]): Promise<void> {
  return eventually(async () => {
    const runs = await db
      .selectFrom('campaignRuns')
      .select('deviceCursor')
      .where('id', 'in', [...runIds])
      .execute();
    for (const { deviceCursor } of runs) expect(deviceCursor).toBeGreaterThan(0);
  }, LATE);
}

/** Holds up the next page of these audiences in the middle of its statement, where it waits for a row that it adds to. */
async function holdingFreezing(
  db: Db,
  runIds: readonly string[],
  work: () => void | Promise<void>,
): Promise<void> {
  const holder = await db.startTransaction().execute();
  try {
    // It says nothing for as long as a dispatcher takes to start.
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`.execute(holder);
    for (const runId of runIds)
      await sql`
        INSERT INTO campaign_run_counts AS t (run_id, provider, code, shard, count) VALUES (${runId}, 'apns', -1, -1, 0)
        ON CONFLICT (run_id, provider, code, shard) DO UPDATE SET count = t.count`.execute(holder);
    await eventually(async () => {
      const { rows } = await sql`
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE '%WITH page AS MATERIALIZED%'`.execute(
        db,
      );
      expect(rows).toHaveLength(runIds.length);
    }, LATE);
    await work();
  } finally {
    await holder.rollback().execute();
  }
}

async function countTargeted(db: Db, runId: string): Promise<number> {
  const { count } = await db
    .selectFrom('campaignRunCounts')
    .select((row) => row.fn.sum<string>('count').as('count'))
    .where('runId', '=', runId)
    .where('code', '=', -1)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From now on the database notes each chunk whose lease ran out in somebody's hands, as it was when the next one took it. */
async function noteTakeOvers(db: Db): Promise<void> {
  await sql`CREATE TABLE take_overs (run_id uuid, ordinal integer, outcomes bytea, at timestamptz)`.execute(
    db,
  );
  await sql`
    CREATE FUNCTION note_take_over() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO take_overs VALUES (OLD.run_id, OLD.ordinal, OLD.outcomes, clock_timestamp());
      RETURN NULL;
    END $$`.execute(db);
  await sql`
    CREATE TRIGGER chunk_taken_over AFTER UPDATE ON campaign_chunks FOR EACH ROW
      WHEN (OLD.leased AND NEW.lease_epoch > OLD.lease_epoch) EXECUTE FUNCTION note_take_over()`.execute(
    db,
  );
}

interface TakeOver {
  readonly ordinal: number;
  readonly outcomes: Buffer;
  readonly at: Date;
}

/** What arrived of a run, compared with what its dispatchers had recorded when they died. */
interface Reckoning {
  /** Devices that got it. */
  readonly devices: number;
  /** Pushes beyond the first one of a device. */
  readonly repeats: number;
  /** Pushes that a dispatcher had sent and not recorded when its chunk was taken over: so many may be repeated. */
  readonly unrecorded: number;
  readonly takeOvers: number;
}

/** Every push of the run carries what its place in the audience says; answers how many there were. */
async function reckon(stack: Stack, runId: string): Promise<Reckoning> {
  const ledger = await readLedger(stack.db, runId);
  const pushes = await findPushes(stack, runId, ledger);
  const identities = new Map<number, Set<string>>();
  for (const { place, push } of pushes)
    identities.set(place, (identities.get(place) ?? new Set()).add(toIdentity(push)));
  expect([...identities.values()].filter((known) => known.size !== 1)).toEqual([]);
  const wrongIds = pushes.filter(
    ({ place, push }) =>
      push.provider === 'apns' && push.headers['apns-id'] !== toRunDeliveryId(runId, place),
  );
  expect(wrongIds).toEqual([]);

  const { rows: takeOvers } = await sql<TakeOver>`
    SELECT ordinal, outcomes, at FROM take_overs WHERE run_id = ${runId} ORDER BY at`.execute(
    stack.db,
  );
  return {
    devices: identities.size,
    repeats: pushes.length - identities.size,
    unrecorded: countUnrecorded(pushes, takeOvers),
    takeOvers: takeOvers.length,
  };
}

interface PlacedPush {
  /** Its device's place in the run. */
  readonly place: number;
  readonly push: ReceivedPush;
}

/** What was accepted of the run. */
async function findPushes(
  stack: Stack,
  runId: string,
  ledger: readonly LedgerEntry[],
): Promise<readonly PlacedPush[]> {
  const devices = await stack.db.selectFrom('devices').select(['id', 'pushToken']).execute();
  const tokens = new Map(devices.map(({ id, pushToken }) => [id, pushToken]));
  const places = new Map(ledger.map(({ deviceId, place }) => [tokens.get(deviceId), place]));
  return stack.accepted().flatMap((push) => {
    const place = places.get(push.token);
    return place !== undefined && toIdentity(push).includes(runId) ? [{ place, push }] : [];
  });
}

function countUnrecorded(pushes: readonly PlacedPush[], takeOvers: readonly TakeOver[]): number {
  const times = new Map<number, number[]>();
  for (const { place, push } of pushes) times.set(place, [...(times.get(place) ?? []), push.at]);
  const heldFrom = new Map<number, number>();
  let unrecorded = 0;
  for (const { ordinal, outcomes, at } of takeOvers) {
    const [from, until] = [heldFrom.get(ordinal) ?? 0, at.getTime()];
    heldFrom.set(ordinal, until);
    for (const [index, code] of outcomes.entries()) {
      const sent = times.get(ordinal * MAX_DELIVERIES_PER_CHUNK + index) ?? [];
      if (!isFinalCode(code) && sent.some((time) => time >= from && time < until)) unrecorded += 1;
    }
  }
  return unrecorded;
}

/** Looks at the kept sums of a run over and over: they are those of its bytes, in whatever moment. */
function watchSums(db: Db, runId: string) {
  const mistakes: object[] = [];
  let looks = 0;
  let stopped = false;
  const watching = (async () => {
    for (; !stopped; await sleep(500)) {
      // The database may be away.
      const found = await findWrongSums(db, runId).catch(() => undefined);
      if (found === undefined) continue;
      looks += 1;
      mistakes.push(...found);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return { looks, mistakes };
    },
  };
}

/** One statement, so that bytes, sums and times are of one moment. */
async function findWrongSums(db: Db, runId: string): Promise<readonly object[]> {
  const { rows } = await sql<object>`
    WITH counted AS (
      SELECT get_byte(c.outcomes, n) AS code, count(*) AS count
      FROM campaign_chunks c CROSS JOIN LATERAL generate_series(0, length(c.outcomes) - 1) n
      WHERE c.run_id = ${runId} GROUP BY 1
      UNION ALL
      SELECT -1, coalesce(sum(length(outcomes)), 0) FROM campaign_chunks WHERE run_id = ${runId}
    ), kept AS (
      SELECT code, sum(count) AS count FROM campaign_run_counts WHERE run_id = ${runId} GROUP BY 1
    ), timed AS (
      SELECT sum(sent + failed + expired + skipped) AS count FROM campaign_run_timeline WHERE run_id = ${runId}
    ), final AS (
      SELECT sum(count) AS count FROM counted WHERE code NOT IN (-1, 0, 2)
    )
    SELECT code, counted.count AS counted, kept.count AS kept FROM counted FULL JOIN kept USING (code)
    WHERE code NOT IN (-2, 0) AND coalesce(counted.count, 0) <> coalesce(kept.count, 0)
    UNION ALL
    SELECT NULL, final.count, timed.count FROM final, timed WHERE coalesce(final.count, 0) <> coalesce(timed.count, 0)`.execute(
    db,
  );
  return rows;
}
