import { randomUUID } from 'node:crypto';

import type { Provider } from '@heliograph/core';
import {
  eventually,
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  useTestDatabase,
} from '@heliograph/testing';
import { sql } from 'kysely';

import { deleteDevices, hashPushToken, inRegistration, saveDevice } from '../devices.ts';
import { addCampaignUsers, removeCampaignUsers } from './campaigns.ts';
import { controlStoredRun } from './control-run.ts';
import { countUsers } from './count-users.ts';
import { stopRun } from './end-run.ts';
import { freezePage } from './freeze-audience.ts';
import { TARGETED } from './run-counts.ts';
import { findRun } from './runs.ts';

const database = useTestDatabase({ poolSize: 10 });

/** Both ways to find the devices: from the app's devices to their users, and from the users to their devices. */
const PLANS = [{ fewUsers: true }, { fewUsers: false }];

async function setPlan(runId: string, fewUsers: boolean) {
  await database.db.updateTable('campaignRuns').set({ fewUsers }).where('id', '=', runId).execute();
}

async function freezeAll(runId: string, pageSize?: number): Promise<number> {
  for (let pages = 1; ; pages += 1)
    if (!(await freezePage(database.db, runId, pageSize))) return pages;
}

async function readChunks(runId: string) {
  const chunks = await database.db
    .selectFrom('campaignChunks')
    .selectAll()
    .where('runId', '=', runId)
    .orderBy('ordinal')
    .execute();
  // The driver leaves the elements of bigint[] as texts.
  return chunks.map((chunk) => ({ ...chunk, deviceIds: chunk.deviceIds.map(Number) }));
}

/** The ids of the frozen devices in the order of their places. */
async function readAudience(runId: string): Promise<number[]> {
  return (await readChunks(runId)).flatMap((chunk) => chunk.deviceIds);
}

async function readCounts(runId: string) {
  const { db } = database;
  const targeted = await db
    .selectFrom('campaignRunCounts')
    .select(['provider', 'count'])
    .where('runId', '=', runId)
    .where('code', '=', TARGETED)
    .orderBy('provider')
    .execute();
  const excluded = await db
    .selectFrom('campaignRunExclusions')
    .select(['provider', 'reason', 'count'])
    .where('runId', '=', runId)
    .orderBy('provider')
    .orderBy('reason')
    .execute();
  return { targeted, excluded };
}

/** Pages that wait for somebody else to be done with their run. */
async function countWaitingPages(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%WITH page AS%'`.execute(
    database.db,
  );
  return rows[0]?.count ?? 0;
}

/** So many devices, each of its own user, of both providers in turn; answers the users. */
async function makeMany(appRef: number, count: number): Promise<readonly string[]> {
  const name = randomUUID();
  await sql`
    INSERT INTO devices (app_ref, activation_id, user_id, provider, push_token, push_token_hash, activation_active, last_registered_at)
    SELECT ${appRef}, ${name} || n, ${name} || n, CASE n % 2 WHEN 0 THEN 'apns' ELSE 'fcm' END, ${name} || n,
      sha256((${name} || n)::bytea), true, now()
    FROM generate_series(1, ${count}::integer) n`.execute(database.db);
  return Array.from({ length: count }, (_, n) => `${name}${n + 1}`);
}

/** An app with a device for each of so many users, all of them in a campaign. */
async function makeAudience(users: number, providers?: readonly Provider[]) {
  const { db } = database;
  const appRef = await makeApp(db, providers);
  const devices = [];
  for (let n = 0; n < users; n += 1) devices.push(await makeDevice(db, appRef));
  const campaign = await makeCampaign(
    db,
    appRef,
    devices.map((device) => device.userId),
  );
  return { appRef, devices, campaign, ids: devices.map((device) => device.id) };
}

/** As the api does. */
async function register(
  appRef: number,
  device: { activationId: string; userId: string; pushToken: string; provider?: Provider },
) {
  const { activationId, userId, pushToken, provider = 'apns' } = device;
  await inRegistration(database.db, { pushToken, activationIds: [activationId] }, (tx) =>
    saveDevice(
      tx,
      {
        appRef,
        activationId,
        userId,
        provider,
        pushToken,
        environment: null,
        activationActive: true,
      },
      { kind: 'refuse' },
    ),
  );
}

