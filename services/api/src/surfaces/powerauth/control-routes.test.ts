import { randomUUID } from 'node:crypto';

import { hashPushToken, noteTokenFaults } from '@heliograph/db';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 1;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

async function createDevice() {
  const [appId, token, activationId] = [nextApp++, randomUUID(), randomUUID()];
  const created = await api.post('/admin/app/create', { appId });
  await api.post('/push/device/create', { appId, token, activationId, platform: 'ios' });
  const { id } = await api.db
    .selectFrom('devices')
    .select('id')
    .where('activationId', '=', activationId)
    .executeTakeFirstOrThrow();
  return { appId, token, id, appRef: created.body.responseObject.id };
}

async function isDeactivated(id: number): Promise<boolean> {
  const { tokenDeactivatedAt } = await api.db
    .selectFrom('devices')
    .select('tokenDeactivatedAt')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return tokenDeactivatedAt !== null;
}

async function holdFaultOf(device: { id: number; token: string; appRef: number }) {
  await noteTokenFaults(api.db, [
    {
      scope: {
        appRef: device.appRef,
        provider: 'apns',
        environment: 'production',
        credentialVersion: 1,
      },
      deviceId: device.id,
      pushTokenHash: hashPushToken(device.token),
      reason: 'BadDeviceToken',
      kind: 'wrong_place',
      invalidSince: new Date(Date.now() + 60_000),
    },
  ]);
  await api.db
    .updateTable('tokenFaults')
    .set({ state: 'held' })
    .where('deviceId', '=', device.id)
    .execute();
}

describe('POST /admin/pause/resume', () => {
  test.each([
    ['app', 'SENDER_ID_MISMATCH'],
    ['endpoint', 'provider_trouble'],
  ] as const)('lifts a pause of the %s that the list shows, once', async (scope, reason) => {
    const { appId, appRef } = await createDevice();
    const { id } = await api.db
      .insertInto('pauses')
      .values({
        appRef,
        provider: 'fcm',
        environment: '',
        credentialVersion: 1,
        scope,
        reason,
        probeAt: null,
        probeDeliveryId: null,
        liftedAt: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();

    const listed = await api.get('/admin/pause/list');
    const first = await api.post('/admin/pause/resume', { id });
    const second = await api.post('/admin/pause/resume', { id });

    expect(listed.body.responseObject.pauseList).toEqual([
      {
        id,
        appId,
        platform: 'android',
        environment: '',
        scope,
        reason,
        since: expect.stringMatching(/\+00:00$/),
        probeAt: null,
      },
    ]);
    expect([first.status, second.status]).toEqual([200, 400]);
  });
});

describe('POST /admin/guard/apply and discard', () => {
  test('deactivate the devices of what is held, or leave them', async () => {
    const [applied, discarded] = [await createDevice(), await createDevice()];
    await holdFaultOf(applied);
    await holdFaultOf(discarded);

    const listed = await api.get('/admin/guard/list');
    await api.post('/admin/guard/apply', { appId: applied.appId, provider: 'apns' });
    await api.post('/admin/guard/discard', { appId: discarded.appId, provider: 'IOS' });

    expect(listed.body.responseObject.heldList).toContainEqual({
      appId: applied.appId,
      platform: 'ios',
      environment: 'production',
      kind: 'wrong_place',
      reason: 'BadDeviceToken',
      devices: 1,
      since: expect.stringMatching(/\+00:00$/),
    });
    expect(await isDeactivated(applied.id)).toBe(true);
    expect(await isDeactivated(discarded.id)).toBe(false);
    expect((await api.get('/admin/guard/list')).body.responseObject.heldList).toEqual([]);
  });

  test.each([{}, { appId: 999_999, provider: 'apns' }, { appId: 1, provider: 'hms' }])(
    'refuse %j',
    async (scope) => {
      const answer = await api.post('/admin/guard/apply', scope);

      expect(answer.status).toBe(400);
    },
  );
});

describe('POST /admin/device/restore', () => {
  test('gives a deactivated token back, once', async () => {
    const device = await createDevice();
    await api.db
      .updateTable('devices')
      .set({ tokenDeactivatedAt: new Date(), tokenDeactivatedReason: 'Unregistered' })
      .where('id', '=', device.id)
      .execute();

    const first = await api.post('/admin/device/restore', {
      appId: device.appId,
      token: device.token,
    });
    const second = await api.post('/admin/device/restore', {
      appId: device.appId,
      token: device.token,
    });

    expect(first.body).toEqual({ status: 'OK', responseObject: { restored: 1 } });
    expect(second.status).toBe(400);
    expect(await isDeactivated(device.id)).toBe(false);
  });
});
