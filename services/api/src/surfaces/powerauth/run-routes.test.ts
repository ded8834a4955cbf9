import { randomUUID } from 'node:crypto';

import { RUN_CONTROLS, toOutcomeCode, type Provider } from '@heliograph/core';
import { AMBIGUOUS, TARGETED, type Schema } from '@heliograph/db';
import { eventually } from '@heliograph/testing';
import type { Updateable } from 'kysely';

import { openTestApi, type Answer, type TestApi } from '../../../test/open-test-api.ts';
import type { RunProgressAnswer } from './run-endpoints.ts';

let api: TestApi;
let nextApp = 1;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const MISSING = 999_999;
const NO_SUCH_CAMPAIGN = 'Campaign with entered ID does not exist';
const DATE = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
const UUID = expect.stringMatching(/^[0-9a-f-]{28}00000000$/);
const NOTHING = {
  targeted: 0,
  sent: 0,
  pending: 0,
  failed: 0,
  expired: 0,
  skipped: 0,
  retrying: 0,
  ambiguous: 0,
};

async function addCredential(appId: number, platform: 'ios' | 'android'): Promise<void> {
  const privateKeyBase64 = Buffer.from('a key').toString('base64');
  const settings = {
    ios: { bundle: 'b', keyId: 'k', teamId: 't' },
    android: { projectId: 'p' },
  };
  const key = { appId, privateKeyBase64, ...settings[platform] };
  await api.post(`/admin/app/${platform}/update`, key);
}

async function createApp(on: readonly ('ios' | 'android')[] = ['android']): Promise<number> {
  const appId = nextApp++;
  await api.post('/admin/app/create', { appId });
  for (const platform of on) await addCredential(appId, platform);
  return appId;
}

async function createCampaign(appId?: number, message: unknown = { title: 'x' }): Promise<number> {
  const request = { appId: appId ?? (await createApp()), message };
  return (await api.post('/push/campaign/create', request)).body.responseObject.id;
}

/** The answer's run. */
function runOf({ body }: Answer): RunProgressAnswer {
  expect(body.status).toBe('OK');
  return body.responseObject as unknown as RunProgressAnswer;
}

function refusal(message: unknown = expect.any(String), code = 'ERROR_GENERIC') {
  return { status: 'ERROR', responseObject: { code, message } };
}

function conflict(state: string) {
  const body = refusal(expect.stringContaining(state), 'ERROR_DATA_INTEGRITY');
  return { status: 409, body };
}

const live = (id: number, options?: unknown, headers?: Record<string, string>) =>
  api.call(
    'POST',
    `/push/campaign/send/live/${id}`,
    options === undefined ? undefined : { requestObject: options },
    headers,
  );

/** A campaign that is being sent. */
async function startCampaign(options?: object) {
  const id = await createCampaign();
  const { runId } = runOf(await live(id, options));
  return { id, runId };
}

type RunValues = Updateable<Schema['campaignRuns']>;

/** What a dispatcher does to a run. */
async function setRun(runId: string, values: RunValues): Promise<void> {
  await api.db.updateTable('campaignRuns').set(values).where('id', '=', runId).execute();
}

async function finish(runId: string, state: 'completed' | 'cancelled' = 'completed') {
  await setRun(runId, { state, finishedAt: new Date() });
}

async function count(runId: string, entries: readonly [Provider, number, number][], shard = 1) {
  await api.db
    .insertInto('campaignRunCounts')
    .values(entries.map(([provider, code, n]) => ({ runId, provider, code, shard, count: n })))
    .execute();
}

function runsOf(campaignId: number) {
  return api.db
    .selectFrom('campaignRuns')
    .selectAll()
    .where('campaignId', '=', campaignId)
    .execute();
}

async function announced(runId: string): Promise<number> {
  return (await api.campaignLane.countWaiting()).get(runId) ?? 0;
}