async function moveToken(deviceId: number, pushToken: string): Promise<void> {
  await database.db
    .updateTable('devices')
    .set({ pushToken, pushTokenHash: hashPushToken(pushToken), lastRegisteredAt: new Date() })
    .where('id', '=', deviceId)
    .execute();
}

describe.each(PLANS)('freezing an audience ($fewUsers: few users)', ({ fewUsers }) => {
  const start = async (campaign: { appRef: number; campaignId: number }, changes = {}) => {
    const runId = await makeRun(database.db, campaign, changes);
    await setPlan(runId, fewUsers);
    return runId;
  };

  test('keeps the devices of the users in chunks of one provider, with what they were', async () => {
    const { db } = database;
    // given: a user with two devices, one with one of the other provider
    const appRef = await makeApp(db);
    const first = await makeDevice(db, appRef);
    const other = await makeDevice(db, appRef, { provider: 'fcm' });
    const second = await makeDevice(db, appRef, { userId: first.userId });

    // when
    const campaign = await makeCampaign(db, appRef, [first.userId, other.userId]);
    const runId = await start(campaign);
    const more = await freezePage(db, runId);

    // then
    expect(more).toBe(false);
    expect(await findRun(db, runId)).toMatchObject({
      state: 'running',
      materialisedAt: expect.any(Date),
    });
    const [apns, fcm, ...rest] = await readChunks(runId);
    expect(rest).toEqual([]);
    expect(apns).toMatchObject({
      ordinal: 0,
      provider: 'apns',
      deviceIds: [first.id, second.id],
      firstDeviceId: first.id,
      lastDeviceId: second.id,
      tokenHashes: Buffer.concat(
        [first, second].map((device) => hashPushToken(device.pushToken).subarray(0, 16)),
      ),
      outcomes: Buffer.alloc(2),
      canary: false,
      leased: false,
      dueAt: expect.any(Date),
      expiresAt: null,
    });
    expect(fcm).toMatchObject({ ordinal: 1, provider: 'fcm', deviceIds: [other.id] });
    expect(new Set(apns?.userHashes).size).toBe(1);
    expect(await readCounts(runId)).toEqual({
      targeted: [
        { provider: 'apns', count: 2 },
        { provider: 'fcm', count: 1 },
      ],
      excluded: [],
    });
  });

  test('leaves out other users, other apps, and devices of nobody', async () => {
    const { db } = database;
    const { appRef, devices, campaign, ids } = await makeAudience(2);
    await makeDevice(db, appRef);
    await makeDevice(db, await makeApp(db), { userId: devices[0]?.userId ?? '' });
    const nobodys = await makeDevice(db, appRef);
    await db.updateTable('devices').set({ userId: null }).where('id', '=', nobodys.id).execute();

    const runId = await start(campaign);
    await freezeAll(runId);

    expect(await readAudience(runId)).toEqual(ids);
    expect((await readCounts(runId)).excluded).toEqual([]);
  });

  test('takes users and devices as they were when the run started, but for those removed since', async () => {
    const { db } = database;
    // given
    const { appRef, devices, campaign, ids } = await makeAudience(4);
    const [, readded, removed] = devices;
    const late = await makeDevice(db, appRef);
    const runId = await start(campaign);

    // when: after the start
    await makeDevice(db, appRef, { userId: devices[0]?.userId ?? '' });
    await addCampaignUsers(db, campaign.campaignId, [late.userId]);
    await removeCampaignUsers(db, campaign.campaignId, [
      readded?.userId ?? '',
      removed?.userId ?? '',
    ]);
    await addCampaignUsers(db, campaign.campaignId, [readded?.userId ?? '']);
    await freezeAll(runId);
    await countUsers(db, runId);

    // then
    expect(await readAudience(runId)).toEqual([ids[0], ids[3]]);
    expect(await findRun(db, runId)).toMatchObject({ users: 2, usersWithoutDevice: 0 });
  });

  test('counts what can not be sent to by its reason', async () => {
    const { db } = database;
    // given: APNs takes production tokens only, FCM has no credential
    const { appRef, devices, campaign } = await makeAudience(5, ['apns']);
    const [dead, development, production, fcm] = devices.map((device) => device.id);
    const edit = (id = 0) => db.updateTable('devices').where('id', '=', id);
    await db
      .updateTable('credentials')
      .set({ environment: 'production' })
      .where('appRef', '=', appRef)
      .execute();
    await edit(dead).set({ tokenDeactivatedAt: new Date(), environment: 'development' }).execute();
    await edit(development).set({ environment: 'development' }).execute();
    await edit(production).set({ environment: 'production' }).execute();
    await edit(fcm).set({ provider: 'fcm', environment: 'development' }).execute();

    // when
    const runId = await start(campaign);
    await freezeAll(runId);

    // then
    expect(await readAudience(runId)).toEqual([production, devices[4]?.id]);
    expect(await readCounts(runId)).toEqual({
      targeted: [{ provider: 'apns', count: 2 }],
      excluded: [
        { provider: 'apns', reason: 'environment', count: 1 },
        { provider: 'apns', reason: 'token_deactivated', count: 1 },
        { provider: 'fcm', reason: 'not_configured', count: 1 },
      ],
    });
  });

  test.each([1, 2, 3, 100])(
    'sends a shared token once per provider, in pages of %d',
    async (pageSize) => {
      const { db } = database;
      // given: three devices share a token, the first of them is not sent to; a stranger has it, too; at FCM it is another token
      const appRef = await makeApp(db);
      const pushToken = randomUUID();
      const dead = await makeDevice(db, appRef, { pushToken });
      await makeDevice(db, appRef, { pushToken });
      const shared = [];
      for (let n = 0; n < 3; n += 1) shared.push(await makeDevice(db, appRef, { pushToken }));
      const fcm = await makeDevice(db, appRef, { pushToken, provider: 'fcm' });
      await db
        .updateTable('devices')
        .set({ tokenDeactivatedAt: new Date() })
        .where('id', '=', dead.id)
        .execute();
      const users = [dead, ...shared, fcm].map((device) => device.userId);
      const campaign = await makeCampaign(db, appRef, users);

      // when
      const runId = await start(campaign);
      const dryId = await start(campaign, { dryRun: true });
      await freezeAll(runId, pageSize);
      await freezeAll(dryId, pageSize);

      // then
      expect((await readAudience(runId)).toSorted((a, b) => a - b)).toEqual([
        shared[0]?.id,
        fcm.id,
      ]);
      const counts = {
        targeted: [
          { provider: 'apns', count: 1 },
          { provider: 'fcm', count: 1 },
        ],
        excluded: [
          { provider: 'apns', reason: 'duplicate_token', count: 2 },
          { provider: 'apns', reason: 'token_deactivated', count: 1 },
        ],
      };
      expect(await readCounts(runId)).toEqual(counts);
      expect(await readCounts(dryId)).toEqual(counts);
      expect(await readChunks(dryId)).toEqual([]);
    },
  );

  test('a shared token whose first device is of the wrong environment is sent at the next, dry or not', async () => {
    const { db } = database;
    const { appRef, devices, campaign } = await makeAudience(2, ['apns']);
    const [first, second] = devices;
    await moveToken(second?.id ?? 0, first?.pushToken ?? '');
    await db.updateTable('credentials').set({ environment: 'production' }).execute();
    await db
      .updateTable('devices')
      .set({ environment: 'development' })
      .where('id', '=', first?.id ?? 0)
      .execute();

    const runId = await start(campaign);
    const dryId = await start(campaign, { dryRun: true });
    await freezeAll(runId, 1);
    await freezeAll(dryId, 1);

    expect(await readAudience(runId)).toEqual([second?.id]);
    expect(await readCounts(dryId)).toEqual(await readCounts(runId));
    await db
      .updateTable('credentials')
      .set({ environment: null })
      .where('appRef', '=', appRef)
      .execute();
  });

  test('goes on where it was, page after page, and has nothing to do twice', async () => {
    const { db } = database;
    const { campaign, ids } = await makeAudience(5);
    const runId = await start(campaign);

    expect(await freezePage(db, runId, 2)).toBe(true);
    expect(await readAudience(runId)).toEqual(ids.slice(0, 2));
    expect(await freezePage(db, runId, 2)).toBe(true);
    expect(await freezePage(db, runId, 2)).toBe(false);
    expect(await freezePage(db, runId, 2)).toBe(false);

    const chunks = await readChunks(runId);
    expect(chunks.map((chunk) => [chunk.ordinal, chunk.deviceIds])).toEqual([
      [0, ids.slice(0, 2)],
      [1, ids.slice(2, 4)],
      [2, ids.slice(4)],
    ]);
  });

  test('many at once freeze each page once', async () => {
    const { campaign, ids } = await makeAudience(12);
    const runId = await start(campaign);

    await Promise.all(Array.from({ length: 5 }, () => freezeAll(runId, 3)));

    expect(await readAudience(runId)).toEqual(ids);
    expect((await readCounts(runId)).targeted).toEqual([{ provider: 'apns', count: 12 }]);
  });

  test('an audience of nobody is frozen at once', async () => {
    const { db } = database;
    const campaign = await makeCampaign(db, await makeApp(db), []);
    const runId = await start(campaign, { canaryPercent: 10 });

    expect(await freezePage(db, runId)).toBe(false);

    expect(await findRun(db, runId)).toMatchObject({ state: 'running' });
    expect(await readChunks(runId)).toEqual([]);
  });

  test('25,000 devices: chunks are full, ascend, and do not overlap', async () => {
    const { db } = database;
    // given: two of three are the campaign's
    const appRef = await makeApp(db);
    const users = await makeMany(appRef, 25_000);
    const mine = users.filter((_, n) => n % 3 !== 0);
    const campaign = await makeCampaign(db, appRef, mine);
    const runId = await start(campaign);

    // when
    const pages = await freezeAll(runId);

    // then
    expect(pages).toBe(fewUsers ? 1 : 4);
    const chunks = await readChunks(runId);
    expect(chunks.map((chunk) => chunk.ordinal)).toEqual([...chunks.keys()]);
    expect(Math.max(...chunks.map((chunk) => chunk.outcomes.length))).toBe(1000);
    const audience = chunks.flatMap((chunk) => chunk.deviceIds);
    const expected = await db
      .selectFrom('devices')
      .select(['id', 'provider', 'pushTokenHash'])
      .where('appRef', '=', appRef)
      .where('userId', 'in', mine.slice(0, 10_000))
      .execute();
    expect(new Set(audience).size).toBe(mine.length);
    expect(expected.filter(({ id }) => !audience.includes(id))).toEqual([]);
    for (const provider of ['apns', 'fcm']) {
      const own = chunks.filter((chunk) => chunk.provider === provider);
      const ids = own.flatMap((chunk) => chunk.deviceIds);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      expect(own.map((chunk) => [chunk.firstDeviceId, chunk.lastDeviceId])).toEqual(
        own.map((chunk) => [chunk.deviceIds[0], chunk.deviceIds.at(-1)]),
      );
      const frozen = Buffer.concat(own.map((chunk) => chunk.tokenHashes));
      const byId = new Map(expected.map((device) => [device.id, device]));
      const wrong = ids.filter((id, n) => {
        const device = byId.get(id);
        const hash = frozen.subarray(n * 16, n * 16 + 16);
        return device !== undefined && !device.pushTokenHash.subarray(0, 16).equals(hash);
      });
      expect(wrong).toEqual([]);
    }
    // and: no time was spent on compressing them
    const { rows: compressed } = await sql`
      SELECT FROM campaign_chunks WHERE run_id = ${runId} AND pg_column_compression(device_ids) IS NOT NULL`.execute(
      db,
    );
    expect(compressed).toEqual([]);
    for (const chunk of chunks) {
      expect(chunk.userHashes).toHaveLength(chunk.deviceIds.length);
      expect(chunk.tokenHashes).toHaveLength(chunk.deviceIds.length * 16);
      expect(chunk.outcomes).toHaveLength(chunk.deviceIds.length);
    }
  });

  test('finds the devices of many users by small pages as well', async () => {
    const { db } = database;
    const { appRef, campaign, ids } = await makeAudience(25);
    await makeDevice(db, appRef);
    const runId = await start(campaign);

    await freezeAll(runId, 2);

    expect(await readAudience(runId)).toEqual(ids);
  });

  describe('while tokens move between two pages', () => {
    /** Two devices, of which the first is frozen. */
    async function freezeFirst() {
      const made = await makeAudience(2);
      const [first, second] = made.devices;
      if (first === undefined || second === undefined) throw new Error('there are two');
      const runId = await start(made.campaign);
      await freezePage(database.db, runId, 1);
      return { ...made, first, second, runId };
    }

    test('one that went from a frozen device to a later one is not sent twice', async () => {
      const { appRef, first, second, runId } = await freezeFirst();
      await register(appRef, { ...first, pushToken: randomUUID() });
      await register(appRef, { ...second, pushToken: first.pushToken });

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id]);
      expect((await readCounts(runId)).excluded).toMatchObject([{ reason: 'duplicate_token' }]);
    });

    test('one that went through another device to a later one is not sent twice', async () => {
      const { appRef, first, second, runId } = await freezeFirst();
      const third = await makeDevice(database.db, appRef);
      await register(appRef, { ...first, pushToken: randomUUID() });
      await register(appRef, { ...third, pushToken: first.pushToken });
      await register(appRef, { ...third, pushToken: randomUUID() });
      await register(appRef, { ...second, pushToken: first.pushToken });

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id]);
    });

    test('one whose device was deleted is not sent twice', async () => {
      const { db } = database;
      const { appRef, first, second, runId } = await freezeFirst();
      const { appId } = await db
        .selectFrom('apps')
        .select('appId')
        .where('id', '=', appRef)
        .executeTakeFirstOrThrow();
      expect(await deleteDevices(db, appId, first.pushToken)).toBe(1);
      await register(appRef, { ...second, pushToken: first.pushToken });

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id]);
    });

    test('one whose device went to another provider or app is not sent twice', async () => {
      const { db } = database;
      const { appRef, first, second, runId } = await freezeFirst();
      const elsewhere = await makeApp(db);
      await register(appRef, { ...first, provider: 'fcm' });
      await register(elsewhere, { ...first, provider: 'fcm' });
      await register(appRef, { ...second, pushToken: first.pushToken });

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id]);
    });

    test('one that a frozen device took over is sent at the later one that had it first', async () => {
      const { first, second, runId } = await freezeFirst();
      await moveToken(first.id, second.pushToken);

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id, second.id]);
    });

    test('one that two devices exchanged is sent once', async () => {
      const { first, second, runId } = await freezeFirst();
      await moveToken(first.id, second.pushToken);
      await moveToken(second.id, first.pushToken);

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id]);
    });

    test('a new one of a later device is sent there', async () => {
      const { appRef, first, second, runId } = await freezeFirst();
      const pushToken = randomUUID();
      await register(appRef, { ...second, pushToken });

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id, second.id]);
      const chunk = (await readChunks(runId)).at(-1);
      expect(chunk?.tokenHashes).toEqual(hashPushToken(pushToken).subarray(0, 16));
    });

    test('a later device that was deleted is not in the audience', async () => {
      const { first, second, runId } = await freezeFirst();
      await database.db.deleteFrom('devices').where('id', '=', second.id).execute();

      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual([first.id]);
    });

    test('a release that was made before the start and seen after the first page counts', async () => {
      const { db } = database;
      // given: the first device lets go of its token in a transaction that lasts
      const { devices, campaign } = await makeAudience(2);
      const [first, second] = devices;
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isMoved: () => void = () => undefined;
      const moved = new Promise<void>((resolve) => {
        isMoved = resolve;
      });
      const registration = db.transaction().execute(async (tx) => {
        await tx
          .updateTable('devices')
          .set({ pushToken: 'other', pushTokenHash: hashPushToken(randomUUID()) })
          .where('id', '=', first?.id ?? 0)
          .execute();
        isMoved();
        await held;
      });
      await moved;

      // when: the run starts and freezes it as it was, and the second device gets the token
      const runId = await start(campaign);
      await freezePage(db, runId, 1);
      release();
      await registration;
      await moveToken(second?.id ?? 0, first?.pushToken ?? '');
      await freezeAll(runId, 1);

      // then
      expect(await readAudience(runId)).toEqual([first?.id]);
    });
  });

  describe('of a run that is not to go on', () => {
    test('ends when it is cancelled', async () => {
      const { db } = database;
      const { campaign, ids } = await makeAudience(3);
      const runId = await start(campaign);
      await freezePage(db, runId, 1);

      await controlStoredRun(db, runId, 'cancel');

      expect(await freezePage(db, runId, 1)).toBe(false);
      expect(await readAudience(runId)).toEqual(ids.slice(0, 1));
      expect(await findRun(db, runId)).toMatchObject({ state: 'cancelled', materialisedAt: null });
    });

    test('is cancelled at once while a page is under way, of which nothing stays', async () => {
      const { db } = database;
      const { campaign, ids } = await makeAudience(3);
      const runId = await start(campaign);
      await freezePage(db, runId, 1);

      // when: the page finds the run's row held by who cancels
      const page = await db.transaction().execute(async (tx) => {
        await tx
          .updateTable('campaignRuns')
          .set({ state: 'cancelled' })
          .where('id', '=', runId)
          .execute();
        const frozen = freezePage(db, runId, 1);
        await eventually(async () => expect(await countWaitingPages()).toBeGreaterThan(0));
        return { frozen };
      });

      expect(await page.frozen).toBe(false);
      expect(await readAudience(runId)).toEqual(ids.slice(0, 1));
      expect((await readCounts(runId)).targeted).toMatchObject([{ count: 1 }]);
    });

    test.each(['paused', 'halted'] as const)('goes on while it is %s', async (state) => {
      const { db } = database;
      const { campaign, ids } = await makeAudience(3);
      const runId = await start(campaign);
      await freezePage(db, runId, 1);

      await stopRun(db, runId, state, 'operator');
      await freezeAll(runId, 1);

      expect(await readAudience(runId)).toEqual(ids);
      expect(await findRun(db, runId)).toMatchObject({ state, materialisedAt: expect.any(Date) });
      expect(await controlStoredRun(db, runId, 'resume')).toBe('running');
    });

    test('resumed before its audience is frozen, it materialises on', async () => {
      const { db } = database;
      const { campaign } = await makeAudience(3);
      const runId = await start(campaign);
      await freezePage(db, runId, 1);

      await controlStoredRun(db, runId, 'pause');

      expect(await controlStoredRun(db, runId, 'resume')).toBe('materialising');
    });

    test('does not begin before it is started', async () => {
      const { db } = database;
      const { campaign } = await makeAudience(1);
      const runId = await makeRun(db, campaign, { startAt: new Date(Date.now() + 60_000) });

      await controlStoredRun(db, runId, 'pause');

      expect(await freezePage(db, runId)).toBe(false);
      expect(await findRun(db, runId)).toMatchObject({ state: 'paused', materialisedAt: null });
    });
  });

  describe('with a canary', () => {
    async function readDue(runId: string) {
      return (await readChunks(runId)).map((chunk) => ({
        provider: chunk.provider,
        canary: chunk.canary,
        isDue: chunk.dueAt instanceof Date,
        devices: chunk.outcomes.length,
      }));
    }

    test('makes its share of each provider due, and cuts the chunk at the border', async () => {
      const { db } = database;
      // given: 1250 devices of each provider
      const appRef = await makeApp(db);
      const users = await makeMany(appRef, 2500);
      const campaign = await makeCampaign(db, appRef, users);
      const all = await start(campaign);
      await freezeAll(all);

      // when
      const runId = await start(campaign, { canaryPercent: 1.1 });
      await freezeAll(runId);

      // then: 13.75 of each are 14
      expect(await readDue(runId)).toEqual([
        { provider: 'fcm', canary: true, isDue: true, devices: 14 },
        { provider: 'apns', canary: true, isDue: true, devices: 14 },
        { provider: 'fcm', canary: false, isDue: false, devices: 250 },
        { provider: 'apns', canary: false, isDue: false, devices: 250 },
        { provider: 'fcm', canary: false, isDue: false, devices: 986 },
        { provider: 'apns', canary: false, isDue: false, devices: 986 },
      ]);
      for (const provider of ['apns', 'fcm']) {
        const of = (chunks: Awaited<ReturnType<typeof readChunks>>) =>
          chunks
            .filter((chunk) => chunk.provider === provider)
            .toSorted((a, b) => a.firstDeviceId - b.firstDeviceId);
        const cut = of(await readChunks(runId));
        const whole = of(await readChunks(all));
        for (const part of ['deviceIds', 'userHashes'] as const)
          expect(cut.flatMap<unknown>((c) => c[part])).toEqual(
            whole.flatMap<unknown>((c) => c[part]),
          );
        for (const part of ['tokenHashes', 'outcomes'] as const)
          expect(Buffer.concat(cut.map((c) => c[part]))).toEqual(
            Buffer.concat(whole.map((c) => c[part])),
          );
        for (const chunk of cut) {
          expect(chunk.firstDeviceId).toBe(chunk.deviceIds[0]);
          expect(chunk.lastDeviceId).toBe(chunk.deviceIds.at(-1));
          expect(chunk.tokenHashes).toHaveLength(chunk.outcomes.length * 16);
          expect(chunk.deviceIds).toHaveLength(chunk.outcomes.length);
        }
      }
      // and: what is frozen next would not get a place twice
      const { nextChunk } = await db
        .selectFrom('campaignRuns')
        .select('nextChunk')
        .where('id', '=', runId)
        .executeTakeFirstOrThrow();
      expect(nextChunk).toBe(6);
    });

    test('of a tiny share is one device, of all is everybody', async () => {
      const { campaign } = await makeAudience(3);
      const one = await start(campaign, { canaryPercent: 0.001 });
      const all = await start(campaign, { canaryPercent: 100 });
      await freezeAll(one, 2);
      await freezeAll(all, 2);

      expect(await readDue(one)).toEqual([
        { provider: 'apns', canary: true, isDue: true, devices: 1 },
        { provider: 'apns', canary: false, isDue: false, devices: 1 },
        { provider: 'apns', canary: false, isDue: false, devices: 1 },
      ]);
      expect(await readDue(all)).toEqual([
        { provider: 'apns', canary: true, isDue: true, devices: 2 },
        { provider: 'apns', canary: true, isDue: true, devices: 1 },
      ]);
    });

    test('is a whole number of devices where the percentage is', async () => {
      const { campaign } = await makeAudience(10);
      // given: in floating point 110 % of 10 hundredths is a little more than 11
      const runId = await start(campaign, { canaryPercent: 70 });
      await freezeAll(runId);

      expect(await readDue(runId)).toMatchObject([{ devices: 7 }, { devices: 3 }]);
    });

    test('holds everything back until the whole audience is frozen', async () => {
      const { db } = database;
      const { campaign } = await makeAudience(2);
      const runId = await start(campaign, { canaryPercent: 50 });

      await freezePage(db, runId, 1);

      expect(await readDue(runId)).toMatchObject([{ canary: false, isDue: false }]);
    });

    test('approved before the audience was frozen holds nothing back', async () => {
      const { db } = database;
      const { campaign } = await makeAudience(3);
      const runId = await start(campaign, { canaryPercent: 50 });
      await freezePage(db, runId, 1);

      await controlStoredRun(db, runId, 'approve');
      expect(await readDue(runId)).toMatchObject([{ isDue: false }]);
      await freezeAll(runId, 1);

      expect((await readDue(runId)).map((chunk) => chunk.isDue)).toEqual([true, true, true]);
    });
  });
});

