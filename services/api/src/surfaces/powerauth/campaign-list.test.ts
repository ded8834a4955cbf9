import { findAppId, makeApp, makeCampaign, makeDevice, makeRun } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

interface Listed {
  readonly id: number;
  readonly latestRun?: {
    readonly runId: string;
    readonly state: string;
    readonly counts: unknown;
  } | null;
}

async function list(query: Readonly<Record<string, string | number>>) {
  const parameters = Object.entries(query).map(([name, value]) => [name, String(value)]);
  const { status, text } = await api.get(
    `/push/campaign/list?${new URLSearchParams(Object.fromEntries(parameters) as Record<string, string>)}`,
  );
  const { responseObject } = JSON.parse(text) as { responseObject: readonly Listed[] };
  return {
    status,
    listed: responseObject,
    ids: status === 200 ? responseObject.map(({ id }) => id) : [],
  };
}

/** An app with so many campaigns. */
async function makeCampaigns(count: number) {
  const appRef = await makeApp(api.db);
  const campaigns = [];
  for (let n = 0; n < count; n += 1) campaigns.push(await makeCampaign(api.db, appRef, ['a']));
  return {
    appRef,
    appId: await findAppId(api.db, appRef),
    campaigns,
    ids: campaigns.map(({ campaignId }) => campaignId),
  };
}

describe('GET /push/campaign/list', () => {
  test('shows those of one application, the oldest first, all at once', async () => {
    const { appId, ids } = await makeCampaigns(3);
    await makeCampaigns(1);

    const found = await list({ appId });

    expect(found.ids).toEqual(ids);
    expect(found.listed.map((one) => 'latestRun' in one)).toEqual([false, false, false]);
  });

  test.each(['oldest', 'latest'])('leads forth and back in pages, the %s first', async (order) => {
    const { appId, ids } = await makeCampaigns(5);
    const wanted = order === 'oldest' ? ids : ids.toReversed();
    const page = (more: Readonly<Record<string, number>>) =>
      list({ appId, order, size: 2, ...more });

    const first = await page({});
    const second = await page({ after: first.ids[1] ?? 0 });
    const third = await page({ after: second.ids[1] ?? 0 });
    const back = await page({ before: third.ids[0] ?? 0 });

    expect([...first.ids, ...second.ids, ...third.ids]).toEqual(wanted);
    expect(back.ids).toEqual(second.ids);
  });

  test('shows the latest run of each, which is no dry run, and null where there is none', async () => {
    const { appId, campaigns } = await makeCampaigns(2);
    const [sent, unsent] = campaigns;
    if (sent === undefined || unsent === undefined) throw new Error('there are no campaigns');
    await makeRun(api.db, sent);
    const latest = await makeRun(api.db, sent);
    await makeRun(api.db, sent, { dryRun: true });

    const { listed } = await list({ appId, includeRun: 'true', size: 10 });

    expect(listed.map(({ latestRun }) => latestRun)).toEqual([
      expect.objectContaining({
        runId: latest,
        state: 'materialising',
        counts: expect.objectContaining({ total: expect.objectContaining({ targeted: 0 }) }),
      }),
      null,
    ]);
  });

  test.each([{ includeRun: 'true' }, { after: 1, before: 2 }, { size: 0 }, { order: 'newest' }])(
    'refuses %j',
    async (query) => {
      expect((await list(query)).status).toBe(400);
    },
  );
});

describe('POST /push/campaign/preview', () => {
  test('shows what goes out per platform, and what counts of it', async () => {
    const appId = await findAppId(api.db, await makeApp(api.db));

    const answer = await preview(appId, { title: 'Hello', badge: 3, extras: { deep: { a: 1 } } });

    expect(answer.previews).toEqual([
      {
        platform: 'ios',
        route: 'direct',
        bytes: Buffer.byteLength(JSON.stringify(answer.previews[0]?.payload)),
        limit: 4096,
        violation: null,
        payload: {
          aps: expect.objectContaining({ alert: { title: 'Hello' }, badge: 3 }),
          deep: { a: 1 },
        },
      },
      {
        platform: 'android',
        route: 'direct',
        bytes: expect.any(Number),
        limit: 4096,
        violation: null,
        payload: {
          message: expect.objectContaining({
            android: expect.objectContaining({
              notification: expect.objectContaining({ title: 'Hello' }),
            }),
          }),
        },
      },
    ]);
  });

  test('says of what does not fit what making the campaign says', async () => {
    const appId = await findAppId(api.db, await makeApp(api.db, ['apns']));
    const message = { title: 'x'.repeat(5000) };

    const { previews } = await preview(appId, message);
    const refused = await api.post('/push/campaign/create', { appId, message });

    expect(previews).toHaveLength(1);
    expect(previews[0]?.violation).toBe(refused.body.responseObject.message);
    expect(previews[0]?.bytes).toBeGreaterThan(5000);
  });

  test('refuses an application that there is not', async () => {
    const { status } = await api.post('/push/campaign/preview', { appId: 'none', message: {} });

    expect(status).toBe(400);
  });
});

async function preview(appId: string, message: object) {
  const { text } = await api.post('/push/campaign/preview', { appId, message });
  const { responseObject } = JSON.parse(text) as {
    responseObject: {
      readonly previews: readonly {
        readonly bytes: number;
        readonly violation: string | null;
        readonly payload: unknown;
      }[];
    };
  };
  return responseObject;
}

describe('POST /push/campaign/:id/user/add-all', () => {
  test('adds every user of the app once, and nobody of another', async () => {
    const { appRef, ids } = await makeCampaigns(1);
    const { userId } = await makeDevice(api.db, appRef);
    await makeDevice(api.db, appRef, { userId });
    const other = await makeDevice(api.db, appRef, { provider: 'fcm' });
    await makeDevice(api.db, await makeApp(api.db));
    const path = `/push/campaign/${ids[0]}/user`;

    const first = await api.post(`${path}/add-all`, {});
    const again = await api.call('POST', `${path}/add-all`);

    const { text } = await api.get(`${path}/list`);
    expect(JSON.parse(first.text).responseObject).toEqual({ added: 2, more: false, next: null });
    expect(JSON.parse(again.text).responseObject).toEqual({ added: 0, more: false, next: null });
    expect(JSON.parse(text).responseObject.users).toEqual(['a', userId, other.userId]);
  });

  test('goes on behind a device', async () => {
    const { appRef, ids } = await makeCampaigns(1);
    const first = await makeDevice(api.db, appRef);
    await makeDevice(api.db, appRef);

    const { text } = await api.post(`/push/campaign/${ids[0]}/user/add-all`, { after: first.id });

    expect(JSON.parse(text).responseObject).toMatchObject({ added: 1 });
  });

  test('refuses a campaign that there is not', async () => {
    expect((await api.post('/push/campaign/999999999/user/add-all', {})).status).toBe(400);
  });
});
