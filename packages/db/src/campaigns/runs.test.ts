import { toOutcomeCode, type RunControl } from '@heliograph/core';
import { makeApp, makeCampaign, makeDevice, makeRun, useTestDatabase } from '@heliograph/testing';

import { addCampaignUsers, findCampaign } from './campaigns.ts';
import { approveCanary, isCanaryDone, passCanary } from './canary.ts';
import { claimChunk } from './chunk-leases.ts';
import { controlStoredRun } from './control-run.ts';
import { countUsers } from './count-users.ts';
import { finishRun, stopRun } from './end-run.ts';
import { freezePage } from './freeze-audience.ts';
import { deleteOldTokenReleases } from './moved-tokens.ts';
import { listOpenRuns, readRunStandings } from './open-runs.ts';
import { recordCheckpoints } from './record-checkpoints.ts';
import { sumFinal } from './run-counts.ts';
import { findOpenRunState, findRun } from './runs.ts';
import { startDueRuns } from './start-run.ts';

const LEASE_MS = 60_000;

const database = useTestDatabase({ poolSize: 10 });

async function makeCampaignOf(users: number) {
  const { db } = database;
  const appRef = await makeApp(db);
  const userIds = [];
  for (let n = 0; n < users; n += 1) userIds.push((await makeDevice(db, appRef)).userId);
  return makeCampaign(db, appRef, userIds);
}

/** A run of a campaign of its own, of so many users with a device each. */
async function make(users: number, changes = {}) {
  const campaign = await makeCampaignOf(users);
  return { ...campaign, runId: await makeRun(database.db, campaign, changes) };
}

async function freeze(runId: string): Promise<void> {
  while (await freezePage(database.db, runId, 1));
  await countUsers(database.db, runId);
}

/** Makes everything final that is due, with that code. */
async function settle(runId: string, code = 1): Promise<void> {
  const { db } = database;
  for (;;) {
    const chunk = await claimChunk(db, runId, LEASE_MS);
    if (chunk === undefined) return;
    const devices = chunk.outcomes.length;
    await recordCheckpoints(
      db,
      [
        {
          ...chunk,
          outcomes: Buffer.alloc(devices, code),
          changes: new Map([[code, devices]]),
          exceptions: [],
          release: { kind: 'done' },
        },
      ],
      0,
    );
  }
}

const readState = async (runId: string) => {
  const { state, reason } = (await findRun(database.db, runId)) ?? {};
  return [state, reason];
};

const findOpen = async (runId: string) =>
  (await listOpenRuns(database.db)).find((run) => run.id === runId);

const control = (runId: string, verb: RunControl, ratePerSecond?: number | null) =>
  controlStoredRun(database.db, runId, verb, ratePerSecond);