describe.each(PLANS)('counting users ($fewUsers: few users)', ({ fewUsers }) => {
  test('counts them, and those without a device in the app, once the audience is frozen', async () => {
    const { db } = database;
    // given: one of five has no device, one has one of another app, one registers after the start
    const { appRef, devices, campaign } = await makeAudience(2);
    const [nowhere, elsewhere, late] = [randomUUID(), randomUUID(), randomUUID()];
    await addCampaignUsers(db, campaign.campaignId, [nowhere, elsewhere, late]);
    await makeDevice(db, await makeApp(db), { userId: elsewhere });
    await makeDevice(db, appRef, { userId: devices[0]?.userId ?? '' });
    const runId = await makeRun(db, campaign);
    await setPlan(runId, fewUsers);
    await makeDevice(db, appRef, { userId: late });
    await addCampaignUsers(db, campaign.campaignId, [randomUUID()]);

    // when
    await countUsers(db, runId);
    const early = await findRun(db, runId);
    await freezeAll(runId);
    await Promise.all([countUsers(db, runId), countUsers(db, runId), countUsers(db, runId)]);

    // then
    expect(early).toMatchObject({ users: 0, usersWithoutDevice: 0 });
    expect(await findRun(db, runId)).toMatchObject({ users: 5, usersWithoutDevice: 3 });
  });

  test('knows no device that was registered after the start, though it has an earlier id', async () => {
    const { db } = database;
    const { appRef, devices, campaign } = await makeAudience(2);
    const runId = await makeRun(db, campaign);
    await setPlan(runId, fewUsers);
    await freezeAll(runId);

    // when: as if its transaction had begun after the start
    const [first] = devices;
    await db
      .updateTable('devices')
      .set({ createdAt: new Date(Date.now() + 60_000) })
      .where('appRef', '=', appRef)
      .where('id', '=', first?.id ?? 0)
      .execute();
    await countUsers(db, runId);

    expect(await findRun(db, runId)).toMatchObject({ users: 2, usersWithoutDevice: 1 });
  });
});

