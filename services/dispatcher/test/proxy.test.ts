import { removeProxy } from '@heliograph/db';
import type { ReceivedPush } from '@heliograph/sandbox';
import { eventually } from '@heliograph/testing';

import { expectBalanced, makeCampaign, makeDevices, runIn, startRun } from './campaign-rig.ts';
import { refuse, toToken, useProxyRig } from './proxy-rig.ts';

const proxies = useProxyRig();

describe('a message to an app with a proxy for one platform', () => {
  test('goes to the proxy and to the other provider, each as it wants it', async () => {
    proxies.start();
    const { app, phone } = await proxies.makeProxied();
    const developers = await proxies.rig.device(app, {
      userId: phone.userId,
      pushToken: toToken(),
      environment: 'development',
    });
    const tablet = await proxies.rig.device(app, { userId: phone.userId, provider: 'fcm' });
    const body = { body: 'Hello', extras: { conversationId: 'c1', sequence: 7 } };

    const messageId = await proxies.rig.post(app, phone.userId, { body: JSON.stringify(body) });

    const deliveries = await proxies.rig.finished(messageId);
    expect(deliveries).toMatchObject([
      { state: 'sent', history: [{ status: 200, environment: '' }] },
      { state: 'sent', history: [{ status: 200, environment: '' }] },
      { state: 'sent', provider: 'fcm' },
    ]);
    expect(proxies.receivedFor(phone)).toMatchObject([
      {
        provider: 'proxy',
        headers: { 'idempotency-key': deliveries[0]?.id },
        clientFingerprint: expect.any(String),
        body: {
          'push-service': 1,
          notificationType: 'apn',
          'device-token': phone.pushToken,
          aps: { alert: 'Hello' },
          conversationId: 'c1',
          sequence: 7,
          brandId: '2022139',
          backendService: 'ams',
        },
      },
    ]);
    expect(proxies.receivedFor(developers)).toMatchObject([{ provider: 'proxy' }]);
    expect(proxies.receivedFor(tablet)).toMatchObject([{ provider: 'fcm' }]);
  });

  test('goes to Android by a proxy in the words of 2017 where that is what the proxy takes', async () => {
    proxies.start();
    const app = await proxies.rig.makeSendingApp();
    const url = proxies.rig.sandbox.proxyUrl.replace('/push', '/2017/push');
    await proxies.rig.saveProxy(app, 'fcm', { url, schema: '2017' });
    const tablet = await proxies.rig.device(app, { provider: 'fcm', pushToken: toToken() });
    const body = { title: 'A title', body: 'Hello', badge: 3 };

    const messageId = await proxies.rig.post(app, tablet.userId, { body: JSON.stringify(body) });

    expect(await proxies.rig.finished(messageId)).toMatchObject([{ state: 'sent' }]);
    expect(proxies.receivedFor(tablet)).toMatchObject([
      {
        body: {
          'push-service': 2,
          data: { message: 'A title\nHello', payload: { brandId: '2022139' } },
        },
      },
    ]);
  });

  test('is sent once though the proxy failed three times: the repeats are known by their key', async () => {
    proxies.start();
    const { app, phone } = await proxies.makeProxied();
    proxies.rig.sandbox.script('proxy', phone.pushToken, [refuse(503), refuse(500), refuse(502)]);
    const messageId = await proxies.rig.post(app, phone.userId);
    for (const attempts of [1, 2, 3]) {
      await proxies.tried(messageId, attempts);
      await proxies.rig.makeDue(messageId);
    }

    const [delivery] = await proxies.rig.finished(messageId);
    const received = proxies.receivedFor(phone);
    const distinct = (header: string) => new Set(received.map(({ headers }) => headers[header]));

    expect(delivery).toMatchObject({
      state: 'sent',
      attempts: 4,
      history: [{ status: 503 }, { status: 500 }, { status: 502 }, { status: 200 }],
    });
    expect(received.filter(({ accepted }) => accepted)).toHaveLength(1);
    expect(distinct('idempotency-key')).toEqual(new Set([delivery?.id]));
    expect(distinct('x-request-id').size).toBe(4);
  });

  test('has failed when the proxy failed four times, as documented, and is tried on where the app wants that', async () => {
    proxies.start();
    const { app, phone } = await proxies.makeProxied();
    await proxies.rig.saveProxy(app, 'fcm', { retry: 'until_expiry' });
    const tablet = await proxies.rig.device(app, { provider: 'fcm', pushToken: toToken() });
    for (const { pushToken } of [phone, tablet])
      proxies.rig.sandbox.script('proxy', pushToken, [refuse(503, 'always')]);
    const documented = await proxies.rig.post(app, phone.userId);
    const patient = await proxies.rig.post(app, tablet.userId);
    for (const attempts of [1, 2, 3]) {
      for (const messageId of [documented, patient]) await proxies.tried(messageId, attempts);
      for (const messageId of [documented, patient]) await proxies.rig.makeDue(messageId);
    }

    expect(await proxies.rig.finished(documented)).toMatchObject([
      { state: 'failed', reason: 'http_503', attempts: 4 },
    ]);
    expect(await proxies.tried(patient, 4)).toMatchObject([
      { state: 'pending', reason: 'http_503' },
    ]);
  });
});