describe('starting', () => {
  test('a run whose time has come is started once, with what there is then', async () => {
    const { db } = database;
    const { appRef, campaignId, runId } = await make(2, { startAt: new Date(Date.now() + 60_000) });
    const due = () =>
      db
        .updateTable('campaignRuns')
        .set({ startAt: new Date(0) })
        .where('id', '=', runId)
        .execute();

    expect(await startDueRuns(db)).not.toContain(runId);
    expect(await findOpen(runId)).toMatchObject({ state: 'scheduled', isDue: false });
    await due();
    const started = await Promise.all([startDueRuns(db), startDueRuns(db), startDueRuns(db)]);
    await makeDevice(db, appRef);
    await addCampaignUsers(db, campaignId, ['late']);

    expect(started.flat().filter((id) => id === runId)).toHaveLength(1);
    const last = await db
      .selectFrom('devices')
      .select('id')
      .where('appRef', '=', appRef)
      .orderBy('id')
      .execute();
    expect(
      await db
        .selectFrom('campaignRuns')
        .select(['state', 'lastDeviceId', 'fewUsers', 'deviceCursor'])
        .where('id', '=', runId)
        .executeTakeFirst(),
    ).toEqual({
      state: 'materialising',
      lastDeviceId: last[1]?.id,
      fewUsers: true,
      deviceCursor: 0,
    });
  });

  test('20,000 users are few, one more is not', async () => {
    const { db } = database;
    const names = Array.from({ length: 20_001 }, (_, n) => `user ${n}`);
    const few = await makeCampaign(db, await makeApp(db), names.slice(1));
    const many = await makeCampaign(db, await makeApp(db), names);
    const ids = [await makeRun(db, few), await makeRun(db, many)];

    const runs = await db
      .selectFrom('campaignRuns')
      .select('fewUsers')
      .where('id', 'in', ids)
      .orderBy('campaignId')
      .execute();

    expect(runs.map((run) => run.fewUsers)).toEqual([true, false]);
  });

  test('one that is paused or cancelled before its time does not start', async () => {
    const { db } = database;
    const startAt = new Date(Date.now() + 60_000);
    const paused = await make(1, { startAt });
    const cancelled = await make(1, { startAt });
    await control(paused.runId, 'pause');
    await control(cancelled.runId, 'cancel');
    await db
      .updateTable('campaignRuns')
      .set({ startAt: new Date(0) })
      .where('id', 'in', [paused.runId, cancelled.runId])
      .execute();

    await startDueRuns(db);

    expect(await readState(paused.runId)).toEqual(['paused', 'operator']);
    expect(await readState(cancelled.runId)).toEqual(['cancelled', null]);
    expect(await control(paused.runId, 'resume')).toBe('scheduled');
    await startDueRuns(db);
    expect(await readState(paused.runId)).toEqual(['materialising', null]);
  });
});

