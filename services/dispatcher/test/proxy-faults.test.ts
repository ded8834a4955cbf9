import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { type AddressInfo } from 'node:net';

import { inRegistration, restoreDevice, saveDevice } from '@heliograph/db';
import { createAuthority, createServerCertificate } from '@heliograph/sandbox';
import { eventually, type MadeDevice } from '@heliograph/testing';
import { sql } from 'kysely';

import { makeCampaign, makeDevices, readLedger, startRun } from './campaign-rig.ts';
import { refuse, toToken, useProxyRig } from './proxy-rig.ts';

const proxies = useProxyRig();

describe('a proxy that is down', () => {
  test('pauses its app with no attempt burned; what waited is sent when it is back', async () => {
    const dispatcher = proxies.start();
    const customer = await makeCustomer();
    const { app, phone } = await proxies.makeProxied();
    await proxies.rig.saveProxy(app, 'apns', { url: customer.url, caPem: customer.caPem });
    const messages: string[] = [];
    await eventually(
      async () => {
        messages.push(await proxies.rig.post(app, phone.userId));
        expect(await proxies.pausesOf(app)).toMatchObject([{ scope: 'endpoint', environment: '' }]);
      },
      { timeoutMs: 40_000 },
    );
    const held = await proxies.rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await proxies.rig.deliveries(held)).toMatchObject([
        { state: 'pending', attempts: 0, pauseId: expect.any(Number) },
      ]),
    );

    await customer.listen();
    await sql`UPDATE pauses SET probe_at = now() WHERE app_ref = ${app}`.execute(proxies.rig.db);
    await eventually(async () => {
      await dispatcher.sweep.run();
      expect(await proxies.pausesOf(app)).toEqual([]);
      expect(await proxies.rig.deliveries(held)).toMatchObject([{ state: 'sent' }]);
    });
    for (const id of messages) await proxies.rig.makeDue(id);
    for (const id of messages)
      expect(await proxies.rig.finished(id)).toMatchObject([{ state: 'sent' }]);

    expect(new Set(customer.keys).size).toBe(messages.length + 1);
    expect(customer.keys).toHaveLength(messages.length + 1);
  }, 90_000);

  test('while it fails, opens the breaker of its app', async () => {
    proxies.start();
    const { app, phone } = await proxies.makeProxied();
    proxies.rig.sandbox.script('proxy', phone.pushToken, [refuse(503, 'always')]);
    await eventually(
      async () => {
        await proxies.rig.post(app, phone.userId);
        expect(await proxies.pausesOf(app)).toMatchObject([
          { scope: 'endpoint', reason: 'provider_trouble', environment: '' },
        ]);
      },
      { timeoutMs: 40_000 },
    );
  }, 60_000);
});

describe('a proxy with too much to do', () => {
  test('gets the pause that it asks for, from everything that is owed to it', async () => {
    proxies.start();
    const { app, phone } = await proxies.makeProxied();
    const other = await proxies.rig.device(app, { pushToken: toToken() });
    proxies.rig.sandbox.script('proxy', phone.pushToken, [
      { kind: 'refuse', reason: '429', retryAfterSeconds: 50 },
    ]);
    const first = await proxies.rig.post(app, phone.userId);
    await proxies.tried(first, 1);

    const second = await proxies.rig.post(app, other.userId);

    await eventually(async () =>
      expect(await proxies.rig.deliveries(second)).toMatchObject([
        { state: 'pending', reason: 'provider_busy', attempts: 0 },
      ]),
    );
    expect(proxies.receivedFor(other)).toEqual([]);
  }, 30_000);
});

describe('a proxy that never answers', () => {
  test('keeps nobody else from being sent to', async () => {
    proxies.start();
    const { app, phone } = await proxies.makeProxied();
    proxies.rig.sandbox.script('proxy', phone.pushToken, [{ kind: 'silence', times: 'always' }]);
    const slow: string[] = [];
    for (let n = 0; n < 200; n += 1) slow.push(await proxies.rig.post(app, phone.userId));
    await eventually(() => expect(proxies.receivedFor(phone).length).toBeGreaterThanOrEqual(8));
    const healthy = await proxies.rig.makeSendingApp();
    await proxies.rig.saveProxy(healthy, 'apns');
    const others = [
      await proxies.rig.device(healthy, { pushToken: toToken() }),
      await proxies.rig.device(healthy, { provider: 'fcm' }),
    ];

    const fast: string[] = [];
    for (const { userId } of others)
      for (let n = 0; n < 50; n += 1) fast.push(await proxies.rig.post(healthy, userId));
    for (const id of fast)
      expect(await proxies.rig.finished(id)).toMatchObject([{ state: 'sent' }]);

    for (const id of slow)
      expect(await proxies.rig.deliveries(id)).toMatchObject([{ state: 'pending' }]);
  }, 120_000);
});

