import { toRunDeliveryId } from '@heliograph/core';
import {
  controlStoredRun,
  findCampaign,
  inRegistration,
  openPause,
  saveDevice,
  type NewRun,
} from '@heliograph/db';
import { eventually, type MadeDevice } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  expectBalanced,
  makeCampaign,
  makeDevices,
  readLedger,
  runIn,
  startRun,
} from './campaign-rig.ts';
import { openRig, type Rig } from './rig.ts';

jest.setTimeout(120_000);

/** So many campaign pushes are under way at APNs at once: three quarters of the streams of four connections. */
const PLACES = 3_000;
/** For what takes long on a busy machine. */
const LATE = { timeoutMs: 60_000 };

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  rig.start({ sweepEveryMs: 500 });
});
afterAll(() => rig.close());

/** Arrived pushes of the run, by the id that their collapse id or tag shows. */
const pushesOf = (runId: string) =>
  rig.sandbox
    .received()
    .filter((push) => push.headers['apns-collapse-id'] === runId || toTag(push.body) === runId);

function toTag(body: unknown): string | undefined {
  return (body as { message?: { android?: { notification?: { tag?: string } } } }).message?.android
    ?.notification?.tag;
}

/** An app with so many iPhones, and a campaign for all of them. */
async function makeAudience(devices: number) {
  const app = await rig.makeSendingApp();
  const users = await makeDevices(rig.db, app, devices, { provider: 'apns' });
  return { app, users, campaign: await makeCampaign(rig.db, app, users) };
}

/** An app with devices of these tokens, each of a user of its own, and a run for all of them. */
async function sendTo(tokens: readonly string[], options: Partial<NewRun> = {}) {
  const app = await rig.makeSendingApp();
  const devices = [];
  for (const pushToken of tokens)
    devices.push(
      await rig.device(app, {
        pushToken,
        provider: /^[0-9a-f]+$/.test(pushToken) ? 'apns' : 'fcm',
      }),
    );
  const campaign = await makeCampaign(
    rig.db,
    app,
    devices.map((device) => device.userId),
  );
  const runId = await startRun(rig.db, campaign, options);
  return { app, devices, campaign, runId };
}

const exceptionsOf = (runId: string) =>
  rig.db
    .selectFrom('campaignExceptions')
    .selectAll()
    .where('runId', '=', runId)
    .orderBy('ordinal')
    .execute();

/** What the time of the next attempts does when it comes. */
async function makeDue(runId: string): Promise<void> {
  await sql`
    UPDATE campaign_exceptions SET next_attempt_at = now() WHERE run_id = ${runId} AND state = 'pending'`.execute(
    rig.db,
  );
  await sql`
    UPDATE campaign_chunks SET due_at = now() WHERE run_id = ${runId} AND due_at IS NOT NULL AND NOT leased`.execute(
    rig.db,
  );
}

let tokens = 0;
/** A token that makes the fake APNs answer so. */
const faulty = (code: string) => code + (tokens += 1).toString(16).padStart(64 - code.length, '0');

