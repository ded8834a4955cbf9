import { randomUUID } from 'node:crypto';

import { eventually } from '@heliograph/testing';

import {
  MISSING,
  NO_SUCH_CAMPAIGN,
  DATE,
  UUID,
  NOTHING,
  runOf,
  refusal,
  conflict,
  createCampaignCalls,
  type RunValues,
} from '../../../test/campaign-calls.ts';
import { openTestApi, type Answer, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const {
  createApp,
  addCredential,
  createCampaign,
  live,
  startCampaign,
  setRun,
  finish,
  runsOf,
  announced,
} = createCampaignCalls(() => api);

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
    const { createCampaign: createThere } = createCampaignCalls(() => patient);

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
