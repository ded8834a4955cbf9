import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';

import { hashPushToken } from '@heliograph/db';
import { makeApp, makeDevice, useTestDatabase, type DeviceOptions } from '@heliograph/testing';
import {
  fingerprintOf,
  makeAuthority,
  makeClient,
  toAndroidBody,
  toIosBody,
  type ClientIdentity,
  type ReceiverAnswer,
} from '@heliograph/testing/live-person';

import { openTestReceiver, type TestReceiver } from '../../../test/open-test-receiver.ts';

const database = useTestDatabase({ poolSize: 10 });
let receiver: TestReceiver;
let client: ClientIdentity;

beforeAll(async () => {
  receiver = await openTestReceiver(database.db);
  client = receiver.client();
});
afterAll(() => receiver.close());

const OK = { status: 200, body: { status: 'OK', repeated: false } };
const REPEATED = { status: 200, body: { status: 'OK', repeated: true } };

/** A brand that may hand over pushes for an app of its own, and a device there. */
async function makeBrand(options: DeviceOptions = {}) {
  const { db } = database;
  const app = await makeApp(db);
  const brandId = randomUUID();
  await receiver.bind(client, { id: app, brandId });
  const device = await makeDevice(db, app, options);
  return { app, brandId, device, names: { brandId, deviceToken: device.pushToken } };
}

function post(body: unknown, headers: Record<string, string> = {}): Promise<ReceiverAnswer> {
  return receiver.post({ client, body, headers });
}

/** The messages of the app with their deliveries, as they stand. */
async function storedFor(app: number) {
  return database.db
    .selectFrom('messages as m')
    .leftJoin('deliveries as d', 'd.messageId', 'm.id')
    .select([
      'm.id',
      'm.userId',
      'm.body',
      'm.priority',
      'm.pushTokenHash',
      'd.deviceId',
      'd.state',
    ])
    .where('m.appRef', '=', app)
    .execute();
}

async function expectNothingStored(app: number): Promise<void> {
  expect(await storedFor(app)).toEqual([]);
}

describe('a push', () => {
  test('for iOS is stored for the device with the token, and announced', async () => {
    const { app, device, names } = await makeBrand();
    const body = toIosBody('today', names);

    const answer = await post(body);

    const { aps, 'push-service': _, notificationType: __, 'device-token': ___, ...beside } = body;
    expect(answer).toMatchObject(OK);
    expect(await storedFor(app)).toEqual([
      {
        id: answer.body['messageId'],
        userId: device.userId,
        body: { raw: { aps, beside } },
        priority: 'HIGH',
        pushTokenHash: hashPushToken(device.pushToken),
        deviceId: device.id,
        state: 'pending',
      },
    ]);
    expect(receiver.announced).toContain(String(answer.body['messageId']).slice(0, -4) + '0001');
  });

  test('for Android is stored with its data', async () => {
    const { app, names } = await makeBrand({ provider: 'fcm' });
    const body = toAndroidBody('2017', names);

    expect(await post(body)).toMatchObject(OK);

    expect(await storedFor(app)).toMatchObject([{ body: { raw: { data: body.data } } }]);
  });

  test('may name the device by any text', async () => {
    const { app, names } = await makeBrand({ pushToken: `kunde/ž 漢 "${'x'.repeat(4_000)}` });

    expect(await post(toIosBody('2017', names))).toMatchObject(OK);

    expect(await storedFor(app)).toHaveLength(1);
  });

  test('comes in whatever it calls its content', async () => {
    const { names } = await makeBrand();

    const answer = await post(toIosBody('today', names), { 'content-type': 'text/plain' });

    expect(answer).toMatchObject(OK);
  });

  test('goes once to a token that several devices share', async () => {
    const { app, device, names } = await makeBrand({ activationActive: false });
    const active = await makeDevice(database.db, app, { pushToken: device.pushToken });

    await post(toIosBody('today', names));

    expect(await storedFor(app)).toMatchObject([{ deviceId: active.id, userId: active.userId }]);
  });

  test('reaches each of the apps that the brand has', async () => {
    const { app: ios, brandId, names } = await makeBrand();
    const android = await makeApp(database.db);
    await receiver.bind(client, { id: android, brandId });
    const phone = await makeDevice(database.db, android, { provider: 'fcm' });

    expect(await post(toIosBody('2017', names))).toMatchObject(OK);
    expect(
      await post(toAndroidBody('2017', { brandId, deviceToken: phone.pushToken })),
    ).toMatchObject(OK);

    expect([await storedFor(ios), await storedFor(android)]).toMatchObject([[{}], [{}]]);
  });
});