describe('what is known of tokens', () => {
  const readReleases = async (appRef: number) =>
    (
      await database.db
        .selectFrom('tokenReleases')
        .select(['provider', 'pushTokenHash', 'deviceId'])
        .where('appRef', '=', appRef)
        .orderBy('id')
        .execute()
    ).map(({ provider, pushTokenHash, deviceId }) => [
      provider,
      pushTokenHash.toString('hex'),
      deviceId,
    ]);

  test('a device that changes its token, provider or app, or is deleted, releases it', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    const device = await makeDevice(db, appRef);
    const hash = (pushToken: string) => hashPushToken(pushToken).toString('hex');
    const edit = db.updateTable('devices').where('id', '=', device.id);

    // given: nothing of this concerns its token
    await register(appRef, device);
    await edit.set({ tokenDeactivatedAt: new Date(), userId: 'other' }).execute();
    expect(await readReleases(appRef)).toEqual([]);

    await register(appRef, { ...device, pushToken: 'second' });
    await register(appRef, { ...device, pushToken: 'second', provider: 'fcm' });
    const elsewhere = await makeApp(db);
    await register(elsewhere, { ...device, pushToken: 'second', provider: 'fcm' });
    await db.deleteFrom('devices').where('id', '=', device.id).execute();

    expect(await readReleases(appRef)).toEqual([
      ['apns', hash(device.pushToken), device.id],
      ['apns', hash('second'), device.id],
      ['fcm', hash('second'), device.id],
    ]);
    expect(await readReleases(elsewhere)).toEqual([['fcm', hash('second'), device.id]]);
  });

  test('those that several devices have are known as shared, however that came about', async () => {
    const { db } = database;
    const readShared = async (appRef: number) =>
      (
        await sql<{ provider: string; hash: Buffer }>`
          SELECT provider, push_token_hash AS hash FROM shared_tokens WHERE app_ref = ${appRef}`.execute(
          db,
        )
      ).rows.map(({ provider, hash }) => `${provider} ${hash.toString('hex')}`);
    const appRef = await makeApp(db);
    const [first, second] = [await makeDevice(db, appRef), await makeDevice(db, appRef)];
    const toShared = (pushToken: string, provider = 'apns') =>
      `${provider} ${hashPushToken(pushToken).toString('hex')}`;

    // given: the same token at another provider and in another app
    await makeDevice(db, appRef, { pushToken: first.pushToken, provider: 'fcm' });
    await makeDevice(db, await makeApp(db), { pushToken: first.pushToken });
    expect(await readShared(appRef)).toEqual([]);

    await moveToken(second.id, first.pushToken);
    expect(await readShared(appRef)).toEqual([toShared(first.pushToken)]);

    await db.updateTable('devices').set({ provider: 'fcm' }).where('id', '=', second.id).execute();
    expect(await readShared(appRef)).toHaveLength(2);
    expect(await readShared(appRef)).toContain(toShared(first.pushToken, 'fcm'));
  });
});
