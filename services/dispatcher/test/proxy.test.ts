import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { type AddressInfo } from 'node:net';

import { inRegistration, removeProxy, restoreDevice, saveDevice } from '@heliograph/db';
import { createAuthority, createServerCertificate, type ReceivedPush } from '@heliograph/sandbox';
import { eventually, type MadeDevice } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  expectBalanced,
  makeCampaign,
  makeDevices,
  readLedger,
  runIn,
  startRun,
} from './campaign-rig.ts';
import type { Dispatcher } from '../src/dispatcher.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
/** What a test opened, closed whatever comes of it. */
let open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterEach(async () => {
  rig.sandbox.clearScripts();
  await Promise.all(open.map((one) => one.close()));
  open = [];
}, 60_000);
afterAll(() => rig.close());

function start(): Dispatcher {
  const dispatcher = rig.start();
  open.push(dispatcher);
  return dispatcher;
}

const toToken = () => randomUUID();
const refuse = (status: number, times: number | 'always' = 1) =>
  ({ kind: 'refuse', reason: String(status), times }) as const;

/** An app whose iPhones are behind a proxy, with a device there. */
async function makeProxied() {
  const app = await rig.makeSendingApp();
  await rig.saveProxy(app, 'apns');
  const phone = await rig.device(app, { pushToken: toToken() });
  return { app, phone };
}

const receivedFor = ({ pushToken }: MadeDevice) => rig.sandbox.received({ token: pushToken });

/** Waits until the only delivery of the message has been tried so often. */
function tried(messageId: string, attempts: number) {
  return eventually(async () => {
    const rows = await rig.deliveries(messageId);
    expect(rows).toMatchObject([{ attempts, leaseUntil: null }]);
    return rows;
  });
}

async function pausesOf(appRef: number) {
  return rig.db
    .selectFrom('pauses')
    .select(['id', 'scope', 'reason', 'environment'])
    .where('appRef', '=', appRef)
    .where('liftedAt', 'is', null)
    .execute();
}

async function deactivatedOf(appRef: number) {
  return rig.db
    .selectFrom('devices')
    .select(['id', 'tokenDeactivatedReason as reason'])
    .where('appRef', '=', appRef)
    .where('tokenDeactivatedAt', 'is not', null)
    .execute();
}

/** What was noted against push tokens is a minute old. */
async function ripen(appRef: number): Promise<void> {
  await rig.db
    .updateTable('tokenFaults')
    .set({ notedAt: new Date(Date.now() - 61_000) })
    .where('appRef', '=', appRef)
    .execute();
}