describe('a campaign to a proxy', () => {
  test('that refuses everybody stops after some, and leaves the registry as it is', async () => {
    const dispatcher = proxies.start();
    const app = await proxies.rig.makeSendingApp();
    await proxies.rig.saveProxy(app, 'apns');
    const users = await makeDevices(proxies.rig.db, app, 1_000, { provider: 'apns' });
    proxies.rig.sandbox.script('proxy', '', [refuse(403, 'always')]);

    const runId = await startRun(proxies.rig.db, await makeCampaign(proxies.rig.db, app, users));
    await eventually(async () => {
      expect(await proxies.pausesOf(app)).toMatchObject([{ scope: 'app', reason: 'http_403' }]);
      const chunks = proxies.rig.db.selectFrom('campaignChunks').select(['pauseId', 'leased']);
      expect(await chunks.where('runId', '=', runId).execute()).toEqual([
        { pauseId: expect.any(Number), leased: false },
      ]);
    });

    const failed = (await readLedger(proxies.rig.db, runId)).filter(
      ({ state }) => state === 'failed',
    );
    expect(failed.length).toBeGreaterThanOrEqual(100);
    expect(failed.length).toBeLessThan(1_000);
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['http_403']));
    await proxies.ripen(app);
    await dispatcher.sweep.run();
    expect(await proxies.deactivatedOf(app)).toEqual([]);
  }, 60_000);
});

describe('a device that its proxy refuses', () => {
  test('three times in a row is blocked, over messages and dispatchers, until it registers again', async () => {
    proxies.start();
    const dispatcher = proxies.start();
    const { app, phone } = await proxies.makeProxied();
    const healthy = await proxies.rig.device(app, { userId: phone.userId, pushToken: toToken() });
    proxies.rig.sandbox.script('proxy', phone.pushToken, [refuse(403, 3)]);
    for (let n = 0; n < 3; n += 1)
      expect(await proxies.rig.finished(await proxies.rig.post(app, phone.userId))).toMatchObject([
        { state: 'failed', reason: 'http_403' },
        { state: 'sent' },
      ]);
    await eventually(async () =>
      expect(await proxies.faultsOf(app)).toEqual([{ reason: 'blocked', kind: 'wrong_place' }]),
    );

    await proxies.ripen(app);
    await dispatcher.sweep.run();
    const blocked = await proxies.deactivatedOf(app);
    const skipped = await proxies.rig.finished(await proxies.rig.post(app, phone.userId));
    await register(app, phone);
    const again = await proxies.rig.finished(await proxies.rig.post(app, phone.userId));

    expect(blocked).toEqual([{ id: phone.id, reason: 'blocked' }]);
    expect(skipped).toMatchObject([
      { state: 'skipped', reason: 'token_deactivated' },
      { state: 'sent' },
    ]);
    expect(again).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    expect(proxies.receivedFor(healthy)).toHaveLength(5);
  });

  test('twice, then is sent to, then twice again, is not', async () => {
    const dispatcher = proxies.start();
    const { app, phone } = await proxies.makeProxied();
    const post = async () => proxies.rig.finished(await proxies.rig.post(app, phone.userId));
    for (const times of [2, 2]) {
      proxies.rig.sandbox.script('proxy', phone.pushToken, [refuse(403, times)]);
      for (let n = 0; n < times; n += 1) await post();
      expect(await post()).toMatchObject([{ state: 'sent' }]);
    }

    await dispatcher.close();

    expect(await proxies.faultsOf(app)).toEqual([]);
    const rows = proxies.rig.db.selectFrom('deviceRefusals').selectAll();
    expect(await rows.where('deviceId', '=', phone.id).execute()).toEqual([]);
  });

  test('may be given back by an operator', async () => {
    const dispatcher = proxies.start();
    const { app, phone } = await proxies.makeProxied();
    proxies.rig.sandbox.script('proxy', phone.pushToken, [refuse(403, 3)]);
    for (let n = 0; n < 3; n += 1)
      await proxies.rig.finished(await proxies.rig.post(app, phone.userId));
    await eventually(async () => expect(await proxies.faultsOf(app)).toHaveLength(1));
    await proxies.ripen(app);
    await dispatcher.sweep.run();

    const { pushTokenHash } = await proxies.rig.db
      .selectFrom('devices')
      .select('pushTokenHash')
      .where('id', '=', phone.id)
      .executeTakeFirstOrThrow();
    await restoreDevice(proxies.rig.db, app, pushTokenHash);

    expect(await proxies.rig.finished(await proxies.rig.post(app, phone.userId))).toMatchObject([
      { state: 'sent' },
    ]);
  });
});

function register(appRef: number, { userId, activationId, pushToken }: MadeDevice) {
  const same = { appRef, userId, activationId, pushToken, environment: null } as const;
  return inRegistration(proxies.rig.db, { pushToken }, (tx) =>
    saveDevice(tx, { ...same, provider: 'apns', activationActive: true }, { kind: 'refuse' }),
  );
}

/** A customer's server of somebody else's making, at an address where nobody listens yet. */
async function makeCustomer() {
  const authority = createAuthority(new Date());
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  const keys: string[] = [];
  const serve = (port: number) => {
    const server = createServer(
      { cert: certPem, key: keyPem, ca: proxies.rig.sandbox.caPem, requestCert: true },
      (req, res) => {
        keys.push(String(req.headers['idempotency-key']));
        req.resume().on('end', () => res.end());
      },
    );
    server.listen(port, '127.0.0.1');
    return server;
  };
  const placeholder = serve(0);
  await once(placeholder, 'listening');
  const { port } = placeholder.address() as AddressInfo;
  await close(placeholder);

  let server: Server | undefined;
  proxies.closeAfter({ close: async () => server && close(server) });
  return {
    url: `https://127.0.0.1:${port}/push`,
    caPem: authority.caPem,
    /** The idempotency keys that it saw. */
    keys,
    async listen() {
      server = serve(port);
      await once(server, 'listening');
    },
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
