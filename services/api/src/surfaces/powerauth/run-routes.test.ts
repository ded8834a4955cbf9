import { toOutcomeCode } from '@heliograph/core';
import { AMBIGUOUS, TARGETED } from '@heliograph/db';

import {
  MISSING,
  NO_SUCH_CAMPAIGN,
  NOTHING,
  runOf,
  refusal,
  conflict,
  createCampaignCalls,
} from '../../../test/campaign-calls.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const { createCampaign, live, startCampaign, setRun, finish, count } = createCampaignCalls(
  () => api,
);

describe('GET /push/campaign/{id}/run', () => {
  test('sums the ledger over all dispatchers', async () => {
    const { id, runId } = await startCampaign();
    const startedAt = new Date('2026-01-02T03:04:05.678Z');
    await setRun(runId, {
      state: 'running',
      startedAt,
      materialisedAt: startedAt,
      approvedAt: startedAt,
      users: 1000,
      usersWithoutDevice: 7,
      measuredRate: 12,
    });
    const dead = toOutcomeCode('failed', 'BadDeviceToken');
    const gone = toOutcomeCode('failed', 'UNREGISTERED');
    const removed = toOutcomeCode('skipped', 'device_removed');
    await count(runId, [
      ['apns', TARGETED, 100],
      ['fcm', TARGETED, 50],
    ]);
    await count(
      runId,
      [
        ['apns', 1, 40],
        ['apns', 2, 3],
        ['apns', dead, 4],
        ['apns', AMBIGUOUS, 2],
        ['fcm', 1, 20],
        ['fcm', gone, 6],
      ],
      2,
    );
    await count(
      runId,
      [
        ['apns', 1, 10],
        ['apns', 2, -1],
        ['apns', dead, 1],
        ['apns', toOutcomeCode('expired', null), 2],
        ['fcm', removed, 5],
      ],
      3,
    );
    await api.db
      .insertInto('campaignRunExclusions')
      .values([
        { runId, provider: 'apns', reason: 'duplicate_token', count: 3 },
        { runId, provider: 'apns', reason: 'not_configured', count: 4 },
      ])
      .execute();

    const run = runOf(await api.get(`/push/campaign/${id}/run`));

    const ios = { sent: 50, pending: 43, failed: 5, expired: 2, skipped: 0 };
    const android = { sent: 20, pending: 19, failed: 6, expired: 0, skipped: 5 };
    const total = { sent: 70, pending: 62, failed: 11, expired: 2, skipped: 5 };
    expect(run).toMatchObject({
      state: 'running',
      timestampStarted: '2026-01-02T03:04:05.678+00:00',
      timestampMaterialised: '2026-01-02T03:04:05.678+00:00',
      timestampApproved: '2026-01-02T03:04:05.678+00:00',
      timestampFinished: null,
      users: { total: 1000, withoutDevice: 7 },
      excluded: { ios: { duplicate_token: 3, not_configured: 4 }, android: {} },
      counts: {
        ios: { targeted: 100, ...ios, retrying: 2, ambiguous: 2 },
        android: { targeted: 50, ...android, retrying: 0, ambiguous: 0 },
        total: { targeted: 150, ...total, retrying: 2, ambiguous: 2 },
      },
      failures: [
        { platform: 'android', state: 'failed', reason: 'UNREGISTERED', count: 6 },
        { platform: 'ios', state: 'failed', reason: 'BadDeviceToken', count: 5 },
        { platform: 'android', state: 'skipped', reason: 'device_removed', count: 5 },
        { platform: 'ios', state: 'expired', reason: 'expired', count: 2 },
      ],
      ratePerSecondMeasured: 12,
      etaSeconds: 6,
    });
  });

  test.each([
    [{ state: 'running', measuredRate: 3 }, 4],
    [{ state: 'materialising', measuredRate: 100 }, 1],
    [{ state: 'running', measuredRate: 0 }, null],
    [{ state: 'paused', measuredRate: 3 }, null],
  ] as const)(
    'of ten pending ones in a run %j says that they take %p s',
    async (values, expected) => {
      const { id, runId } = await startCampaign();
      await setRun(runId, values);
      await count(runId, [['fcm', TARGETED, 10]]);

      expect(runOf(await api.get(`/push/campaign/${id}/run`)).etaSeconds).toBe(expected);
    },
  );

  test('says nothing of the time when nothing is pending', async () => {
    const { id, runId } = await startCampaign();
    await setRun(runId, { state: 'running', measuredRate: 3 });
    await count(runId, [
      ['fcm', TARGETED, 10],
      ['fcm', 1, 10],
    ]);

    expect(runOf(await api.get(`/push/campaign/${id}/run`)).etaSeconds).toBeNull();
  });

  test('keeps its equation, and never has less than nothing pending, while dispatchers write', async () => {
    const { id, runId } = await startCampaign();
    await count(runId, [
      ['fcm', TARGETED, 0],
      ['fcm', 1, 0],
    ]);
    let isWriting = true;
    /** First more is frozen, then it is sent: at no time is more sent than there is. */
    const writing = (async () => {
      while (isWriting)
        for (const code of [TARGETED, 1])
          await api.db
            .updateTable('campaignRunCounts')
            .set((row) => ({ count: row('count', '+', 100) }))
            .where('runId', '=', runId)
            .where('code', '=', code)
            .execute();
    })();

    const answers = [];
    for (let n = 0; n < 100; n += 1)
      answers.push(runOf(await api.get(`/push/campaign/${id}/run`)).counts.total);
    isWriting = false;
    await writing;

    for (const { targeted, sent, pending } of answers) {
      expect([0, 100]).toContain(pending);
      expect(sent + pending).toBe(targeted);
    }
  });

  test('finds a run by its id, a dry one too, in either case of letters', async () => {
    const { id } = await startCampaign();
    const dry = runOf(await live(id, { dryRun: true }));

    const answer = await api.get(`/push/campaign/${id}/run?runId=${dry.runId.toUpperCase()}`);

    expect(runOf(answer)).toEqual(dry);
  });

  test('says what there is not', async () => {
    const [bare, one, other] = [
      await createCampaign(),
      await startCampaign(),
      await startCampaign(),
    ];
    await live(bare, { dryRun: true });

    const answers = [
      await api.get(`/push/campaign/${MISSING}/run`),
      await api.get(`/push/campaign/${MISSING}/run?runId=${one.runId}`),
      await api.get(`/push/campaign/${bare}/run`),
      await api.get(`/push/campaign/${other.id}/run?runId=${one.runId}`),
      await api.get(`/push/campaign/${one.id}/run?runId=x`),
      await api.get(`/push/campaign/${one.id}/run?runId=`),
      await api.get(`/push/campaign/${one.id}/run?runId=a&runId=b`),
    ];

    expect(answers.map(({ status, body }) => [status, body.responseObject.message])).toEqual([
      [400, NO_SUCH_CAMPAIGN],
      [400, NO_SUCH_CAMPAIGN],
      [404, 'The campaign has no run.'],
      [404, 'The campaign has no such run.'],
      [404, 'The campaign has no such run.'],
      [400, expect.stringContaining('runId')],
      [400, expect.stringContaining('runId')],
    ]);
  });
});