describe('in the handshake', () => {
  const push = { body: {} };
  /** The server hangs up while the client begins to write. */
  const HUNG_UP = { code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) };

  test('nobody gets by without a certificate', async () => {
    await expect(receiver.post(push)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    });
  });

  test('nobody gets by with a certificate of another authority, though it has the same name', async () => {
    const foreign = makeClient(makeAuthority());

    await expect(receiver.post({ ...push, client: foreign })).rejects.toMatchObject(HUNG_UP);
  });

  test('nobody gets by with a certificate that has expired', async () => {
    const expired = receiver.client(1_000);

    await expect(receiver.post({ ...push, client: expired })).rejects.toMatchObject(HUNG_UP);
  });

  test('nobody gets by with an old TLS', async () => {
    const options = {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL@SECLEVEL=0',
    } as const;

    await expect(receiver.post({ ...push, client, options })).rejects.toThrow('protocol version');
  });

  test('TLS 1.2 will do', async () => {
    const { names } = await makeBrand();
    const options = { maxVersion: 'TLSv1.2' } as const;

    const answer = await receiver.post({ client, body: toIosBody('today', names), options });

    expect(answer).toMatchObject(OK);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a session that is resumed under %s still says who it is',
    async (maxVersion) => {
      const { app, names } = await makeBrand();
      const first = openTls({ maxVersion });
      const [session] = (await once(first, 'session')) as [Buffer];
      first.destroy();
      const resumed = openTls({ maxVersion, session });
      await once(resumed, 'secureConnect');

      const body = JSON.stringify(toIosBody('today', names));
      resumed.write(
        `POST /push/proxy/liveperson HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const [answer] = (await once(resumed, 'data')) as [Buffer];
      const isReused = resumed.isSessionReused();
      resumed.destroy();

      expect(isReused).toBe(true);
      expect(answer.toString()).toMatch('HTTP/1.1 200 OK');
      expect(await storedFor(app)).toHaveLength(1);
    },
  );
});

function openTls(options: object = {}): TLSSocket {
  const socket = connect({
    host: '127.0.0.1',
    port: receiver.server.port,
    cert: client.certPem,
    key: client.keyPem,
    ca: receiver.authority.caPem,
    ...options,
  });
  socket.on('error', () => undefined);
  return socket;
}

describe('401', () => {
  test('answers a certificate that is bound to nobody', async () => {
    const { app, names } = await makeBrand();
    const stranger = receiver.client();

    const answer = await receiver.post({ client: stranger, body: toIosBody('today', names) });

    expect(answer).toMatchObject({ status: 401, body: { status: 'ERROR' } });
    expect(answer.headers['www-authenticate']).toMatch('Basic');
    await expectNothingStored(app);
  });

  test('answers a brand that the certificate does not stand for', async () => {
    const { app, names } = await makeBrand();
    const other = receiver.client();
    await receiver.bind(other, { id: await makeApp(database.db), brandId: 'other' });

    const answer = await receiver.post({ client: other, body: toIosBody('today', names) });

    expect(answer).toMatchObject({
      status: 401,
      body: { message: expect.stringMatching('brand') },
    });
    await expectNothingStored(app);
  });

  test('answers a certificate that the database knows as expired, on a connection that is older', async () => {
    const { app, names } = await makeBrand();
    const other = receiver.client();
    await receiver.bind(other, { id: app, brandId: names.brandId });
    await database.db
      .updateTable('livepersonCertificates')
      .set({ validTo: new Date() })
      .where('fingerprint', '=', fingerprintOf(other))
      .execute();

    const answer = await receiver.post({ client: other, body: toIosBody('today', names) });

    expect(answer.status).toBe(401);
    await expectNothingStored(app);
  });

  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each([
    ['none', undefined],
    ['another user', basic('lq:geheim: ž')],
    ['another password', basic('lp:geheim: z')],
    ['no colon', basic('lp')],
    ['another scheme', `Bearer ${Buffer.from('lp:geheim: ž').toString('base64')}`],
    ['no Base64', 'Basic lp:geheim'],
  ])('answers %s where Basic is asked for', async (_, authorization) => {
    const { app, brandId, names } = await makeBrand();
    const own = receiver.client();
    const sender = { id: app, brandId, basic: { username: 'lp', password: 'geheim: ž' } };
    await receiver.bind(own, sender);

    const answer = await receiver.post({
      client: own,
      body: toIosBody('today', names),
      headers: authorization === undefined ? {} : { authorization },
    });

    expect(answer.status).toBe(401);
    await expectNothingStored(app);
  });

  test('is not what the right Basic gets', async () => {
    const { app, brandId, names } = await makeBrand();
    const own = receiver.client();
    await receiver.bind(own, {
      id: app,
      brandId,
      basic: { username: 'lp', password: 'geheim: ž' },
    });

    const answer = await receiver.post({
      client: own,
      body: toIosBody('today', names),
      headers: { authorization: basic('lp:geheim: ž') },
    });

    expect(answer).toMatchObject(OK);
  });
});

describe('403', () => {
  test('answers a token that no device of the app has', async () => {
    const { app, brandId } = await makeBrand();
    const elsewhere = await makeDevice(database.db, await makeApp(database.db));

    const answer = await post(toIosBody('today', { brandId, deviceToken: elsewhere.pushToken }));

    expect(answer).toMatchObject({ status: 403, body: { status: 'ERROR' } });
    await expectNothingStored(app);
  });

  test('answers a token that was deactivated', async () => {
    const { app, device, names } = await makeBrand();
    await database.db
      .updateTable('devices')
      .set({ tokenDeactivatedAt: new Date() })
      .where('id', '=', device.id)
      .execute();

    expect((await post(toIosBody('today', names))).status).toBe(403);

    await expectNothingStored(app);
  });

  test('answers a payload for the other platform', async () => {
    const { app, names } = await makeBrand({ provider: 'fcm' });

    expect((await post(toIosBody('today', names))).status).toBe(403);

    await expectNothingStored(app);
  });

  test('is not remembered: the repeat is judged anew', async () => {
    const { app, brandId } = await makeBrand();
    const names = { brandId, deviceToken: randomUUID() };
    const headers = { 'idempotency-key': randomUUID() };
    const before = await post(toIosBody('today', names), headers);
    await makeDevice(database.db, app, { pushToken: names.deviceToken });

    const after = await post(toIosBody('today', names), headers);

    expect([before.status, after.status]).toEqual([403, 200]);
    expect(after.body['repeated']).toBe(false);
    expect(await storedFor(app)).toHaveLength(1);
  });
});

describe('what is wrong with the body', () => {
  test.each([
    ['{"push-service":', 'JSON'],
    ['', 'JSON'],
    ['[]', 'object'],
    [Buffer.from([0x22, 0xff, 0x22]), 'JSON'],
    [{ 'push-service': 3, notificationType: 'huawei' }, 'Huawei'],
  ])('is answered with 400 and words: %j', async (body, words) => {
    const answer = await post(body);

    expect(answer).toMatchObject({
      status: 400,
      body: { status: 'ERROR', message: expect.stringMatching(words) },
    });
  });

  test('is answered with 400 where the provider would refuse it', async () => {
    const { app, names } = await makeBrand();

    const answer = await post(toIosBody('today', { ...names, text: 'x'.repeat(4_096) }));

    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching('4096') } });
    await expectNothingStored(app);
  });

  test('is answered with 413 where it is too large', async () => {
    const answer = await post({ padding: 'x'.repeat(64 * 1024) });

    expect(answer).toMatchObject({ status: 413, body: { status: 'ERROR' } });
  });
});

describe('500', () => {
  test('answers a push for a platform that the app has no credential for, and remembers nothing', async () => {
    const { app, names } = await makeBrand();
    await database.db.deleteFrom('credentials').where('appRef', '=', app).execute();
    const body = toIosBody('today', names);

    const before = await post(body);
    await expectNothingStored(app);
    const other = await makeApp(database.db);
    await database.db
      .updateTable('credentials')
      .set({ appRef: app })
      .where('appRef', '=', other)
      .execute();
    const after = await post(body);

    expect([before.status, after.status]).toEqual([500, 200]);
  });
});

describe('other paths', () => {
  test.each([
    ['POST', '/push/proxy/liveperson/'],
    ['POST', '/push/proxy/LivePerson'],
    ['GET', '/push/proxy/liveperson'],
    ['POST', '/push/message/send'],
    ['GET', '/admin/app/list'],
    ['GET', '/actuator/health'],
    ['GET', '/v3/api-docs'],
  ])('%s %s is not there', async (method, path) => {
    const answer = await receiver.post({ client, body: '', method, path });

    expect(answer).toMatchObject({ status: 404, body: { status: 'ERROR' } });
  });
});

describe('a repeat', () => {
  test('with the same Idempotency-Key is answered and not sent again, whatever it says', async () => {
    const { app, names } = await makeBrand();
    const headers = { 'idempotency-key': randomUUID() };

    const first = await post(toIosBody('today', names), headers);
    const again = await post(toIosBody('today', { ...names, text: 'Anything' }), headers);

    expect(first).toMatchObject(OK);
    expect(again).toMatchObject(REPEATED);
    expect(again.body['messageId']).toBe(first.body['messageId']);
    expect(await storedFor(app)).toHaveLength(1);
  });

  test('with another Idempotency-Key is a push of its own', async () => {
    const { app, names } = await makeBrand();
    const body = toIosBody('today', names);

    await post(body, { 'idempotency-key': randomUUID() });
    await post(body, { 'idempotency-key': randomUUID() });

    expect(await storedFor(app)).toHaveLength(2);
  });

  test('of the same message of a conversation is answered and not sent again', async () => {
    const { app, names } = await makeBrand();
    const body = toIosBody('today', names);

    const first = await post(body);
    const again = await post({ ...body, badge: 2 });
    const next = await post({ ...body, sequence: body.sequence + 1 });

    expect([first, again, next]).toMatchObject([OK, REPEATED, OK]);
    expect(await storedFor(app)).toHaveLength(2);
  });

  test('is known by the sequence zero too', async () => {
    const { app, names } = await makeBrand();
    const body = { ...toIosBody('today', names), sequence: 0 };

    await post(body);
    await post({ ...body, badge: 2 });

    expect(await storedFor(app)).toHaveLength(1);
  });

  test('of 2017 is known by its bytes alone: the next text of the conversation is none', async () => {
    const { app, names } = await makeBrand();

    const first = await post(toIosBody('2017', { ...names, text: 'one' }));
    const again = await post(toIosBody('2017', { ...names, text: 'one' }));
    const next = await post(toIosBody('2017', { ...names, text: 'two' }));

    expect([first, again, next]).toMatchObject([OK, REPEATED, OK]);
    expect(await storedFor(app)).toHaveLength(2);
  });

  test('of the same bytes is a push of its own when 45 s are over; with a sequence when a day is', async () => {
    const { app, names } = await makeBrand();
    const [plain, numbered] = [toIosBody('2017', names), toIosBody('today', names)];
    const windows = [];
    for (const body of [plain, numbered]) {
      const { body: answer } = await post(body);
      windows.push(await windowSecondsOf(String(answer['messageId'])));
      await endWindow(String(answer['messageId']));
    }

    const again = [await post(plain), await post(numbered)];

    expect(windows).toEqual([45, 86_400]);
    expect(again).toMatchObject([OK, OK]);
    expect(await storedFor(app)).toHaveLength(4);
  });

  test('of another certificate or token is a push of its own', async () => {
    const { app, brandId, names } = await makeBrand();
    const other = receiver.client();
    await receiver.bind(other, { id: app, brandId });
    const tablet = await makeDevice(database.db, app);
    const headers = { 'idempotency-key': randomUUID() };

    await post(toIosBody('today', names), headers);
    await post(toIosBody('today', { brandId, deviceToken: tablet.pushToken }), headers);
    await receiver.post({ client: other, body: toIosBody('today', names), headers });

    expect(await storedFor(app)).toHaveLength(3);
  });

  test('is answered though the device is gone since', async () => {
    const { app, device, names } = await makeBrand();
    const body = toIosBody('today', names);
    await post(body);
    await database.db.deleteFrom('devices').where('id', '=', device.id).execute();

    expect(await post(body)).toMatchObject(REPEATED);

    expect(await storedFor(app)).toHaveLength(1);
  });

  test.each([
    ['with a key', 'today', { 'idempotency-key': 'one' }],
    ['with a sequence', 'today', {}],
    ['with neither', '2017', {}],
  ] as const)('%s, ten of them at once on two replicas, is sent once', async (_, year, headers) => {
    const { app, names } = await makeBrand();
    const body = toIosBody(year, names);
    // The same authority and database, another process for all that it shares with the first.
    const replica = await openTestReceiver(database.db, receiver);

    const answers = await Promise.all(
      Array.from({ length: 10 }, (__, n) =>
        (n % 2 === 0 ? receiver : replica).post({ client, body, headers }),
      ),
    );
    await replica.close();

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.filter(({ body: answer }) => answer['repeated'] === false)).toHaveLength(1);
    expect(new Set(answers.map(({ body: answer }) => answer['messageId'])).size).toBe(1);
    expect(await storedFor(app)).toHaveLength(1);
  });
});

async function windowSecondsOf(messageId: string): Promise<number> {
  const { until, createdAt } = await database.db
    .selectFrom('livepersonPushes as p')
    .innerJoin('messages as m', 'm.id', 'p.messageId')
    .select(['p.until', 'm.createdAt'])
    .where('p.messageId', '=', messageId)
    .executeTakeFirstOrThrow();
  return (until.getTime() - createdAt.getTime()) / 1000;
}

async function endWindow(messageId: string): Promise<void> {
  await database.db
    .updateTable('livepersonPushes')
    .set({ until: new Date(Date.now() - 1) })
    .where('messageId', '=', messageId)
    .execute();
}

describe('a receiver that closes', () => {
  test('waits for no connection on which nothing was asked, greeted or not', async () => {
    const own = await openTestReceiver(database.db, receiver);
    const greeted = openTls({ port: own.server.port });
    await once(greeted, 'secureConnect');
    const silent = openTls({ port: own.server.port });
    await once(silent, 'connect');

    await own.close();

    greeted.destroy();
    silent.destroy();
  });
});
