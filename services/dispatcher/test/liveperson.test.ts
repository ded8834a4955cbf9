import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createServerCertificate } from '@heliograph/sandbox';
import {
  eventually,
  makeDevice,
  startOwnPostgres,
  type OwnServer,
  type SpawnedService,
} from '@heliograph/testing';
import {
  makeAuthority,
  makeClient,
  postPush,
  toAndroidBody,
  toIosBody,
  type ReceiverAnswer,
} from '@heliograph/testing/live-person';

import { openDatabaseWire, type DatabaseWire } from './database-wire.ts';
import { openStack, type Stack } from './stack.ts';

jest.setTimeout(120_000);

const BRAND = '89961346';
const BASIC = { username: 'liveperson', password: 'a long password' };

/** An api with a receiver that a brand is bound to, for an app that may send to both providers. */
interface Proxied {
  readonly stack: Stack;
  readonly api: SpawnedService;
  /** One more replica. */
  startApi(changes?: Record<string, string>): Promise<SpawnedService>;
  /** Posts to the receiver of an api; of the first one unless told otherwise. */
  post(body: unknown, to?: SpawnedService): Promise<ReceiverAnswer>;
  /** A new device of the app. */
  phone(provider: 'apns' | 'fcm'): Promise<{ brandId: string; deviceToken: string }>;
  close(): Promise<void>;
}

async function openProxied(servers: { postgres?: OwnServer } = {}): Promise<Proxied> {
  const stack = await openStack(servers);
  const authority = makeAuthority();
  const client = makeClient(authority);
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-liveperson-'));
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  const files = { 'cert.pem': certPem, 'key.pem': keyPem, 'ca.pem': authority.caPem };
  for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem);
  const env = {
    LIVEPERSON_PORT: '0',
    LIVEPERSON_TLS_CERT_FILE: join(folder, 'cert.pem'),
    LIVEPERSON_TLS_KEY_FILE: join(folder, 'key.pem'),
    LIVEPERSON_CLIENT_CA_FILE: join(folder, 'ca.pem'),
  };
  const startApi: Proxied['startApi'] = (changes = {}) => stack.startApi({ ...env, ...changes });

  const appRef = await stack.makeSendingApp();
  const api = await startApi();
  await stack.call(api, 'PUT', '/admin/app/liveperson', {
    appId: 1,
    brandId: BRAND,
    certificatePem: client.certPem,
    basic: BASIC,
  });
  const authorization = `Basic ${Buffer.from(`${BASIC.username}:${BASIC.password}`).toString('base64')}`;
  return {
    stack,
    api,
    startApi,
    async post(body, to = api) {
      const { livePersonPort } = await to.waitReady();
      const headers = { authorization };
      return postPush({
        port: Number(livePersonPort),
        caPem: authority.caPem,
        client,
        body,
        headers,
      });
    },
    async phone(provider) {
      const pushToken = randomUUID().replaceAll('-', '') + 'b0';
      await makeDevice(stack.db, appRef, { provider, pushToken });
      return { brandId: BRAND, deviceToken: pushToken };
    },
    async close() {
      await stack.close();
      await rm(folder, { recursive: true });
    },
  };
}

describe('a push that LivePerson hands over', () => {
  let proxied: Proxied;
  beforeAll(async () => {
    proxied = await openProxied();
    await proxied.stack.startDispatcher();
  });
  afterAll(() => proxied.close());

  const arrived = (token: string) =>
    eventually(() => {
      const [push, ...more] = proxied.stack.sandbox.received({ token });
      if (push === undefined) throw new Error('nothing has arrived');
      expect([push.accepted, more]).toEqual([true, []]);
      return push;
    });

  test.each(['2017', 'today'] as const)('of %s arrives at APNs as it is', async (year) => {
    const names = await proxied.phone('apns');
    const body = toIosBody(year, names);

    const answer = await proxied.post(body);

    const push = await arrived(names.deviceToken);
    const { 'push-service': _, notificationType: __, 'device-token': ___, ...raw } = body;
    expect(answer).toMatchObject({ status: 200, body: { status: 'OK', repeated: false } });
    expect(push.body).toStrictEqual(raw);
    expect(push.headers).toMatchObject({
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-collapse-id': answer.body['messageId'],
    });
  });

  test('that only wakes the app arrives at APNs as a background push', async () => {
    const names = await proxied.phone('apns');

    await proxied.post({ ...toIosBody('today', names), aps: { 'content-available': 1 } });

    const { headers } = await arrived(names.deviceToken);
    expect(headers).toMatchObject({ 'apns-push-type': 'background', 'apns-priority': '5' });
  });

  test.each(['2017', 'today'] as const)('of %s arrives at FCM as its data', async (year) => {
    const names = await proxied.phone('fcm');
    const { data, ...rest } = toAndroidBody(year, names);

    const answer = await proxied.post({ data, ...rest });

    const push = await arrived(names.deviceToken);
    expect(answer).toMatchObject({ status: 200, body: { status: 'OK', repeated: false } });
    expect(push.body).toStrictEqual({
      message: {
        token: names.deviceToken,
        data: { message: 'Hi there\n', payload: JSON.stringify(data.payload) },
        android: { priority: 'HIGH', ttl: expect.stringMatching(/^86\d{3}s$/) },
      },
    });
  });

  test('can be asked about by the id that was answered', async () => {
    const { stack, api } = proxied;
    const { body } = await proxied.post(toIosBody('today', await proxied.phone('apns')));

    const status = await eventually(async () => {
      const found = await stack.call(api, 'GET', `/push/message/${String(body['messageId'])}`);
      expect(found).toMatchObject({ counts: { sent: 1 } });
      return found;
    });

    expect(status).toMatchObject({ appId: 1, deliveries: [{ platform: 'ios', state: 'sent' }] });
  });
});