describe('POST /push/campaign/send/live/{id}', () => {
  test.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['requestObject null', { requestObject: null }],
    ['an empty requestObject', { requestObject: {} }],
    ['nulls', { requestObject: { resend: null, startAt: null, dryRun: null } }],
  ])('with %s makes a run that is scheduled at once, and announces it', async (_name, body) => {
    const id = await createCampaign();

    const answer = await api.call('POST', `/push/campaign/send/live/${id}`, body);

    const run = runOf(answer);
    expect(answer.status).toBe(200);
    expect(run).toEqual({
      runId: UUID,
      campaignId: id,
      appId: expect.any(Number),
      state: 'scheduled',
      reason: null,
      dryRun: false,
      ratePerSecond: null,
      canaryPercent: null,
      maxFailurePercent: null,
      timestampCreated: DATE,
      timestampStart: DATE,
      timestampStarted: null,
      timestampMaterialised: null,
      timestampApproved: null,
      timestampFinished: null,
      users: { total: 0, withoutDevice: 0 },
      excluded: { ios: {}, android: {} },
      counts: { ios: NOTHING, android: NOTHING, total: NOTHING },
      failures: [],
      ratePerSecondMeasured: 0,
      etaSeconds: null,
    });
    await eventually(async () => expect(await announced(run.runId)).toBe(1));
  });

  test('keeps what the campaign says, and the options', async () => {
    const message = { title: 'x', validUntil: '2099-12-31T23:59:59.000Z' };
    const id = await createCampaign(undefined, message);

    await live(id, { ratePerSecond: '12.5', canaryPercent: 0.1, maxFailurePercent: 0 });

    expect(await runsOf(id)).toMatchObject([
      {
        message,
        validUntil: new Date(message.validUntil),
        state: 'scheduled',
        dryRun: false,
        ratePerSecond: 12.5,
        canaryPercent: 0.1,
        maxFailurePercent: 0,
      },
    ]);
  });

  test('takes options without an envelope, too', async () => {
    const id = await createCampaign();

    const answer = await api.call('POST', `/push/campaign/send/live/${id}`, { dryRun: true });

    expect(runOf(answer).dryRun).toBe(true);
  });

  test('starts later when it is told to, and announces nothing until then', async () => {
    const id = await createCampaign();
    const startAt = new Date(Date.now() + 365 * 24 * 3_600_000);

    const run = runOf(await live(id, { startAt: startAt.toISOString() }));
    const past = runOf(await live(await createCampaign(), { startAt: 1_500_000_000 }));

    expect(run.timestampStart).toBe(startAt.toISOString().replace('Z', '+00:00'));
    expect(Date.now() - Date.parse(past.timestampStart)).toBeLessThan(60_000);
    await eventually(async () => expect(await announced(past.runId)).toBe(1));
    expect(await announced(run.runId)).toBe(0);
  });

  test.each([
    [{ resend: 'perhaps' }, 'resend'],
    [{ startAt: 'tomorrow' }, 'startAt'],
    [{ startAt: new Date(Date.now() + 367 * 24 * 3_600_000) }, '366'],
    [{ ratePerSecond: 0 }, 'ratePerSecond'],
    [{ ratePerSecond: -1 }, 'ratePerSecond'],
    [{ ratePerSecond: 1_000_001 }, 'ratePerSecond'],
    [{ ratePerSecond: 'fast' }, 'ratePerSecond'],
    [{ canaryPercent: 0 }, 'canaryPercent'],
    [{ canaryPercent: 100 }, 'canaryPercent'],
    [{ maxFailurePercent: -0.1 }, 'maxFailurePercent'],
    [{ maxFailurePercent: 100.1 }, 'maxFailurePercent'],
    [{ dryRun: 'maybe' }, 'dryRun'],
    [{ dryRun: true, startAt: '2020-01-01T00:00:00Z' }, 'startAt'],
    [{ dryRun: true, ratePerSecond: 1 }, 'ratePerSecond'],
    [{ dryRun: true, canaryPercent: 1 }, 'canaryPercent'],
    [[], 'object'],
    ['text', 'object'],
  ])('refuses %j and makes nothing', async (options, named) => {
    const id = await createCampaign();

    const answer = await live(id, options);

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining(named)) });
    expect(await runsOf(id)).toEqual([]);
  });

  test('refuses a campaign that does not exist, another method, and an app without credentials', async () => {
    const bare = await createCampaign(await createApp([]));

    const answers = [
      await live(MISSING),
      await live(MISSING, { dryRun: true }),
      await live(bare),
      await live(bare, { dryRun: true }),
    ];
    const other = await api.call('PUT', `/push/campaign/send/live/${bare}`);

    expect(answers.map(({ status, body }) => [status, body.responseObject.message])).toEqual([
      [400, NO_SUCH_CAMPAIGN],
      [400, NO_SUCH_CAMPAIGN],
      [400, expect.stringContaining('credentials')],
      [400, expect.stringContaining('credentials')],
    ]);
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await runsOf(bare)).toEqual([]);
  });

  test('refuses what a platform would not take whose credential came after the campaign', async () => {
    const appId = await createApp(['android']);
    const id = await createCampaign(appId, { extras: { aps: 'a word of APNs' } });
    await addCredential(appId, 'ios');

    const answer = await live(id);

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining('aps')) });
    expect(await runsOf(id)).toEqual([]);
  });

  test.each(['scheduled', 'running', 'paused', 'halted', 'completed', 'cancelled'] as const)(
    'repeated for a run that is %s answers that run and sends nothing',
    async (state) => {
      const { id, runId } = await startCampaign({ ratePerSecond: 5 });
      const isOver = state === 'completed' || state === 'cancelled';
      await setRun(runId, { state, finishedAt: isOver ? new Date() : null });

      const again = runOf(await live(id, { ratePerSecond: 7 }));

      expect(again).toMatchObject({ runId, state, ratePerSecond: 5 });
      expect(await runsOf(id)).toHaveLength(1);
    },
  );

  test('twice at once makes one run', async () => {
    const id = await createCampaign();

    const answers = await Promise.all(Array.from({ length: 8 }, () => live(id)));

    expect(new Set(answers.map((answer) => runOf(answer).runId)).size).toBe(1);
    expect(await runsOf(id)).toHaveLength(1);
  });

  test.each(['scheduled', 'materialising', 'running', 'paused', 'halted', 'cancelled'] as const)(
    'with resend is refused while a run is %s and not over',
    async (state) => {
      const { id, runId } = await startCampaign();
      await setRun(runId, { state });

      const answer = await live(id, { resend: true });

      expect(answer).toMatchObject(conflict(state));
      expect(await runsOf(id)).toMatchObject([{ id: runId, state }]);
    },
  );

  test.each(['completed', 'cancelled'] as const)(
    'with resend makes another run after one that is %s, which is the latest then',
    async (state) => {
      const { id, runId } = await startCampaign();
      await finish(runId, state);

      const second = runOf(await live(id, { resend: 'true' }));

      expect(second).toMatchObject({ state: 'scheduled' });
      expect(second.runId > runId).toBe(true);
      expect(runOf(await live(id)).runId).toBe(second.runId);
      expect(runOf(await api.get(`/push/campaign/${id}/run`)).runId).toBe(second.runId);
    },
  );

  test('with resend makes the latest run also where the other one came from a clock ahead of ours', async () => {
    const { id, runId } = await startCampaign();
    const ahead = runId.replace(/^.{8}/, 'fffffff0');
    await setRun(runId, { id: ahead, state: 'completed', finishedAt: new Date() });

    const second = runOf(await live(id, { resend: true }));

    expect(runOf(await api.get(`/push/campaign/${id}/run`)).runId).toBe(second.runId);
  });

  test('with resend makes the first run, too', async () => {
    const id = await createCampaign();

    expect(runOf(await live(id, { resend: true })).state).toBe('scheduled');
  });

  test('with resend twice at once makes one run', async () => {
    const { id, runId } = await startCampaign();
    await finish(runId);

    const answers = await Promise.all([live(id, { resend: true }), live(id, { resend: true })]);

    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
    expect(await runsOf(id)).toHaveLength(2);
  });

  test('as a dry run is always one of its own, and none that a live send minds', async () => {
    const id = await createCampaign();

    const first = runOf(await live(id, { dryRun: true }));
    const real = runOf(await live(id));
    const second = runOf(await live(id, { dryRun: true, resend: true }));

    expect([first, real, second].map((run) => run.dryRun)).toEqual([true, false, true]);
    expect(await runsOf(id)).toHaveLength(3);
    expect(runOf(await live(id)).runId).toBe(real.runId);
    expect(runOf(await api.get(`/push/campaign/${id}/run`)).runId).toBe(real.runId);
    await eventually(async () => expect(await announced(first.runId)).toBe(1));
  });

  describe('with an Idempotency-Key', () => {
    const keyed = (key: string) => ({ 'idempotency-key': key });
    const replayedOf = ({ headers }: Answer) => headers.get('idempotency-replayed');

    test.each([[undefined], [{ resend: true }], [{ dryRun: true }]])(
      'of %j answers the same run again, as it is now',
      async (options) => {
        const [id, key] = [await createCampaign(), randomUUID()];

        const first = await live(id, options, keyed(key));
        await setRun(runOf(first).runId, { state: 'running' });
        const second = await live(id, options, keyed(key));

        expect(runOf(second)).toEqual({ ...runOf(first), state: 'running' });
        expect([first, second].map(replayedOf)).toEqual([null, 'true']);
        expect(await runsOf(id)).toHaveLength(1);
      },
    );

    test('at once answers one run to all', async () => {
      const { id, runId } = await startCampaign();
      await finish(runId);
      const key = randomUUID();

      const answers = await Promise.all(
        Array.from({ length: 5 }, () => live(id, { resend: true }, keyed(key))),
      );

      expect(new Set(answers.map((answer) => runOf(answer).runId)).size).toBe(1);
      expect(answers.map(replayedOf).filter((replayed) => replayed === null)).toHaveLength(1);
      expect(await runsOf(id)).toHaveLength(2);
    });

    test('is kept for the run that was there already, and after the campaign went', async () => {
      const { id, runId } = await startCampaign();
      const key = randomUUID();
      await live(id, undefined, keyed(key));
      await finish(runId);
      runOf(await live(id, { resend: true }));
      await finish((await runsOf(id)).find((run) => run.id !== runId)?.id ?? '');
      await api.post(`/push/campaign/${id}/delete`, undefined);

      const again = await live(id, undefined, keyed(key));

      expect([runOf(again).runId, replayedOf(again)]).toEqual([runId, 'true']);
    });

    test('is refused with another body, also one that is empty', async () => {
      const [id, key] = [await createCampaign(), randomUUID()];

      await live(id, { dryRun: true }, keyed(key));
      const answers = [
        await live(id, { dryRun: false }, keyed(key)),
        await live(id, undefined, keyed(key)),
      ];

      expect(answers).toMatchObject([conflict('Idempotency-Key'), conflict('Idempotency-Key')]);
      expect(await runsOf(id)).toHaveLength(1);
    });

    test('keeps no key of a request that was refused, and none for another campaign', async () => {
      const [appId, key] = [await createApp([]), randomUUID()];
      const [id, other] = [await createCampaign(appId), await createCampaign()];

      const refused = await live(id, undefined, keyed(key));
      await addCredential(appId, 'android');
      const answers = [
        await live(id, undefined, keyed(key)),
        await live(other, undefined, keyed(key)),
      ];

      expect(refused.status).toBe(400);
      expect(answers.map(replayedOf)).toEqual([null, null]);
      expect(runOf(answers[0] as Answer).runId).not.toBe(runOf(answers[1] as Answer).runId);
    });
  });

  describe('while it waits', () => {
    let patient: TestApi;

    beforeAll(async () => {
      patient = await openTestApi({ syncWaitMs: 600_000 });
    });
    afterAll(() => patient.close());

    /** A campaign of the api that waits long. */
    async function createThere(): Promise<number> {
      const appId = nextApp++;
      const privateKeyBase64 = Buffer.from('a key').toString('base64');
      await patient.post('/admin/app/create', { appId });
      await patient.post('/admin/app/android/update', { appId, projectId: 'p', privateKeyBase64 });
      const { body } = await patient.post('/push/campaign/create', { appId, message: {} });
      return body.responseObject.id;
    }

    const sendThere = (id: number, options: object = {}) =>
      patient.post(`/push/campaign/send/live/${id}`, options);
    const changeThere = (id: number, values: RunValues) =>
      eventually(async () => {
        const { numUpdatedRows } = await patient.db
          .updateTable('campaignRuns')
          .set(values)
          .where('campaignId', '=', id)
          .executeTakeFirstOrThrow();
        expect(numUpdatedRows).toBe(1n);
      });

    test.each([
      [{ state: 'completed', finishedAt: new Date() }],
      [{ state: 'cancelled', finishedAt: new Date() }],
      [{ state: 'paused', reason: 'canary' }],
      [{ state: 'halted', reason: 'failure_rate' }],
    ] as const)('answers once the run is %j', async (values) => {
      const id = await createThere();

      const sending = sendThere(id);
      await changeThere(id, values);

      expect(runOf(await sending).state).toBe(values.state);
    });

    test('answers a repeated call at once, and one for later', async () => {
      const [id, later] = [await createThere(), await createThere()];
      const sending = sendThere(id);
      await changeThere(id, { state: 'running' });

      const repeated = await sendThere(id);
      const startAt = new Date(Date.now() + 3_600_000);
      const scheduled = await sendThere(later, { startAt });

      await changeThere(id, { state: 'completed', finishedAt: new Date() });
      expect([repeated, scheduled, await sending].map((answer) => runOf(answer).state)).toEqual([
        'running',
        'scheduled',
        'completed',
      ]);
    });
  });

  test('answers what is known when the server stops', async () => {
    const stopping = await openTestApi({ syncWaitMs: 600_000 });
    await stopping.post('/admin/app/create', { appId: 1 });
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    await stopping.post('/admin/app/android/update', {
      appId: 1,
      projectId: 'p',
      privateKeyBase64,
    });
    await stopping.post('/push/campaign/create', { appId: 1, message: {} });

    const sending = stopping.post('/push/campaign/send/live/1', null);
    await eventually(async () => {
      expect(await stopping.db.selectFrom('campaignRuns').select('id').execute()).toHaveLength(1);
    });
    await stopping.close();

    expect(runOf(await sending).state).toBe('scheduled');
  });
});

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