describe('a live send', () => {
  test('reaches every device of its users once, and the campaign is sent', async () => {
    const app = await rig.makeSendingApp();
    const users = await makeDevices(rig.db, app, 2_500);
    const campaign = await makeCampaign(rig.db, app, users);

    const runId = await startRun(rig.db, campaign);
    const run = await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 2_500, pending: 0 });
    const arrived = pushesOf(runId).map((push) => push.token);
    expect(arrived).toHaveLength(2_500);
    expect(new Set(arrived).size).toBe(2_500);
    expect(run).toMatchObject({ users: 2_500, usersWithoutDevice: 0 });
    expect(await findCampaign(rig.db, campaign)).toMatchObject({
      sent: true,
      sentAt: run.startedAt,
      completedAt: expect.any(Date),
    });
    // The id that Apple echoes leads to the delivery.
    const [{ place } = { place: -1 }] = (await readLedger(rig.db, runId)).filter(
      ({ provider }) => provider === 'apns',
    );
    expect(pushesOf(runId).map((push) => push.headers['apns-id'])).toContain(
      toRunDeliveryId(runId, place),
    );
  });

  test('to nobody completes, too', async () => {
    const app = await rig.makeSendingApp();
    const campaign = await makeCampaign(rig.db, app, ['nobody']);

    const runId = await startRun(rig.db, campaign);
    const run = await runIn(rig.db, runId, 'completed');

    expect(run).toMatchObject({ users: 1, usersWithoutDevice: 1 });
    expect(await readLedger(rig.db, runId)).toEqual([]);
    expect(await findCampaign(rig.db, campaign)).toMatchObject({ sent: true });
  });

  test('starts at its time and not before', async () => {
    const startAt = new Date(Date.now() + 1_500);
    const { runId } = await sendTo(['c'.repeat(64)], { startAt });

    await runIn(rig.db, runId, 'scheduled');
    const run = await runIn(rig.db, runId, 'completed');

    expect(run.startedAt?.getTime()).toBeGreaterThanOrEqual(startAt.getTime());
    expect(pushesOf(runId)).toHaveLength(1);
  });

  test('whose time is over before it starts expires, all of it', async () => {
    const { runId } = await sendTo(['d'.repeat(64), 'over'], {
      validUntil: new Date(Date.now() - 1_000),
    });

    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ expired: 2 });
    expect(pushesOf(runId)).toEqual([]);
  });

  test('that only counts sends nothing, and leaves the campaign as it was', async () => {
    const { runId, campaign } = await sendTo(['e'.repeat(64), 'dry'], { dryRun: true });

    const run = await runIn(rig.db, runId, 'completed');

    expect(run).toMatchObject({ users: 2, usersWithoutDevice: 0 });
    const counts = await rig.db
      .selectFrom('campaignRunCounts')
      .select(['provider', 'code', 'count'])
      .where('runId', '=', runId)
      .orderBy('provider')
      .execute();
    expect(counts).toEqual([
      { provider: 'apns', code: -1, count: 1 },
      { provider: 'fcm', code: -1, count: 1 },
    ]);
    expect(pushesOf(runId)).toEqual([]);
    expect(await findCampaign(rig.db, campaign)).toMatchObject({ sent: false, sentAt: null });
  });
});

describe('a delivery that is not sent at the first try', () => {
  test('fails with the provider’s reason, and is found by device and user', async () => {
    const { runId, devices } = await sendTo([faulty('fa114100'), 'fault-INVALID_ARGUMENT-x', 'ok']);

    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 1, failed: 2 });
    expect(new Set((await readLedger(rig.db, runId)).map((one) => one.reason))).toEqual(
      new Set(['INVALID_ARGUMENT', 'Unregistered', null]),
    );
    expect((await exceptionsOf(runId)).find((one) => one.provider === 'apns')).toMatchObject({
      deviceId: devices[0]?.id,
      userId: devices[0]?.userId,
      state: 'failed',
      reason: 'Unregistered',
      attempts: 1,
      history: [{ outcome: 'gone', status: 410, reason: 'Unregistered' }],
    });
  });

  test('is tried again when its time comes, with the same ids, and is sent then', async () => {
    const token = faulty('fa015030');
    const { runId } = await sendTo([token, 'f'.repeat(64)]);
    await eventually(async () =>
      expect(await exceptionsOf(runId)).toMatchObject([
        { state: 'pending', reason: 'ServiceUnavailable', attempts: 1 },
      ]),
    );
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 1, pending: 1 });

    await makeDue(runId);
    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 2, pending: 0 });
    expect(await exceptionsOf(runId)).toMatchObject([
      { state: 'sent', attempts: 2, history: [{ outcome: 'retry' }, { outcome: 'sent' }] },
    ]);
    const [first, second] = pushesOf(runId).filter((push) => push.token === token);
    expect(second?.headers['apns-id']).toBe(first?.headers['apns-id']);
    expect(pushesOf(runId)).toHaveLength(3);
  });

  test('that is never answered counts as ambiguous, beside the sum', async () => {
    const { runId } = await sendTo([faulty('fa010006')]);
    await eventually(async () =>
      expect(await exceptionsOf(runId)).toMatchObject([{ state: 'pending', ambiguousAttempts: 1 }]),
    );

    await makeDue(runId);
    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 1 });
    const { count } = await rig.db
      .selectFrom('campaignRunCounts')
      .select((row) => row.fn.sum<string>('count').as('count'))
      .where('runId', '=', runId)
      .where('code', '=', -2)
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(1);
  });

  test('waits with its scope while that is paused, with no attempt burned, and goes when it is lifted', async () => {
    const app = await rig.makeSendingApp();
    await rig.saveKey(app, 'apns', { key: Buffer.from('no key at all') });
    const users = await makeDevices(rig.db, app, 1_500);
    const campaign = await makeCampaign(rig.db, app, users);
    const runId = await startRun(rig.db, campaign);
    await eventually(async () =>
      expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 750, pending: 750 }),
    );
    await eventually(async () => {
      const held = await rig.db
        .selectFrom('campaignChunks')
        .select('pauseId')
        .where('runId', '=', runId)
        .where('provider', '=', 'apns')
        .execute();
      expect(held.every((chunk) => chunk.pauseId !== null)).toBe(true);
    });
    expect(await exceptionsOf(runId)).toEqual([]);

    await rig.saveKey(app, 'apns');

    await runIn(rig.db, runId, 'completed');
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 1_500 });
  });
});

