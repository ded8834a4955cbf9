import { randomBytes, randomUUID } from 'node:crypto';

import { claimDue, insertMessages, notePresence, recordUpdates, saveSender } from '@heliograph/db';
import {
  findAppId,
  makeApp,
  makeCallback,
  makeCampaign,
  makeDevice,
  makeRun,
  toMessage,
  toSentUpdate,
} from '@heliograph/testing';

import { makeKey } from '../../../test/access/world.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import { createOverviewReader } from '../../overview/get-overview.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi({ auth: 'on' });
});
afterAll(() => api.close());

interface Overview {
  readonly [part: string]: readonly Readonly<Record<string, unknown>>[];
}

async function look(appRef: number | null): Promise<Overview> {
  const { text } = await makeKey(api.db, { appRef, scopes: ['read'] });
  const answer = await api.call('GET', '/push/overview', undefined, {
    authorization: `Bearer ${text}`,
  });
  expect(answer.status).toBe(200);
  const { responseObject } = JSON.parse(answer.text) as { responseObject: Overview };
  return responseObject;
}

/** An app of which there is something of each kind. */
async function makeTrouble() {
  const appRef = await makeApp(api.db);
  const device = await makeDevice(api.db, appRef);
  const failed = toMessage(appRef, device.userId);
  const [delivery] = await insertMessages(api.db, [failed]);
  const [claimed] = await claimDue(api.db, [delivery?.id ?? ''], 60_000);
  const sent = toSentUpdate(claimed?.id ?? '', claimed?.leaseEpoch ?? 0);
  await recordUpdates(api.db, [{ ...sent, state: 'failed', reason: 'PayloadTooLarge' }]);
  const [waiting] = await insertMessages(api.db, [toMessage(appRef, device.userId)]);
  await api.db
    .updateTable('deliveries')
    .set({ nextAttemptAt: new Date(Date.now() - 60_000) })
    .where('id', '=', waiting?.id ?? '')
    .execute();
  const runId = await makeRun(api.db, await makeCampaign(api.db, appRef, [device.userId]));
  await api.db
    .insertInto('pauses')
    .values({
      appRef,
      provider: 'apns',
      environment: 'production',
      credentialVersion: 1,
      scope: 'credential',
      reason: 'InvalidProviderToken',
      probeAt: new Date(),
      liftedAt: null,
      probeDeliveryId: null,
    })
    .execute();
  await api.db
    .insertInto('tokenFaults')
    .values({
      appRef,
      provider: 'apns',
      environment: 'production',
      credentialVersion: 1,
      deviceId: device.id,
      pushTokenHash: Buffer.alloc(32),
      reason: 'BadDeviceToken',
      kind: 'wrong_place',
      invalidSince: new Date(),
      state: 'held',
      settledAt: null,
    })
    .execute();
  for (const [brandId, days] of [
    ['soon', 29.5],
    ['late', 31],
  ] as const)
    await saveSender(api.db, {
      appRef,
      brandId: `${brandId}-${randomUUID()}`,
      certificate: {
        fingerprint: randomBytes(32),
        commonName: brandId,
        validTo: new Date(Date.now() + days * 86_400_000),
      },
    });
  await makeCallback(api.db, appRef);
  const failing = await makeCallback(api.db, appRef);
  await api.db
    .updateTable('callbackEndpoints')
    .set({ failures: 3, failingSince: new Date(), lastResult: 'status 500' })
    .where('id', '=', failing)
    .execute();
  return { appRef, appId: await findAppId(api.db, appRef), runId, failing };
}

describe('GET /push/overview', () => {
  test('shows of an app what is sent, waits, fails, is stopped and ends soon', async () => {
    const { appRef, appId, runId, failing } = await makeTrouble();

    const overview = await look(appRef);

    expect(overview).toMatchObject({
      runs: [{ runId, state: 'materialising', counts: { total: { targeted: 0 } } }],
      failures: [{ appId, lane: 'message', state: 'failed', reason: 'PayloadTooLarge', count: 1 }],
      pauses: [{ appId, reason: 'InvalidProviderToken', platform: 'ios' }],
      heldFaults: [{ appId, platform: 'ios', reason: 'BadDeviceToken', devices: 1 }],
      certificates: [{ appId, commonName: 'soon', daysLeft: 29 }],
      callbacks: [{ appId, id: failing, failures: 3, lastResult: 'status 500' }],
      dispatchers: null,
    });
    const [messages, campaigns] = overview['lanes'] ?? [];
    expect(messages).toMatchObject({ lane: 'message', waiting: 1, more: false });
    expect(Number(messages?.['oldestSeconds'])).toBeGreaterThanOrEqual(60);
    expect(campaigns).toEqual({ lane: 'campaign', oldestSeconds: 0, waiting: 0, more: false });
  });

  test('shows nothing of others to whoever is bound to an app, and all to a key for all', async () => {
    await makeTrouble();
    const own = await makeApp(api.db);
    const id = randomUUID();
    await notePresence(api.db, { id, host: 'pod-1', version: '1.2.3' });

    const [bound, all] = [await look(own), await look(null)];

    for (const part of ['runs', 'failures', 'pauses', 'heldFaults', 'certificates', 'callbacks']) {
      expect([part, bound[part]]).toEqual([part, []]);
      expect(all[part]?.length).toBeGreaterThan(0);
    }
    expect(bound['lanes']).toMatchObject([{ waiting: 0 }, { waiting: 0 }]);
    expect(all['dispatchers']).toEqual([
      expect.objectContaining({ id, host: 'pod-1', version: '1.2.3', alive: true }),
    ]);
  });

  test('is read once for all who look within two seconds, and anew for who looks later', async () => {
    const appRef = await makeApp(api.db);
    let nowMs = 1000;
    const reader = createOverviewReader({
      db: api.db,
      now: () => new Date(nowMs),
      clockMs: () => nowMs,
    });

    const first = reader.read(appRef);
    nowMs = 2999;
    const soon = reader.read(appRef);
    const other = reader.read(undefined);
    nowMs = 3000;
    const later = reader.read(appRef);

    expect((await soon).at).toBe((await first).at);
    expect((await other).at).toEqual(new Date(2999));
    expect((await later).at).toEqual(new Date(3000));
  });
});