describe('a message to an app with a proxy for one platform', () => {
  test('goes to the proxy and to the other provider, each as it wants it', async () => {
    start();
    const { app, phone } = await makeProxied();
    const developers = await rig.device(app, {
      userId: phone.userId,
      pushToken: toToken(),
      environment: 'development',
    });
    const tablet = await rig.device(app, { userId: phone.userId, provider: 'fcm' });
    const body = { body: 'Hello', extras: { conversationId: 'c1', sequence: 7 } };

    const messageId = await rig.post(app, phone.userId, { body: JSON.stringify(body) });

    const deliveries = await rig.finished(messageId);
    expect(deliveries).toMatchObject([
      { state: 'sent', history: [{ status: 200, environment: '' }] },
      { state: 'sent', history: [{ status: 200, environment: '' }] },
      { state: 'sent', provider: 'fcm' },
    ]);
    expect(receivedFor(phone)).toMatchObject([
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
    expect(receivedFor(developers)).toMatchObject([{ provider: 'proxy' }]);
    expect(receivedFor(tablet)).toMatchObject([{ provider: 'fcm' }]);
  });

  test('goes to Android by a proxy in the words of 2017 where that is what the proxy takes', async () => {
    start();
    const app = await rig.makeSendingApp();
    const url = rig.sandbox.proxyUrl.replace('/push', '/2017/push');
    await rig.saveProxy(app, 'fcm', { url, schema: '2017' });
    const tablet = await rig.device(app, { provider: 'fcm', pushToken: toToken() });
    const body = { title: 'A title', body: 'Hello', badge: 3 };

    const messageId = await rig.post(app, tablet.userId, { body: JSON.stringify(body) });

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent' }]);
    expect(receivedFor(tablet)).toMatchObject([
      {
        body: {
          'push-service': 2,
          data: { message: 'A title\nHello', payload: { brandId: '2022139' } },
        },
      },
    ]);
  });

  test('is sent once though the proxy failed three times: the repeats are known by their key', async () => {
    start();
    const { app, phone } = await makeProxied();
    rig.sandbox.script('proxy', phone.pushToken, [refuse(503), refuse(500), refuse(502)]);
    const messageId = await rig.post(app, phone.userId);
    for (const attempts of [1, 2, 3]) {
      await tried(messageId, attempts);
      await rig.makeDue(messageId);
    }

    const [delivery] = await rig.finished(messageId);
    const received = receivedFor(phone);
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
    start();
    const { app, phone } = await makeProxied();
    await rig.saveProxy(app, 'fcm', { retry: 'until_expiry' });
    const tablet = await rig.device(app, { provider: 'fcm', pushToken: toToken() });
    for (const { pushToken } of [phone, tablet])
      rig.sandbox.script('proxy', pushToken, [refuse(503, 'always')]);
    const documented = await rig.post(app, phone.userId);
    const patient = await rig.post(app, tablet.userId);
    for (const attempts of [1, 2, 3]) {
      for (const messageId of [documented, patient]) await tried(messageId, attempts);
      for (const messageId of [documented, patient]) await rig.makeDue(messageId);
    }

    expect(await rig.finished(documented)).toMatchObject([
      { state: 'failed', reason: 'http_503', attempts: 4 },
    ]);
    expect(await tried(patient, 4)).toMatchObject([{ state: 'pending', reason: 'http_503' }]);
  });
});

describe('a change of the way while messages wait', () => {
  test('lets them go by the new one: from a bad key to a proxy, and from its bad password back', async () => {
    const dispatcher = start();
    const app = await rig.makeSendingApp();
    await rig.saveKey(app, 'apns', { key: Buffer.alloc(128) });
    const phone = await rig.device(app, { pushToken: `${toToken().replaceAll('-', '')}b0` });
    const first = await rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await rig.deliveries(first)).toMatchObject([
        { state: 'pending', reason: 'unusable_key', attempts: 0 },
      ]),
    );

    await rig.saveProxy(app, 'apns');
    await dispatcher.sweep.run();
    expect(await rig.finished(first)).toMatchObject([{ state: 'sent', attempts: 1 }]);
    expect(receivedFor(phone)).toMatchObject([{ provider: 'proxy' }]);

    rig.sandbox.script('proxy', phone.pushToken, [refuse(401, 'always')]);
    const second = await rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await rig.deliveries(second)).toMatchObject([
        { state: 'pending', reason: 'http_401', attempts: 0, pauseId: expect.any(Number) },
      ]),
    );
    // Stands by from now on, and is in use again when the proxy goes.
    await rig.saveKey(app, 'apns');
    await removeProxy(rig.db, app, 'apns');
    await dispatcher.sweep.run();

    expect(await rig.finished(second)).toMatchObject([{ state: 'sent', attempts: 1 }]);
    expect(receivedFor(phone).map(({ provider }) => provider)).toEqual(['proxy', 'proxy', 'apns']);
    expect(await pausesOf(app)).toEqual([]);
  });
});

describe('a proxy that is down', () => {
  test('pauses its app with no attempt burned; what waited is sent when it is back', async () => {
    const dispatcher = start();
    const customer = await makeCustomer();
    const { app, phone } = await makeProxied();
    await rig.saveProxy(app, 'apns', { url: customer.url, caPem: customer.caPem });
    const messages: string[] = [];
    await eventually(
      async () => {
        messages.push(await rig.post(app, phone.userId));
        expect(await pausesOf(app)).toMatchObject([{ scope: 'endpoint', environment: '' }]);
      },
      { timeoutMs: 40_000 },
    );
    const held = await rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await rig.deliveries(held)).toMatchObject([
        { state: 'pending', attempts: 0, pauseId: expect.any(Number) },
      ]),
    );

    await customer.listen();
    await sql`UPDATE pauses SET probe_at = now() WHERE app_ref = ${app}`.execute(rig.db);
    await eventually(async () => {
      await dispatcher.sweep.run();
      expect(await pausesOf(app)).toEqual([]);
      expect(await rig.deliveries(held)).toMatchObject([{ state: 'sent' }]);
    });
    for (const id of messages) await rig.makeDue(id);
    for (const id of messages) expect(await rig.finished(id)).toMatchObject([{ state: 'sent' }]);

    expect(new Set(customer.keys).size).toBe(messages.length + 1);
    expect(customer.keys).toHaveLength(messages.length + 1);
  }, 90_000);

  test('while it fails, opens the breaker of its app', async () => {
    start();
    const { app, phone } = await makeProxied();
    rig.sandbox.script('proxy', phone.pushToken, [refuse(503, 'always')]);
    await eventually(
      async () => {
        await rig.post(app, phone.userId);
        expect(await pausesOf(app)).toMatchObject([
          { scope: 'endpoint', reason: 'provider_trouble', environment: '' },
        ]);
      },
      { timeoutMs: 40_000 },
    );
  }, 60_000);
});

