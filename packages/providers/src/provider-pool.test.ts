import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { toEndpoints } from '@heliograph/testing';
import { createProviderPool, type ProviderPool, type ProviderPoolDeps } from './provider-pool.ts';
import {
  createApnsToken,
  createPush,
  openWire,
  toApnsCredential,
  toFcmCredential,
  type Wire,
} from './test-fixtures.ts';

let sandbox: Sandbox;
let apnsWire: Wire;
let fcmWire: Wire;
let pool: ProviderPool;

function openPool(deps: Partial<ProviderPoolDeps> = {}): ProviderPool {
  const endpoints = toEndpoints(sandbox);
  return createProviderPool({
    endpoints: {
      ...endpoints,
      apns: { ...endpoints.apns, production: apnsWire.url },
      fcm: { ...endpoints.fcm, url: fcmWire.url },
    },
    idleMs: 60_000,
    ...deps,
  });
}

const send = async (credential: Parameters<ProviderPool['get']>[0], token = createApnsToken()) =>
  (await pool.get(credential).send(createPush(token))).outcome;

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(async () => {
  await sandbox.close();
});
beforeEach(async () => {
  sandbox.clear();
  sandbox.clearScripts();
  apnsWire = await openWire(sandbox.apnsUrl);
  fcmWire = await openWire(sandbox.fcmUrl);
  pool = openPool();
});
afterEach(async () => {
  await pool.close();
  await apnsWire.close();
  await fcmWire.close();
});

describe('the provider of a credential', () => {
  test('is the same until the credential changes', () => {
    const credential = toApnsCredential(sandbox);

    expect(pool.get({ ...credential })).toBe(pool.get(credential));
    expect(pool.get({ ...credential, version: 2 })).not.toBe(
      pool.get({ ...toApnsCredential(sandbox) }),
    );
  });

  test('stays the newest for a reader that is behind', () => {
    const credential = toApnsCredential(sandbox);
    const newest = pool.get({ ...credential, version: 2 });

    expect(pool.get(credential)).toBe(newest);
  });

  test('is not another way for a reader that is behind: its pushes go back unprocessed', async () => {
    const direct = toApnsCredential(sandbox);
    const { provider, id } = direct;
    pool.get({
      provider,
      id,
      route: 'proxy',
      version: 2,
      url: 'https://proxy.example/',
      schema: 'current',
      goneOn: [],
      retry: 'documented',
    });

    expect(await send(direct)).toMatchObject({ kind: 'requeue', reason: 'closing' });
  });

  test('connects again as soon as its limits allow', async () => {
    pool = openPool({
      connectLimits: { burst: 10, perSecond: 1, backoffMs: 0, maxBackoffMs: 0 },
    });
    const credentials = [toApnsCredential(sandbox), toFcmCredential(sandbox)];
    const sendAll = () => Promise.all(credentials.map((credential) => send(credential)));

    for (const wire of [apnsWire, fcmWire]) wire.refuse(true);
    const refused = await sendAll();
    for (const wire of [apnsWire, fcmWire]) wire.refuse(false);
    const next = await sendAll();

    expect(refused.map(({ kind }) => kind)).toEqual(['retry', 'retry']);
    expect(next.map(({ kind }) => kind)).toEqual(['sent', 'sent']);
  });

  test('connects with its first push', async () => {
    const credential = toApnsCredential(sandbox);
    pool.get(credential);
    expect(apnsWire.connections).toBe(0);

    await send(credential);

    expect(apnsWire.connections).toBe(1);
  });

  test('promises how long a send may take, its wait for a stream included', () => {
    expect(pool.get(toApnsCredential(sandbox)).deadlineMs).toBe(12_500);
    expect(pool.get(toFcmCredential(sandbox)).deadlineMs).toBe(17_500);
  });
});

