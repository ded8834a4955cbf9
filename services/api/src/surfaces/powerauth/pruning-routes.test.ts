import { lookForStale } from '@heliograph/db';
import { type DeviceOptions, findAppId, makeApp, makeDevice } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

const DAY_MS = 24 * 3_600_000;
const NOON = Date.parse('2026-03-10T12:00:00Z');

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

async function makePrunedApp() {
  const appRef = await makeApp(api.db);
  const appId = await findAppId(api.db, appRef);
  return { appRef, appId };
}

async function prune(appRef: number, at: number, reason: string, options: DeviceOptions = {}) {
  const { id } = await makeDevice(api.db, appRef, options);
  await api.db
    .updateTable('devices')
    .set({ tokenDeactivatedAt: new Date(at), tokenDeactivatedReason: reason })
    .where('id', '=', id)
    .execute();
  return id;
}

async function listActive(appRef: number): Promise<number[]> {
  const rows = await api.db
    .selectFrom('devices')
    .select('id')
    .where('appRef', '=', appRef)
    .where('tokenDeactivatedAt', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

describe('GET /admin/device/pruning/list', () => {
  test('counts what was pruned by app, platform, reason and day or hour, the latest first', async () => {
    const { appRef, appId } = await makePrunedApp();
    await prune(appRef, NOON, 'Unregistered');
    await prune(appRef, NOON + 60_000, 'Unregistered');
    await prune(appRef, NOON + 3_600_000, 'Unregistered');
    await prune(appRef, NOON + DAY_MS, 'stale', { provider: 'fcm' });
    await prune(appRef, NOON - DAY_MS, 'Unregistered');
    const query = `appId=${appId}&since=2026-03-10T00:00:00Z`;

    const byDay = await api.get(`/admin/device/pruning/list?${query}`);
    const byHour = await api.get(`/admin/device/pruning/list?${query}&by=hour`);

    const row = { appId, platform: 'ios', reason: 'Unregistered' };
    const stale = { appId, platform: 'android', reason: 'stale', devices: 1 };
    expect(byDay.body.responseObject).toEqual({
      pruningList: [
        { ...stale, since: '2026-03-11T00:00:00.000+00:00' },
        { ...row, since: '2026-03-10T00:00:00.000+00:00', devices: 3 },
      ],
    });
    expect(byHour.body.responseObject).toEqual({
      pruningList: [
        { ...stale, since: '2026-03-11T12:00:00.000+00:00' },
        { ...row, since: '2026-03-10T13:00:00.000+00:00', devices: 1 },
        { ...row, since: '2026-03-10T12:00:00.000+00:00', devices: 2 },
      ],
    });
  });
});

describe('POST /admin/device/restore-all', () => {
  test('gives push tokens back that were deactivated in the window for that reason, and no others', async () => {
    const { appRef, appId } = await makePrunedApp();
    const other = await makePrunedApp();
    const meant = [await prune(appRef, NOON, 'BadDeviceToken')];
    await prune(appRef, NOON - 1, 'BadDeviceToken');
    await prune(appRef, NOON + 3_600_000, 'BadDeviceToken');
    await prune(appRef, NOON + 1, 'Unregistered');
    await prune(appRef, NOON + 1, 'BadDeviceToken', { provider: 'fcm' });
    await prune(other.appRef, NOON + 1, 'BadDeviceToken');
    const wanted = {
      appId,
      platform: 'ios',
      reason: 'BadDeviceToken',
      since: '2026-03-10T12:00:00Z',
      until: '2026-03-10T13:00:00Z',
    };

    const dry = await api.post('/admin/device/restore-all', { ...wanted, dryRun: true });
    const afterDry = await listActive(appRef);
    const restored = await api.post('/admin/device/restore-all', wanted);
    const again = await api.post('/admin/device/restore-all', wanted);

    expect(dry.body.responseObject).toEqual({ devices: 1, dryRun: true, more: false });
    expect(afterDry).toEqual([]);
    expect(restored.body.responseObject).toEqual({ devices: 1, dryRun: false, more: false });
    expect(again.body.responseObject).toMatchObject({ devices: 0 });
    expect(await listActive(appRef)).toEqual(meant);
    expect(await listActive(other.appRef)).toEqual([]);
  });

  test('restores all there is since then, where nothing narrows it down', async () => {
    const { appRef, appId } = await makePrunedApp();
    const ids = [
      await prune(appRef, NOON, 'stale'),
      await prune(appRef, NOON + DAY_MS, 'Unregistered', { provider: 'fcm' }),
    ];

    await api.post('/admin/device/restore-all', { appId, since: NOON / 1000 });

    expect(await listActive(appRef)).toEqual(ids);
  });

  test.each([
    {},
    { since: '2026-03-10T12:00:00Z' },
    { appId: 'nobody knows it', since: '2026-03-10T12:00:00Z' },
    { since: 'yesterday' },
    { since: '2026-03-10T12:00:00Z', until: '2026-03-10T12:00:00Z' },
    { since: '2026-03-10T12:00:00Z', platform: 'hms' },
  ])('refuses %j', async (input) => {
    const { appId } = await makePrunedApp();
    const hasApp = 'until' in input || 'platform' in input || input.since === 'yesterday';

    const answer = await api.post('/admin/device/restore-all', {
      ...(hasApp ? { appId } : {}),
      ...input,
    });

    expect(answer.status).toBe(400);
  });
});

describe('POST /admin/device/stale/approve', () => {
  test('lets what is held go, once; the list shows it until then', async () => {
    const { appRef, appId } = await makePrunedApp();
    await makeDevice(api.db, appRef, { lastRegisteredAt: new Date() });
    await makeDevice(api.db, appRef, { lastRegisteredAt: new Date(Date.now() - 300 * DAY_MS) });
    const scope = { appRef, provider: 'apns', approvedBefore: null } as const;
    await lookForStale(api.db, scope, { days: 270, maxPercent: 10 });

    const listed = await api.get('/admin/device/stale/list');
    const first = await api.post('/admin/device/stale/approve', { appId, provider: 'ios' });
    const second = await api.post('/admin/device/stale/approve', { appId, provider: 'ios' });

    expect(listed.body.responseObject.heldList).toEqual([
      {
        appId,
        platform: 'ios',
        devices: 2,
        stale: 1,
        reason: 'too_many',
        since: expect.stringMatching(/\+00:00$/),
        checkedAt: expect.stringMatching(/\+00:00$/),
      },
    ]);
    expect(first.body.responseObject).toEqual({ devices: 1 });
    expect(second.status).toBe(400);
    expect((await api.get('/admin/device/stale/list')).body.responseObject.heldList).toEqual([]);
  });
});