describe('controlling', () => {
  test('does what makes sense in the state, and refuses what does not', async () => {
    const { runId } = await make(1);
    await freeze(runId);

    expect(await control(runId, 'pause')).toBe('paused');
    await expect(control(runId, 'pause')).rejects.toThrow('The run is paused');
    expect(await control(runId, 'resume')).toBe('running');
    await expect(control(runId, 'resume')).rejects.toThrow('The run is running');
    await expect(control(runId, 'approve')).rejects.toThrow('waits for no approval');
    expect(await control(runId, 'cancel')).toBe('cancelled');
    for (const verb of ['pause', 'resume', 'cancel', 'approve', 'rate'] as const)
      await expect(control(runId, verb)).rejects.toThrow('The run is cancelled');
    expect(await control('019345a0-0000-7000-8000-000000000000', 'pause')).toBeUndefined();
  });

  test('of two at once the second sees what the first did', async () => {
    const { runId } = await make(1);

    const both = await Promise.allSettled([control(runId, 'cancel'), control(runId, 'cancel')]);

    expect(both.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('changes the rate, and takes it away', async () => {
    const { db } = database;
    const { runId } = await make(1, { ratePerSecond: 5 });

    await control(runId, 'rate', 7);
    expect(await readRunStandings(db, [runId])).toEqual([
      { id: runId, state: 'materialising', ratePerSecond: 7, isMaterialised: false },
    ]);
    await control(runId, 'rate', null);
    expect(await readRunStandings(db, [runId])).toMatchObject([{ ratePerSecond: null }]);
  });

  test('after a halt the failure rate counts from the resumption', async () => {
    const { db } = database;
    const { runId } = await make(2);
    await freeze(runId);
    await settle(runId, toOutcomeCode('failed', 'Unregistered'));
    await stopRun(db, runId, 'halted', 'failure_rate');

    await control(runId, 'resume');

    expect(await sumFinal(db, runId)).toEqual({ sent: 0, failed: 2 });
    expect(
      await db
        .selectFrom('campaignRuns')
        .select(['judgedSent', 'judgedFailed'])
        .where('id', '=', runId)
        .executeTakeFirst(),
    ).toEqual({ judgedSent: 0, judgedFailed: 2 });
  });
});

describe('a canary', () => {
  const hasDue = async (runId: string) => (await findOpen(runId))?.hasDue;

  test('is done when its deliveries are final; then it waits for its approval', async () => {
    const { db } = database;
    const { runId } = await make(4, { canaryPercent: 25 });
    await freeze(runId);
    expect(await isCanaryDone(db, runId)).toBe(false);

    await settle(runId);
    expect(await isCanaryDone(db, runId)).toBe(true);
    expect(await hasDue(runId)).toBe(false);
    expect(await stopRun(db, runId, 'paused', 'canary')).toBe(true);
    await expect(control(runId, 'resume')).rejects.toThrow('until its canary is approved');
    expect(await control(runId, 'approve')).toBe('running');

    expect(await hasDue(runId)).toBe(true);
    await expect(control(runId, 'approve')).rejects.toThrow('waits for no approval');
    await settle(runId);
    expect(await finishRun(db, runId)).toBe(true);
  });

  test('that is approved is not stopped for want of approval: nobody could approve it again', async () => {
    const { db } = database;
    const { runId } = await make(4, { canaryPercent: 25 });
    await freeze(runId);
    await control(runId, 'approve');

    expect(await stopRun(db, runId, 'paused', 'canary')).toBe(false);
    expect(await stopRun(db, runId, 'halted', 'canary_failure_rate')).toBe(false);
    expect(await readState(runId)).toEqual(['running', null]);
    expect(await stopRun(db, runId, 'halted', 'failure_rate')).toBe(true);
  });

  test('that failed too often is approved by who resumes', async () => {
    const { db } = database;
    const { runId } = await make(4, { canaryPercent: 25 });
    await freeze(runId);
    await stopRun(db, runId, 'halted', 'canary_failure_rate');
    await expect(control(runId, 'approve')).rejects.toThrow('The run is halted');

    expect(await control(runId, 'resume')).toBe('running');

    expect(await findRun(db, runId)).toMatchObject({ approvedAt: expect.any(Date) });
    await settle(runId);
    expect((await sumFinal(db, runId)).sent).toBe(4);
  });

  test('passes by itself, unless the run was stopped', async () => {
    const { db } = database;
    const [going, stopped] = [
      await make(2, { canaryPercent: 50 }),
      await make(2, { canaryPercent: 50 }),
    ];
    for (const { runId } of [going, stopped]) {
      await freeze(runId);
      await settle(runId);
    }
    await control(stopped.runId, 'pause');

    await passCanary(db, going.runId);
    await passCanary(db, stopped.runId);

    expect(await hasDue(going.runId)).toBe(true);
    expect(await hasDue(stopped.runId)).toBe(false);
    expect(await findOpen(stopped.runId)).toMatchObject({ isApproved: false });
    expect(await control(stopped.runId, 'approve')).toBe('paused');
    expect(await hasDue(stopped.runId)).toBe(true);
  });

  test('approved twice keeps its first time', async () => {
    const { db } = database;
    const { runId } = await make(1, { canaryPercent: 50 });
    await approveCanary(db, runId);
    const first = (await findRun(db, runId))?.approvedAt;

    await approveCanary(db, runId);

    expect((await findRun(db, runId))?.approvedAt).toEqual(first);
  });
});

describe('finishing', () => {
  test('a run ends when everything is final and counted; then its campaign is sent', async () => {
    const { db } = database;
    const { campaignId, runId } = await make(2);

    expect(await finishRun(db, runId)).toBe(false);
    while (await freezePage(db, runId, 1));
    expect(await finishRun(db, runId)).toBe(false);
    await settle(runId);
    expect(await finishRun(db, runId)).toBe(false);
    await countUsers(db, runId);
    const ended = await Promise.all([finishRun(db, runId), finishRun(db, runId)]);

    expect(ended.toSorted()).toEqual([false, true]);
    expect(await readState(runId)).toEqual(['completed', null]);
    const run = await findRun(db, runId);
    expect(await findCampaign(db, campaignId)).toMatchObject({
      sent: true,
      sentAt: run?.startedAt,
      completedAt: run?.finishedAt,
    });
    expect(await findOpen(runId)).toBeUndefined();
    expect(await findOpenRunState(db, campaignId)).toBeUndefined();
  });

  test('one that was paused after its last delivery ends, too', async () => {
    const { db } = database;
    const { runId } = await make(1);
    await freeze(runId);
    await settle(runId);
    await control(runId, 'pause');

    expect(await finishRun(db, runId)).toBe(true);
    expect(await readState(runId)).toEqual(['completed', null]);
  });

  test('one that was cancelled ends when what was owed is settled, and its campaign is not sent', async () => {
    const { db } = database;
    const { campaignId, runId } = await make(2);
    await freezePage(db, runId, 1);
    await control(runId, 'cancel');
    expect(await finishRun(db, runId)).toBe(false);

    await db
      .updateTable('campaignChunks')
      .set({ dueAt: null })
      .where('runId', '=', runId)
      .execute();

    expect(await finishRun(db, runId)).toBe(true);
    expect(await readState(runId)).toEqual(['cancelled', null]);
    expect(await findCampaign(db, campaignId)).toMatchObject({ sent: false, completedAt: null });
  });

  test('one that only counts ends without its campaign being sent', async () => {
    const { db } = database;
    const { campaignId, runId } = await make(2, { dryRun: true, canaryPercent: 50 });
    await freeze(runId);

    expect(await finishRun(db, runId)).toBe(true);
    expect(await findRun(db, runId)).toMatchObject({ state: 'completed', users: 2 });
    expect(await findCampaign(db, campaignId)).toMatchObject({ sent: false, sentAt: null });
  });
});

describe('the list of what is not over', () => {
  test('says how each run stands', async () => {
    const { db } = database;
    const { campaignId, runId } = await make(1, {
      canaryPercent: 50,
      maxFailurePercent: 5,
      validUntil: new Date(0),
    });

    expect(await findOpen(runId)).toMatchObject({
      campaignId,
      state: 'materialising',
      canaryPercent: 50,
      maxFailurePercent: 5,
      dryRun: false,
      isDue: true,
      isMaterialised: false,
      isCounted: false,
      isApproved: false,
      isExpired: true,
      hasDue: false,
    });
    await freeze(runId);
    expect(await findOpen(runId)).toMatchObject({
      state: 'running',
      isMaterialised: true,
      isCounted: true,
      hasDue: true,
    });
    await claimChunk(db, runId, LEASE_MS);
    expect(await findOpen(runId)).toMatchObject({ hasDue: false });
  });

  test('a lease that ran out is something to do', async () => {
    const { db } = database;
    const { runId } = await make(1);
    await freeze(runId);

    await claimChunk(db, runId, 0);

    expect(await findOpen(runId)).toMatchObject({ hasDue: true });
  });
});

describe('releases of tokens', () => {
  test('are kept for a day, and for a run that is not over from before its start', async () => {
    const { db } = database;
    const { runId } = await make(1);
    await db.updateTable('campaignRuns').set({ finishedAt: new Date() }).execute();
    const startedAt = Date.now() - 3 * 24 * 3_600_000;
    await db
      .updateTable('campaignRuns')
      .set({ startedAt: new Date(startedAt), finishedAt: null })
      .where('id', '=', runId)
      .execute();
    const ages = [startedAt - 7_200_000, startedAt - 1_800_000, Date.now() - 3_600_000];
    for (const [deviceId, releasedAt] of ages.entries())
      await db
        .insertInto('tokenReleases')
        .values({
          appRef: 1,
          provider: 'apns',
          pushTokenHash: Buffer.alloc(32),
          deviceId,
          releasedAt: new Date(releasedAt),
        })
        .execute();
    const readKept = async () =>
      (await db.selectFrom('tokenReleases').select('deviceId').orderBy('deviceId').execute()).map(
        (row) => row.deviceId,
      );

    await deleteOldTokenReleases(db);
    expect(await readKept()).toEqual([1, 2]);

    await db.updateTable('campaignRuns').set({ finishedAt: new Date() }).execute();
    await deleteOldTokenReleases(db);
    expect(await readKept()).toEqual([2]);
  });
});