describe('a scope that is paused', () => {
  test('is tried out by one delivery at a time, and the rest follows when that gets through', async () => {
    const app = await rig.makeSendingApp();
    const users = await makeDevices(rig.db, app, 1_200, { provider: 'apns' });
    const campaign = await makeCampaign(rig.db, app, users);
    const { version } = await rig.db
      .selectFrom('credentials')
      .select('version')
      .where('appRef', '=', app)
      .where('provider', '=', 'apns')
      .executeTakeFirstOrThrow();
    const scope = { appRef: app, provider: 'apns', environment: 'production' } as const;
    const pauseId = await openPause(
      rig.db,
      { ...scope, credentialVersion: version },
      'credential',
      'InvalidProviderToken',
    );
    rig.sandbox.script('apns', {}, [{ kind: 'refuse', reason: 'InvalidProviderToken' }]);
    const probe = () =>
      sql`UPDATE pauses SET probe_at = now() WHERE id = ${pauseId}`.execute(rig.db);
    const runId = await startRun(rig.db, campaign);
    const held = async () => {
      const { rows } = await sql<{ held: number }>`
        SELECT count(*)::integer AS held FROM campaign_chunks WHERE run_id = ${runId} AND pause_id = ${pauseId}`.execute(
        rig.db,
      );
      return rows[0]?.held;
    };
    await eventually(async () => expect(await held()).toBe(2));

    await probe();
    await eventually(() => expect(pushesOf(runId)).toHaveLength(1));
    await eventually(async () => expect(await held()).toBe(2));
    expect(pushesOf(runId).map((push) => push.answer.status)).toEqual([403]);
    await probe();
    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 1_200 });
    expect(pushesOf(runId)).toHaveLength(1_201);
  });
});

