import { RUN_CONTROLS } from '@heliograph/core';
import { eventually } from '@heliograph/testing';

import {
  MISSING,
  NO_SUCH_CAMPAIGN,
  DATE,
  runOf,
  conflict,
  createCampaignCalls,
} from '../../../test/campaign-calls.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const { createCampaign, live, startCampaign, setRun, finish, runsOf, announced } =
  createCampaignCalls(() => api);

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