describe('GET /push/campaign/{id}/run/timeline', () => {
  test('says what the counts were at each time, and last what the run says, all shards together', async () => {
    const { id, runId } = await startCampaign();
    const startedAt = new Date('2026-01-02T03:04:05.678Z');
    const finishedAt = new Date('2026-01-02T03:04:08.178Z');
    await setRun(runId, { state: 'completed', startedAt, finishedAt });
    await count(runId, [
      ['fcm', TARGETED, 12],
      ['apns', 1, 4],
      ['fcm', 1, 5],
      ['fcm', toOutcomeCode('failed', 'UNREGISTERED'), 2],
      ['fcm', toOutcomeCode('skipped', 'cancelled'), 1],
    ]);
    const nothing = { failed: 0, expired: 0, skipped: 0 };
    const second = new Date('2026-01-02T03:04:07.678Z');
    await api.db
      .insertInto('campaignRunTimeline')
      .values([
        { runId, at: startedAt, shard: 0, ...nothing, sent: 2, failed: 1 },
        { runId, at: startedAt, shard: 1, ...nothing, sent: 3 },
        { runId, at: second, shard: 1, ...nothing, sent: 4, failed: 1, skipped: 1 },
      ])
      .execute();

    const { body } = await api.get(`/push/campaign/${id}/run/timeline?runId=${runId}`);

    const first = { sent: 5, failed: 1, expired: 0, skipped: 0 };
    expect(body.responseObject).toEqual({
      runId,
      campaignId: id,
      intervalSeconds: 1,
      points: [
        { timestamp: '2026-01-02T03:04:05.678+00:00', sent: 0, ...nothing },
        { timestamp: '2026-01-02T03:04:06.678+00:00', ...first },
        { timestamp: '2026-01-02T03:04:07.678+00:00', ...first },
        { timestamp: '2026-01-02T03:04:08.178+00:00', sent: 9, failed: 2, expired: 0, skipped: 1 },
      ],
    });
    expect(runOf(await api.get(`/push/campaign/${id}/run`)).counts.total).toMatchObject({
      sent: 9,
      failed: 2,
      expired: 0,
      skipped: 1,
    });
  });

  test('has no points before the run starts, and is of the latest run unless one is named', async () => {
    const { id, runId } = await startCampaign();

    const { body } = await api.get(`/push/campaign/${id}/run/timeline`);

    expect(body.responseObject).toMatchObject({ runId, points: [] });
  });

  test('says what there is not', async () => {
    const [bare, one, other] = [
      await createCampaign(),
      await startCampaign(),
      await startCampaign(),
    ];

    const answers = [
      await api.get(`/push/campaign/${MISSING}/run/timeline`),
      await api.get(`/push/campaign/${bare}/run/timeline`),
      await api.get(`/push/campaign/${other.id}/run/timeline?runId=${one.runId}`),
    ];

    expect(answers.map(({ status, body }) => [status, body.responseObject.message])).toEqual([
      [400, NO_SUCH_CAMPAIGN],
      [404, 'The campaign has no run.'],
      [404, 'The campaign has no such run.'],
    ]);
  });
});