describe('while the database is away', () => {
  test('LivePerson is answered with 500; its repeat is taken when the database is back, and sent once', async () => {
    const postgres = await startOwnPostgres({ durable: true });
    const proxied = await openProxied({ postgres });
    try {
      const names = await proxied.phone('apns');
      const body = toIosBody('today', names);
      await postgres.kill();
      const away = await proxied.post(body);
      await postgres.start();

      const back = await eventually(async () => {
        const answer = await proxied.post(body);
        expect(answer.status).toBe(200);
        return answer;
      });
      await proxied.stack.startDispatcher();
      await proxied.stack.settled([String(back.body['messageId'])]);

      expect(away).toMatchObject({ status: 500, body: { status: 'ERROR' } });
      expect(back.body['repeated']).toBe(false);
      expect(proxied.stack.sandbox.acceptedFor(names.deviceToken)).toBe(1);
    } finally {
      await proxied.close();
      await postgres.stop();
    }
  });
});

describe('around the commit', () => {
  let proxied: Proxied;
  const wires: DatabaseWire[] = [];
  beforeAll(async () => {
    proxied = await openProxied();
    await proxied.stack.startDispatcher();
  });
  afterAll(async () => {
    await proxied.close();
    for (const wire of wires) await wire.close();
  });

  /** An api whose database is behind a wire. */
  async function startWired() {
    const wire = await openDatabaseWire(proxied.stack.databaseUrl);
    wires.push(wire);
    return { wire, api: await proxied.startApi({ DATABASE_URL: wire.url }) };
  }

  const messages = async () =>
    proxied.stack.db.selectFrom('messages').select('id').orderBy('id').execute();
  const claims = async () =>
    proxied.stack.db.selectFrom('livepersonPushes').select('messageId').execute();

  test('a push that was not stored is a 500, and nothing of it stays', async () => {
    const { wire, api } = await startWired();
    const names = await proxied.phone('fcm');
    const body = toAndroidBody('2017', names);
    const before = [await messages(), await claims()];
    const lost = wire.next('lost');

    const answers = [await proxied.post(body, api)];
    await lost;
    const between = [await messages(), await claims()];
    answers.push(await proxied.post(body, api));
    await proxied.stack.settled([String(answers[1]?.body['messageId'])]);

    expect(answers).toMatchObject([{ status: 500 }, { status: 200, body: { repeated: false } }]);
    expect(between).toEqual(before);
    expect(proxied.stack.sandbox.acceptedFor(names.deviceToken)).toBe(1);
  });

  test('a push that was stored unbeknownst to the api is a 500, and its repeat is known', async () => {
    const { wire, api } = await startWired();
    const names = await proxied.phone('apns');
    const body = toIosBody('2017', names);
    const cut = wire.next('cut');

    const answers = [await proxied.post(body, api)];
    await cut;
    answers.push(await proxied.post(body, api));
    await proxied.stack.settled([String(answers[1]?.body['messageId'])]);

    expect(answers).toMatchObject([{ status: 500 }, { status: 200, body: { repeated: true } }]);
    expect(proxied.stack.sandbox.acceptedFor(names.deviceToken)).toBe(1);
  });

  test('a push that was stored by an api that died before it answered is sent once, and its repeat is known', async () => {
    const { wire, api: victim } = await startWired();
    const names = await proxied.phone('apns');
    const body = toIosBody('today', names);
    const held = wire.next('held');

    const dying = proxied.post(body, victim).catch((error: NodeJS.ErrnoException) => error.code);
    await held;
    victim.kill('SIGKILL');
    await victim.exited;
    const repeat = await proxied.post(body);
    await proxied.stack.settled([String(repeat.body['messageId'])]);

    expect(await dying).toBe('ECONNRESET');
    expect(repeat).toMatchObject({ status: 200, body: { repeated: true } });
    expect(proxied.stack.sandbox.acceptedFor(names.deviceToken)).toBe(1);
  });
});