describe('a device that changed since the audience was frozen', () => {
  /** A run that is paused when its audience is frozen and nothing of it is sent. */
  async function freeze(...names: readonly string[]) {
    const app = await rig.makeSendingApp();
    const devices: MadeDevice[] = [];
    for (const pushToken of names)
      devices.push(await rig.device(app, { pushToken, provider: 'fcm' }));
    const campaign = await makeCampaign(
      rig.db,
      app,
      devices.map((device) => device.userId),
    );
    const runId = await startRun(rig.db, campaign, { startAt: new Date(Date.now() + 60_000) });
    await controlStoredRun(rig.db, runId, 'pause');
    await sql`
      UPDATE campaign_runs SET started_at = now(), start_at = now(),
        last_device_id = (SELECT max(id) FROM devices), few_users = true,
        last_user_position = (SELECT max(position) FROM campaign_users)
      WHERE id = ${runId}`.execute(rig.db);
    await eventually(async () =>
      expect(await readLedger(rig.db, runId)).toHaveLength(names.length),
    );
    const register = (n: number, changes: { pushToken?: string; userId?: string }) => {
      const device = devices[n]!;
      const registration = {
        appRef: app,
        activationId: device.activationId,
        userId: changes.userId ?? device.userId,
        provider: 'fcm' as const,
        environment: null,
        pushToken: changes.pushToken ?? device.pushToken,
        activationActive: true,
      };
      return inRegistration(
        rig.db,
        { pushToken: registration.pushToken, activationIds: [device.activationId] },
        (tx) => saveDevice(tx, registration, { kind: 'refuse' }),
      );
    };
    const goOn = async () => {
      await controlStoredRun(rig.db, runId, 'resume');
      await runIn(rig.db, runId, 'completed');
      return {
        arrived: pushesOf(runId).map((push) => push.token),
        reasons: (await readLedger(rig.db, runId)).map((one) => one.reason),
      };
    };
    return { runId, devices, register, goOn };
  }

  test('gets it at its new token', async () => {
    const { register, goOn } = await freeze('moved-before');
    await register(0, { pushToken: 'moved-after' });

    expect(await goOn()).toEqual({ arrived: ['moved-after'], reasons: [null] });
  });

  test('does not get it at a token that the audience has already', async () => {
    const { register, goOn } = await freeze('shared-a', 'shared-b');
    await register(0, { pushToken: 'shared-b' });

    expect(await goOn()).toEqual({ arrived: ['shared-b'], reasons: ['token_in_audience', null] });
  });

  test('does not get it for its new owner, nor when it is gone', async () => {
    const { devices, register, goOn } = await freeze('owner-a', 'owner-b', 'owner-c');
    await register(0, { userId: 'somebody else' });
    await rig.db.deleteFrom('devices').where('id', '=', devices[1]!.id).execute();

    expect(await goOn()).toEqual({
      arrived: ['owner-c'],
      reasons: ['device_reassigned', 'device_removed', null],
    });
  });
});

describe('a run that is controlled', () => {
  test('pauses within a second, and goes on where it was', async () => {
    const { campaign } = await makeAudience(16_000);
    const runId = await startRun(rig.db, campaign);
    await eventually(() => expect(pushesOf(runId).length).toBeGreaterThan(500), LATE);

    await controlStoredRun(rig.db, runId, 'pause');
    const pausedAt = Date.now();
    await eventually(async () => {
      const held =
        await sql`SELECT FROM campaign_chunks WHERE run_id = ${runId} AND leased`.execute(rig.db);
      expect(held.rows).toEqual([]);
    });
    const paused = pushesOf(runId);
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: paused.length });
    await controlStoredRun(rig.db, runId, 'resume');
    await runIn(rig.db, runId, 'completed', 40_000);

    // What was in flight by then may arrive later.
    expect(paused.filter((push) => push.at >= pausedAt + 1_000).length).toBeLessThanOrEqual(PLACES);
    expect(paused.length).toBeLessThan(16_000);
    expect(pushesOf(runId)).toHaveLength(16_000);
    expect(new Set(pushesOf(runId).map((push) => push.token)).size).toBe(16_000);
  });

  test('that is cancelled sends no more, and what was owed is skipped', async () => {
    const { campaign } = await makeAudience(16_000);
    const runId = await startRun(rig.db, campaign);
    await eventually(() => expect(pushesOf(runId).length).toBeGreaterThan(500), LATE);

    await controlStoredRun(rig.db, runId, 'cancel');
    const cancelledAt = Date.now();
    await runIn(rig.db, runId, 'cancelled');

    const arrived = pushesOf(runId);
    const { sent, skipped, pending } = await expectBalanced(rig.db, runId);
    expect(sent).toBe(arrived.length);
    expect(sent).toBeLessThan(16_000);
    expect([sent + skipped, pending]).toEqual([16_000, 0]);
    expect(arrived.filter((push) => push.at >= cancelledAt + 1_000).length).toBeLessThanOrEqual(
      PLACES,
    );
    expect(await findCampaign(rig.db, campaign)).toMatchObject({ sent: false });
  });

  test('keeps to its rate, over two dispatchers, and to a new one at once', async () => {
    rig.start();
    const { campaign } = await makeAudience(1_200);
    const runId = await startRun(rig.db, campaign, { ratePerSecond: 100 });
    await eventually(() => expect(pushesOf(runId).length).toBeGreaterThan(200), LATE);

    const slow = pushesOf(runId).map((push) => push.at);
    await controlStoredRun(rig.db, runId, 'rate', 100_000);
    await runIn(rig.db, runId, 'completed');

    // A quarter of a second's worth may come at once.
    const inFirstSecond = slow.filter((at) => at < slow[0]! + 1_000).length;
    expect(inFirstSecond).toBeLessThanOrEqual(100 + 25 + 1);
    expect(pushesOf(runId)).toHaveLength(1_200);
  });
});