describe('a change of the way while messages wait', () => {
  test('lets them go by the new one: from a bad key to a proxy, and from its bad password back', async () => {
    const dispatcher = proxies.start();
    const app = await proxies.rig.makeSendingApp();
    await proxies.rig.saveKey(app, 'apns', { key: Buffer.alloc(128) });
    const phone = await proxies.rig.device(app, {
      pushToken: `${toToken().replaceAll('-', '')}b0`,
    });
    const first = await proxies.rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await proxies.rig.deliveries(first)).toMatchObject([
        { state: 'pending', reason: 'unusable_key', attempts: 0 },
      ]),
    );

    await proxies.rig.saveProxy(app, 'apns');
    await dispatcher.sweep.run();
    expect(await proxies.rig.finished(first)).toMatchObject([{ state: 'sent', attempts: 1 }]);
    expect(proxies.receivedFor(phone)).toMatchObject([{ provider: 'proxy' }]);

    proxies.rig.sandbox.script('proxy', phone.pushToken, [refuse(401, 'always')]);
    const second = await proxies.rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await proxies.rig.deliveries(second)).toMatchObject([
        { state: 'pending', reason: 'http_401', attempts: 0, pauseId: expect.any(Number) },
      ]),
    );
    // Stands by from now on, and is in use again when the proxy goes.
    await proxies.rig.saveKey(app, 'apns');
    await removeProxy(proxies.rig.db, app, 'apns');
    await dispatcher.sweep.run();

    expect(await proxies.rig.finished(second)).toMatchObject([{ state: 'sent', attempts: 1 }]);
    expect(proxies.receivedFor(phone).map(({ provider }) => provider)).toEqual([
      'proxy',
      'proxy',
      'apns',
    ]);
    expect(await proxies.pausesOf(app)).toEqual([]);
  });
});

describe('a campaign', () => {
  test('reaches devices behind a proxy, and is sent to each of them once', async () => {
    proxies.start();
    const app = await proxies.rig.makeSendingApp();
    await proxies.rig.saveProxy(app, 'apns');
    const users = await makeDevices(proxies.rig.db, app, 400);

    const runId = await startRun(proxies.rig.db, await makeCampaign(proxies.rig.db, app, users));

    await runIn(proxies.rig.db, runId, 'completed');
    expect(await expectBalanced(proxies.rig.db, runId)).toMatchObject({ sent: 400 });
    const tokens = await tokensOf(app, 'apns');
    const arrived = proxies.rig.sandbox
      .received({ provider: 'proxy' })
      .filter(({ token }) => tokens.has(token));
    expect(arrived).toHaveLength(200);
    expect(new Set(arrived.map(toKey)).size).toBe(200);
  });
});

async function tokensOf(appRef: number, provider: 'apns' | 'fcm'): Promise<ReadonlySet<string>> {
  const rows = await proxies.rig.db
    .selectFrom('devices')
    .select('pushToken')
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .execute();
  return new Set(rows.map(({ pushToken }) => pushToken));
}

function toKey({ headers }: ReceivedPush): string | undefined {
  return headers['idempotency-key'];
}