describe('a connection', () => {
  test('is shared by the apps of a team, each with its own topic', async () => {
    const { keyId, teamId, p8 } = sandbox.addApnsKey();
    const team = { keyId, teamId, privateKey: Buffer.from(p8) };
    const one = toApnsCredential(sandbox, { ...team, bundle: 'com.example.one' });
    const two = toApnsCredential(sandbox, { ...team, bundle: 'com.example.two' });

    const outcomes = [await send(one), await send(two)];

    expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'sent']);
    expect(apnsWire.connections).toBe(1);
    expect(sandbox.received({ apnsTopic: 'com.example.one' })).toHaveLength(1);
    expect(sandbox.received({ apnsTopic: 'com.example.two' })).toHaveLength(1);
  });

  test('is not shared by two teams', async () => {
    const { keyId, teamId, p8 } = sandbox.addApnsKey();

    await send(toApnsCredential(sandbox));
    await send(toApnsCredential(sandbox, { keyId, teamId, privateKey: Buffer.from(p8) }));

    expect(apnsWire.connections).toBe(2);
  });

  test('outlives one of its apps', async () => {
    const one = toApnsCredential(sandbox);
    const two = toApnsCredential(sandbox);
    await send(one);
    await send(two);

    await pool.get(one).close();

    expect((await send(two)).kind).toBe('sent');
    expect(apnsWire.connections).toBe(1);
  });

  test('closes when nobody uses it, and opens again', async () => {
    await pool.close();
    pool = openPool({ idleMs: 100 });
    const apns = toApnsCredential(sandbox);
    const fcm = toFcmCredential(sandbox);
    await Promise.all([send(apns), send(fcm)]);
    expect([apnsWire.connections, fcmWire.connections]).toEqual([1, 1]);

    await until(() => apnsWire.open + fcmWire.open === 0);

    expect((await send(apns)).kind).toBe('sent');
    expect((await send(fcm)).kind).toBe('sent');
  });

  test('stays while an answer is owed, however idle', async () => {
    await pool.close();
    pool = openPool({ idleMs: 50 });
    sandbox.script('apns', '', [{ kind: 'accept', delayMs: 500 }]);

    expect((await send(toApnsCredential(sandbox))).kind).toBe('sent');
  });
});

describe('a changed credential', () => {
  test('of APNs has its answers still, then the old connection closes', async () => {
    const old = toApnsCredential(sandbox);
    const token = createApnsToken();
    sandbox.script('apns', token, [{ kind: 'accept', delayMs: 300 }]);
    const owed = send(old, token);
    await sandbox.waitFor(1, { token });
    const { keyId, teamId, p8 } = sandbox.addApnsKey();

    const changed = { ...old, version: 2, keyId, teamId, privateKey: Buffer.from(p8) };
    const next = await send(changed);

    expect(next.kind).toBe('sent');
    expect((await owed).kind).toBe('sent');
    await until(() => apnsWire.open === 1);
    expect(apnsWire.connections).toBe(2);
  });

  test('of FCM has its answers still, then the old connection closes', async () => {
    const old = toFcmCredential(sandbox);
    const token = `device:${randomUUID()}`;
    sandbox.script('fcm', token, [{ kind: 'accept', delayMs: 300 }]);
    const owed = send(old, token);
    await sandbox.waitFor(1, { token });
    const { projectId, json } = await sandbox.addServiceAccount('other-project');

    const next = await send({ ...old, version: 2, projectId, serviceAccount: Buffer.from(json) });

    expect(next.kind).toBe('sent');
    expect((await owed).kind).toBe('sent');
    await until(() => fcmWire.open === 1);
  });

  test('with the same key keeps the connection', async () => {
    const old = toApnsCredential(sandbox);
    await send(old);

    await send({ ...old, version: 2 });

    expect(apnsWire.connections).toBe(1);
  });

  test('takes no more pushes by its old provider', async () => {
    const credential = toApnsCredential(sandbox);
    const old = pool.get(credential);
    pool.get({ ...credential, version: 2 });

    const { outcome } = await old.send(createPush(createApnsToken()));

    expect(outcome).toMatchObject({ kind: 'requeue', reason: 'closing' });
  });
});

test('closing waits for the answers still owed, and leaves no connection behind', async () => {
  const tokens = [createApnsToken(), createApnsToken()] as const;
  sandbox.script('apns', '', [{ kind: 'accept', delayMs: 300 }]);
  sandbox.script('fcm', '', [{ kind: 'accept', delayMs: 300 }]);
  const owed = [
    send(toApnsCredential(sandbox), tokens[0]),
    send(toFcmCredential(sandbox), tokens[1]),
  ];
  await sandbox.waitFor(1, { token: tokens[0] });
  await sandbox.waitFor(1, { token: tokens[1] });

  await pool.close();

  expect((await Promise.all(owed)).map(({ kind }) => kind)).toEqual(['sent', 'sent']);
  await until(() => apnsWire.open + fcmWire.open === 0);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}