describe('a run that is slow', () => {
  test('goes faster as soon as it may, however long the next push would have waited', async () => {
    const { campaign } = await makeAudience(500);
    const runId = await startRun(rig.db, campaign, { ratePerSecond: 0.02 });
    await eventually(() => expect(pushesOf(runId)).toHaveLength(1));

    await controlStoredRun(rig.db, runId, 'rate', 100_000);

    await eventually(() => expect(pushesOf(runId)).toHaveLength(500));
    await runIn(rig.db, runId, 'completed');
  });
});

describe('a canary', () => {
  test('is sent alone, and the rest when it is approved', async () => {
    const { campaign } = await makeAudience(1_500);
    const runId = await startRun(rig.db, campaign, { canaryPercent: 10 });

    await runIn(rig.db, runId, 'paused');
    expect(pushesOf(runId)).toHaveLength(150);
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 150, pending: 1_350 });
    await controlStoredRun(rig.db, runId, 'approve');
    await runIn(rig.db, runId, 'completed');

    expect(new Set(pushesOf(runId).map((push) => push.token)).size).toBe(1_500);
    expect(pushesOf(runId)).toHaveLength(1_500);
  });

  test('that does well is followed by the rest without asking', async () => {
    const { campaign } = await makeAudience(1_500);
    const runId = await startRun(rig.db, campaign, { canaryPercent: 10, maxFailurePercent: 5 });

    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 1_500 });
  });

  test('that fails too often halts the run; who resumes it sends the rest', async () => {
    const names = Array.from({ length: 20 }, (_, n) =>
      n < 2 ? `fault-INVALID_ARGUMENT-${n}` : `good-${n}`,
    );
    const { runId } = await sendTo(names, { canaryPercent: 20, maxFailurePercent: 25 });

    const halted = await runIn(rig.db, runId, 'halted');
    expect(halted.reason).toBe('canary_failure_rate');
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 2, failed: 2, pending: 16 });
    await controlStoredRun(rig.db, runId, 'resume');
    await runIn(rig.db, runId, 'completed');

    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 18, failed: 2 });
  });
});

describe('a run that fails too often', () => {
  test('halts by itself, with what is owed still pending', async () => {
    const app = await rig.makeSendingApp();
    const users = await makeDevices(rig.db, app, 3_000, { provider: 'fcm' });
    await sql`
      UPDATE devices SET push_token = 'fault-INVALID_ARGUMENT-' || id,
        push_token_hash = sha256(convert_to('fault-INVALID_ARGUMENT-' || id, 'UTF8'))
      WHERE app_ref = ${app} AND id % 3 = 0`.execute(rig.db);
    const campaign = await makeCampaign(rig.db, app, users);

    const runId = await startRun(rig.db, campaign, { maxFailurePercent: 20, ratePerSecond: 500 });
    const halted = await runIn(rig.db, runId, 'halted');
    await eventually(async () => {
      const { pending, failed } = await expectBalanced(rig.db, runId);
      expect(failed).toBeGreaterThan(0);
      expect(pending).toBeGreaterThan(0);
    });
    await controlStoredRun(rig.db, runId, 'cancel');
    await runIn(rig.db, runId, 'cancelled');

    expect(halted.reason).toBe('failure_rate');
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ pending: 0 });
  });
});

describe('two runs at once', () => {
  test('take turns: the small one does not wait for the large one', async () => {
    const large = await makeAudience(50_000);
    const small = await makeAudience(500);
    const largeRun = await startRun(rig.db, large.campaign);
    await eventually(() => expect(pushesOf(largeRun).length).toBeGreaterThan(1_000));

    const smallRun = await startRun(rig.db, small.campaign);
    await runIn(rig.db, smallRun, 'completed');
    const whenSmallWasDone = pushesOf(largeRun).length;
    await controlStoredRun(rig.db, largeRun, 'cancel');
    await runIn(rig.db, largeRun, 'cancelled');

    expect(pushesOf(smallRun)).toHaveLength(500);
    expect(whenSmallWasDone).toBeLessThan(25_000);
  });
});
