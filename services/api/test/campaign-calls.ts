import type { Provider } from '@heliograph/core';
import type { Schema } from '@heliograph/db';
import type { Updateable } from 'kysely';

import type { RunProgressAnswer } from '../src/surfaces/powerauth/run-endpoints.ts';
import type { Answer, TestApi } from './open-test-api.ts';

export const MISSING = 999_999;
export const NO_SUCH_CAMPAIGN = 'Campaign with entered ID does not exist';
export const DATE = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
export const UUID = expect.stringMatching(/^[0-9a-f-]{28}00000000$/);
export const NOTHING = {
  targeted: 0,
  sent: 0,
  pending: 0,
  failed: 0,
  expired: 0,
  skipped: 0,
  retrying: 0,
  ambiguous: 0,
};

/** The answer's run. */
export function runOf({ body }: Answer): RunProgressAnswer {
  expect(body.status).toBe('OK');
  return body.responseObject as unknown as RunProgressAnswer;
}

export function refusal(message: unknown = expect.any(String), code = 'ERROR_GENERIC') {
  return { status: 'ERROR', responseObject: { code, message } };
}

export function conflict(state: string) {
  const body = refusal(expect.stringContaining(state), 'ERROR_DATA_INTEGRITY');
  return { status: 409, body };
}

export type RunValues = Updateable<Schema['campaignRuns']>;

/** Campaigns and runs over an api, and what dispatchers would do to them. */
export function createCampaignCalls(api: () => TestApi) {
  let nextApp = 1;

  async function addCredential(appId: number, platform: 'ios' | 'android'): Promise<void> {
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    const settings = {
      ios: { bundle: 'b', keyId: 'k', teamId: 't' },
      android: { projectId: 'p' },
    };
    const key = { appId, privateKeyBase64, ...settings[platform] };
    await api().post(`/admin/app/${platform}/update`, key);
  }

  async function createApp(on: readonly ('ios' | 'android')[] = ['android']): Promise<number> {
    const appId = nextApp++;
    await api().post('/admin/app/create', { appId });
    for (const platform of on) await addCredential(appId, platform);
    return appId;
  }

  async function createCampaign(
    appId?: number,
    message: unknown = { title: 'x' },
  ): Promise<number> {
    const request = { appId: appId ?? (await createApp()), message };
    return (await api().post('/push/campaign/create', request)).body.responseObject.id;
  }

  const live = (id: number, options?: unknown, headers?: Record<string, string>) =>
    api().call(
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

  /** What a dispatcher does to a run. */
  async function setRun(runId: string, values: RunValues): Promise<void> {
    await api().db.updateTable('campaignRuns').set(values).where('id', '=', runId).execute();
  }

  async function finish(runId: string, state: 'completed' | 'cancelled' = 'completed') {
    await setRun(runId, { state, finishedAt: new Date() });
  }

  async function count(runId: string, entries: readonly [Provider, number, number][], shard = 1) {
    await api()
      .db.insertInto('campaignRunCounts')
      .values(entries.map(([provider, code, n]) => ({ runId, provider, code, shard, count: n })))
      .execute();
  }

  function runsOf(campaignId: number) {
    return api()
      .db.selectFrom('campaignRuns')
      .selectAll()
      .where('campaignId', '=', campaignId)
      .execute();
  }

  async function announced(runId: string): Promise<number> {
    return (await api().campaignLane.countWaiting()).get(runId) ?? 0;
  }

  return {
    createApp,
    addCredential,
    createCampaign,
    live,
    startCampaign,
    setRun,
    finish,
    count,
    runsOf,
    announced,
  };
}