describe('a proxy with too much to do', () => {
  test('gets the pause that it asks for, from everything that is owed to it', async () => {
    start();
    const { app, phone } = await makeProxied();
    const other = await rig.device(app, { pushToken: toToken() });
    rig.sandbox.script('proxy', phone.pushToken, [
      { kind: 'refuse', reason: '429', retryAfterSeconds: 50 },
    ]);
    const first = await rig.post(app, phone.userId);
    await tried(first, 1);

    const second = await rig.post(app, other.userId);

    await eventually(async () =>
      expect(await rig.deliveries(second)).toMatchObject([
        { state: 'pending', reason: 'provider_busy', attempts: 0 },
      ]),
    );
    expect(receivedFor(other)).toEqual([]);
  }, 30_000);
});

describe('a proxy that never answers', () => {
  test('keeps nobody else from being sent to', async () => {
    start();
    const { app, phone } = await makeProxied();
    rig.sandbox.script('proxy', phone.pushToken, [{ kind: 'silence', times: 'always' }]);
    const slow: string[] = [];
    for (let n = 0; n < 200; n += 1) slow.push(await rig.post(app, phone.userId));
    await eventually(() => expect(receivedFor(phone).length).toBeGreaterThanOrEqual(8));
    const healthy = await rig.makeSendingApp();
    await rig.saveProxy(healthy, 'apns');
    const others = [
      await rig.device(healthy, { pushToken: toToken() }),
      await rig.device(healthy, { provider: 'fcm' }),
    ];

    const fast: string[] = [];
    for (const { userId } of others)
      for (let n = 0; n < 50; n += 1) fast.push(await rig.post(healthy, userId));
    for (const id of fast) expect(await rig.finished(id)).toMatchObject([{ state: 'sent' }]);

    for (const id of slow) expect(await rig.deliveries(id)).toMatchObject([{ state: 'pending' }]);
  }, 120_000);
});

describe('a campaign', () => {
  test('reaches devices behind a proxy, and is sent to each of them once', async () => {
    start();
    const app = await rig.makeSendingApp();
    await rig.saveProxy(app, 'apns');
    const users = await makeDevices(rig.db, app, 400);

    const runId = await startRun(rig.db, await makeCampaign(rig.db, app, users));

    await runIn(rig.db, runId, 'completed');
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 400 });
    const tokens = await tokensOf(app, 'apns');
    const arrived = rig.sandbox
      .received({ provider: 'proxy' })
      .filter(({ token }) => tokens.has(token));
    expect(arrived).toHaveLength(200);
    expect(new Set(arrived.map(toKey)).size).toBe(200);
  });

  test('to a proxy that refuses everybody stops after some, and leaves the registry as it is', async () => {
    const dispatcher = start();
    const app = await rig.makeSendingApp();
    await rig.saveProxy(app, 'apns');
    const users = await makeDevices(rig.db, app, 1_000, { provider: 'apns' });
    rig.sandbox.script('proxy', '', [refuse(403, 'always')]);

    const runId = await startRun(rig.db, await makeCampaign(rig.db, app, users));
    await eventually(async () => {
      expect(await pausesOf(app)).toMatchObject([{ scope: 'app', reason: 'http_403' }]);
      const chunks = rig.db.selectFrom('campaignChunks').select(['pauseId', 'leased']);
      expect(await chunks.where('runId', '=', runId).execute()).toEqual([
        { pauseId: expect.any(Number), leased: false },
      ]);
    });

    const failed = (await readLedger(rig.db, runId)).filter(({ state }) => state === 'failed');
    expect(failed.length).toBeGreaterThanOrEqual(100);
    expect(failed.length).toBeLessThan(1_000);
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['http_403']));
    await ripen(app);
    await dispatcher.sweep.run();
    expect(await deactivatedOf(app)).toEqual([]);
  }, 60_000);
});