describe('POST /push/campaign/{id}/run/…', () => {
  const control = (id: number, name: string, requestObject: object = {}) =>
    api.post(`/push/campaign/${id}/run/${name}`, requestObject);
  const emptyQueue = async (runId: string) =>
    eventually(async () => expect(await announced(runId)).toBe(1));

  test('pause stops the run, resume goes on with it and announces it', async () => {
    const { id, runId } = await startCampaign();
    await emptyQueue(runId);
    await setRun(runId, { state: 'running', startedAt: new Date(), materialisedAt: new Date() });

    const paused = runOf(await api.call('POST', `/push/campaign/${id}/run/pause`));
    const resumed = runOf(await api.call('POST', `/push/campaign/${id}/run/resume`, {}));

    expect(paused).toMatchObject({ runId, state: 'paused', reason: 'operator' });
    expect(resumed).toMatchObject({ runId, state: 'running', reason: null });
    await eventually(async () => expect(await announced(runId)).toBe(2));
  });

  test('approve lets the rest follow the canary, and announces the run', async () => {
    const { id, runId } = await startCampaign({ canaryPercent: 10 });
    await emptyQueue(runId);
    const at = new Date();
    await setRun(runId, { state: 'paused', reason: 'canary', startedAt: at, materialisedAt: at });

    const approved = runOf(await api.call('POST', `/push/campaign/${id}/run/approve`));

    expect(approved).toMatchObject({ state: 'running', reason: null, timestampApproved: DATE });
    await eventually(async () => expect(await announced(runId)).toBe(2));
  });

  test('cancel ends the run, whose dispatchers settle it', async () => {
    const { id, runId } = await startCampaign();

    const answer = runOf(await control(id, 'cancel'));

    expect(answer).toMatchObject({ runId, state: 'cancelled', timestampFinished: null });
  });

  test('rate changes the rate, and lifts it', async () => {
    const { id } = await startCampaign({ ratePerSecond: 5 });

    const answers = [
      await control(id, 'rate', { ratePerSecond: '250.5' }),
      await control(id, 'rate', { ratePerSecond: null }),
      await control(id, 'rate', { ratePerSecond: 1_000_000 }),
      await control(id, 'rate', {}),
    ];

    expect(answers.map((answer) => runOf(answer).ratePerSecond)).toEqual([
      250.5,
      null,
      1_000_000,
      null,
    ]);
  });

  test('rate refuses what is no rate, and a request that names none', async () => {
    const { id } = await startCampaign({ ratePerSecond: 5 });

    const answers = [
      await control(id, 'rate', { ratePerSecond: 0 }),
      await control(id, 'rate', { ratePerSecond: 1_000_001 }),
      await control(id, 'rate', { ratePerSecond: 'fast' }),
      await api.call('POST', `/push/campaign/${id}/run/rate`),
      await api.call('POST', `/push/campaign/${id}/run/rate`, { ratePerSecond: 7 }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
    expect(await runsOf(id)).toMatchObject([{ ratePerSecond: 5 }]);
  });

  test('takes the run that is named, in an envelope or not, and not the latest', async () => {
    const { id } = await startCampaign();
    const dry = runOf(await live(id, { dryRun: true })).runId;
    const other = runOf(await live(id, { dryRun: true })).runId;

    const answers = [
      await control(id, 'pause', { runId: dry }),
      await api.call('POST', `/push/campaign/${id}/run/cancel`, { runId: other }),
    ];

    expect(answers.map(runOf)).toMatchObject([
      { runId: dry, state: 'paused' },
      { runId: other, state: 'cancelled' },
    ]);
    expect(runOf(await api.get(`/push/campaign/${id}/run`)).state).toBe('scheduled');
  });

  test.each(RUN_CONTROLS)('%s is refused where there is no such run', async (name) => {
    const [bare, one, other] = [
      await createCampaign(),
      await startCampaign(),
      await startCampaign(),
    ];

    const answers = [
      await control(MISSING, name),
      await control(bare, name),
      await control(one.id, name, { runId: other.runId }),
      await control(one.id, name, { runId: 'x' }),
    ];

    expect(answers.map(({ status, body }) => [status, body.responseObject.message])).toEqual([
      [400, NO_SUCH_CAMPAIGN],
      [404, 'The campaign has no run.'],
      [404, 'The campaign has no such run.'],
      [404, 'The campaign has no such run.'],
    ]);
    expect(await runsOf(other.id)).toMatchObject([{ state: 'scheduled' }]);
  });

  test.each(RUN_CONTROLS)('%s is refused for a run that is over', async (name) => {
    const { id, runId } = await startCampaign({ ratePerSecond: 5 });
    await finish(runId);
    const before = await runsOf(id);

    const answer = await control(id, name);

    expect(answer).toMatchObject(conflict('completed'));
    expect(await runsOf(id)).toEqual(before);
  });

  test.each([
    ['resume', { state: 'running' }, 'running'],
    ['pause', { state: 'paused', reason: 'operator' }, 'paused'],
    ['pause', { state: 'halted', reason: 'failure_rate' }, 'halted'],
    ['approve', { state: 'running' }, 'waits for no approval'],
    ['resume', { state: 'paused', reason: 'canary' }, 'canary'],
  ] as const)('%s of a run %j is refused and changes nothing', async (name, values, named) => {
    const { id, runId } = await startCampaign();
    await setRun(runId, values);
    const before = await runsOf(id);

    const answer = await control(id, name);

    expect(answer).toMatchObject(conflict(named));
    expect(await runsOf(id)).toEqual(before);
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

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: RunProgressAnswer;
}

/** Someone who watches a run. */
interface Reader {
  readonly answer: Response;
  /** The next event; undefined when the stream ended. */
  next(): Promise<Event | undefined>;
  leave(): void;
}

async function openReader(from: TestApi, path: string): Promise<Reader> {
  const abort = new AbortController();
  const answer = await fetch(from.url + path, { signal: abort.signal });
  const parts = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    answer,
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const lines = text.slice(0, end).split('\n');
          text = text.slice(end + 2);
          const fields = new Map(lines.map((line) => line.split(/: (.*)/s) as [string, string]));
          if (!fields.has('event')) continue;
          return {
            event: fields.get('event') ?? '',
            id: fields.get('id') ?? '',
            data: JSON.parse(fields.get('data') ?? ''),
          };
        }
        const part = await parts?.read();
        if (part?.value === undefined) return undefined;
        text += part.value;
      }
    },
    leave: () => abort.abort(),
  };
}

describe('GET /push/campaign/{id}/run/events', () => {
  const watch = (id: number, query = '') =>
    openReader(api, `/push/campaign/${id}/run/events${query}`);

  test('tells the progress at once, then what changed, then the end, and closes', async () => {
    const { id, runId } = await startCampaign();
    const reader = await watch(id);

    const first = await reader.next();
    await setRun(runId, { state: 'running' });
    const second = await reader.next();
    await count(runId, [['fcm', TARGETED, 3]]);
    const third = await reader.next();
    await finish(runId);
    const rest = [await reader.next(), await reader.next(), await reader.next()];

    expect(first).toEqual({
      event: 'progress',
      id: '1',
      data: expect.objectContaining({ runId, state: 'scheduled' }),
    });
    expect(second).toMatchObject({ event: 'progress', id: '2', data: { state: 'running' } });
    expect(third).toMatchObject({ id: '3', data: { counts: { total: { pending: 3 } } } });
    expect(rest).toMatchObject([
      { event: 'progress', id: '4', data: { state: 'completed', timestampFinished: DATE } },
      { event: 'end', id: '5', data: { runId, state: 'completed' } },
      undefined,
    ]);
    const headers = ['content-type', 'cache-control', 'x-accel-buffering'];
    expect(headers.map((name) => reader.answer.headers.get(name))).toEqual([
      'text/event-stream',
      'no-store',
      'no',
    ]);
  });

  test('of a run that is over tells its progress and ends', async () => {
    const { id, runId } = await startCampaign();
    await finish(runId);
    await live(id, { resend: true });

    const reader = await watch(id, `?runId=${runId}`);

    expect([await reader.next(), await reader.next(), await reader.next()]).toMatchObject([
      { event: 'progress', data: { runId } },
      { event: 'end' },
      undefined,
    ]);
  });

  test('reads all runs that are watched in one look, each once', async () => {
    const [one, other] = [await startCampaign(), await startCampaign()];
    const looked = api.looks.length;

    const readers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => watch(n % 2 === 0 ? one.id : other.id)),
    );
    await Promise.all(readers.map((reader) => reader.next()));
    const expected = [one.runId, other.runId].toSorted();
    await eventually(() => expect(api.looks.at(-1)?.toSorted()).toEqual(expected));
    await finish(one.runId);
    await finish(other.runId);
    for (const reader of readers) while ((await reader.next()) !== undefined);

    const looks = api.looks.slice(looked);
    expect(looks.every((ids) => new Set(ids).size === ids.length)).toBe(true);
  });

  test('refuses what there is not, as any other answer', async () => {
    const answers = [
      await api.get(`/push/campaign/${MISSING}/run/events`),
      await api.get(`/push/campaign/${await createCampaign()}/run/events`),
    ];

    expect(answers).toMatchObject([
      { status: 400, body: refusal(NO_SUCH_CAMPAIGN) },
      { status: 404, body: refusal('The campaign has no run.') },
    ]);
  });

  test('answers HEAD with its headers', async () => {
    const { id } = await startCampaign();

    const answer = await api.call('HEAD', `/push/campaign/${id}/run/events`);

    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.text).toBe('');
  });

  test('refuses more watchers than a process takes, until one goes', async () => {
    const small = await openTestApi({ maxWatches: 1, heartbeatMs: 5 });
    await small.post('/admin/app/create', { appId: 1 });
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    await small.post('/admin/app/android/update', { appId: 1, projectId: 'p', privateKeyBase64 });
    await small.post('/push/campaign/create', { appId: 1, message: {} });
    await small.post('/push/campaign/send/live/1', null);
    const first = await openReader(small, '/push/campaign/1/run/events');
    await first.next();

    const refused = await small.get('/push/campaign/1/run/events');
    first.leave();
    const second = await eventually(async () => {
      const reader = await openReader(small, '/push/campaign/1/run/events');
      expect(reader.answer.status).toBe(200);
      return reader;
    });

    expect(refused).toMatchObject({ status: 503, body: refusal(undefined, 'ERROR_DATABASE') });
    expect(await second.next()).toMatchObject({ event: 'progress' });
    // The server stops though somebody watches; they hear of no end, and go elsewhere.
    await small.close();
    expect(await second.next()).toBeUndefined();
  });
});