describe('GET /push/campaign/{id}/run/list', () => {
  test('lists all runs with their counts, the latest first, in pages', async () => {
    const { id, runId } = await startCampaign();
    await finish(runId);
    await count(runId, [
      ['fcm', TARGETED, 3],
      ['fcm', 1, 3],
    ]);
    const second = runOf(await live(id, { resend: true })).runId;
    const dry = runOf(await live(id, { dryRun: true })).runId;
    await startCampaign();

    const all = await api.get(`/push/campaign/${id}/run/list`);
    const page = await api.get(`/push/campaign/${id}/run/list?page=1&size=2`);

    expect(all.body).toMatchObject({
      status: 'OK',
      page: 0,
      size: 20,
      responseObject: {
        campaignId: id,
        runs: [
          { runId: dry, dryRun: true, counts: { total: NOTHING } },
          { runId: second, dryRun: false, counts: { total: NOTHING } },
          { runId, state: 'completed', counts: { total: { ...NOTHING, targeted: 3, sent: 3 } } },
        ],
      },
    });
    expect(page.body).toMatchObject({ page: 1, size: 2, responseObject: { runs: [{ runId }] } });
  });

  test('is empty for a campaign without runs', async () => {
    const { body } = await api.get(`/push/campaign/${MISSING}/run/list`);

    expect(body.responseObject).toEqual({ campaignId: MISSING, runs: [] });
  });
});

describe('POST /push/campaign/{id}/delete', () => {
  test.each(['scheduled', 'running', 'paused', 'halted', 'cancelled'] as const)(
    'is refused while a run is %s and not over',
    async (state) => {
      const { id, runId } = await startCampaign();
      await setRun(runId, { state });

      const answer = await api.post(`/push/campaign/${id}/delete`, undefined);

      expect(answer).toMatchObject(conflict(state));
      expect((await api.get(`/push/campaign/${id}/detail`)).status).toBe(200);
    },
  );

  test('leaves the runs of a campaign that was sent, which are found and listed still', async () => {
    const { id, runId } = await startCampaign();
    await finish(runId);
    await live(id, { dryRun: true });

    const { body } = await api.post(`/push/campaign/${id}/delete`, undefined);

    expect(body.responseObject).toEqual({ deleted: true });
    expect(runOf(await api.get(`/push/campaign/${id}/run`)).runId).toBe(runId);
    expect((await api.get(`/push/campaign/${id}/run/list`)).body.responseObject).toMatchObject({
      runs: [{ dryRun: true }, { runId }],
    });
    expect(await live(id)).toMatchObject({ status: 400, body: refusal(NO_SUCH_CAMPAIGN) });
  });

  test('and a live send at once leave no open run without a campaign', async () => {
    for (let n = 0; n < 10; n += 1) {
      const id = await createCampaign();

      const [sent, deleted] = await Promise.all([
        live(id),
        api.post(`/push/campaign/${id}/delete`, undefined),
      ]);

      expect([
        [200, 409],
        [400, 200],
      ]).toContainEqual([sent.status, deleted.status]);
    }
  });
});

describe('PUT /push/campaign/{id}/user/add', () => {
  test('refuses more than a million users at a time', async () => {
    const id = await createCampaign();

    const answer = await api.call('PUT', `/push/campaign/${id}/user/add`, {
      requestObject: Array.from({ length: 1_000_001 }, (_, n) => `u${n}`),
    });

    expect(answer).toMatchObject({
      status: 400,
      body: refusal(expect.stringContaining('1000000 items')),
    });
  });
});