describe('a device that its proxy refuses', () => {
  test('three times in a row is blocked, over messages and dispatchers, until it registers again', async () => {
    start();
    const dispatcher = start();
    const { app, phone } = await makeProxied();
    const healthy = await rig.device(app, { userId: phone.userId, pushToken: toToken() });
    rig.sandbox.script('proxy', phone.pushToken, [refuse(403, 3)]);
    for (let n = 0; n < 3; n += 1)
      expect(await rig.finished(await rig.post(app, phone.userId))).toMatchObject([
        { state: 'failed', reason: 'http_403' },
        { state: 'sent' },
      ]);
    await eventually(async () =>
      expect(await faultsOf(app)).toEqual([{ reason: 'blocked', kind: 'wrong_place' }]),
    );

    await ripen(app);
    await dispatcher.sweep.run();
    const blocked = await deactivatedOf(app);
    const skipped = await rig.finished(await rig.post(app, phone.userId));
    await register(app, phone);
    const again = await rig.finished(await rig.post(app, phone.userId));

    expect(blocked).toEqual([{ id: phone.id, reason: 'blocked' }]);
    expect(skipped).toMatchObject([
      { state: 'skipped', reason: 'token_deactivated' },
      { state: 'sent' },
    ]);
    expect(again).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    expect(receivedFor(healthy)).toHaveLength(5);
  });

  test('twice, then is sent to, then twice again, is not', async () => {
    const dispatcher = start();
    const { app, phone } = await makeProxied();
    const post = async () => rig.finished(await rig.post(app, phone.userId));
    for (const times of [2, 2]) {
      rig.sandbox.script('proxy', phone.pushToken, [refuse(403, times)]);
      for (let n = 0; n < times; n += 1) await post();
      expect(await post()).toMatchObject([{ state: 'sent' }]);
    }

    await dispatcher.close();

    expect(await faultsOf(app)).toEqual([]);
    const rows = rig.db.selectFrom('deviceRefusals').selectAll();
    expect(await rows.where('deviceId', '=', phone.id).execute()).toEqual([]);
  });

  test('may be given back by an operator', async () => {
    const dispatcher = start();
    const { app, phone } = await makeProxied();
    rig.sandbox.script('proxy', phone.pushToken, [refuse(403, 3)]);
    for (let n = 0; n < 3; n += 1) await rig.finished(await rig.post(app, phone.userId));
    await eventually(async () => expect(await faultsOf(app)).toHaveLength(1));
    await ripen(app);
    await dispatcher.sweep.run();

    const { pushTokenHash } = await rig.db
      .selectFrom('devices')
      .select('pushTokenHash')
      .where('id', '=', phone.id)
      .executeTakeFirstOrThrow();
    await restoreDevice(rig.db, app, pushTokenHash);

    expect(await rig.finished(await rig.post(app, phone.userId))).toMatchObject([
      { state: 'sent' },
    ]);
  });
});

function faultsOf(appRef: number) {
  return rig.db
    .selectFrom('tokenFaults')
    .select(['reason', 'kind'])
    .where('appRef', '=', appRef)
    .execute();
}

function register(appRef: number, { userId, activationId, pushToken }: MadeDevice) {
  const same = { appRef, userId, activationId, pushToken, environment: null } as const;
  return inRegistration(rig.db, { pushToken }, (tx) =>
    saveDevice(tx, { ...same, provider: 'apns', activationActive: true }, { kind: 'refuse' }),
  );
}

async function tokensOf(appRef: number, provider: 'apns' | 'fcm'): Promise<ReadonlySet<string>> {
  const rows = await rig.db
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

/** A customer's server of somebody else's making, at an address where nobody listens yet. */
async function makeCustomer() {
  const authority = createAuthority(new Date());
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  const keys: string[] = [];
  const serve = (port: number) => {
    const server = createServer(
      { cert: certPem, key: keyPem, ca: rig.sandbox.caPem, requestCert: true },
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
  open.push({ close: async () => server && close(server) });
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
