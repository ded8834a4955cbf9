import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { constants } from 'node:http2';

import { afterRequeues } from '@heliograph/core';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { eventually, toEndpoints } from '@heliograph/testing';

import { TestPushFeed } from '../engine/test-push-feed.ts';
import { createProviderPool, type ProviderPool } from '../provider-pool.ts';
import type { Push, PushProvider } from '../push-provider.ts';
import {
  createTestCertificate,
  openTestServer,
  type TestCertificate,
  type TestServer,
} from '../session-pool/test-server.ts';
import {
  createApnsToken,
  createMessage,
  createPush,
  openWire,
  toApnsCredential,
  type Wire,
} from '../test-fixtures.ts';

const MINUTE_MS = 60_000;
const range = (length: number) => Array.from({ length }, (_, n) => n);

let sandbox: Sandbox;
let wire: Wire;
let pool: ProviderPool;
let provider: PushProvider;
let now: Date;
/** What a test opened besides, closed in reverse order. */
const opened: { close(): Promise<unknown> }[] = [];

function opens<T extends { close(): Promise<unknown> }>(resource: T): T {
  opened.push(resource);
  return resource;
}

function openPool(production: string): ProviderPool {
  const endpoints = toEndpoints(sandbox);
  return opens(
    createProviderPool({
      endpoints: { ...endpoints, apns: { ...endpoints.apns, production } },
      idleMs: 60_000,
      clock: () => now,
    }),
  );
}

const send = async (code = '') => (await provider.send(createPush(createApnsToken(code)))).outcome;

/** As the dispatcher does it: what was not processed goes again, so often as its outcome allows. */
async function sendUntilSettled(push: Push) {
  for (let requeues = 0; ; requeues += 1) {
    const { outcome } = await provider.send(push);
    const settled = afterRequeues(outcome, requeues);
    if (settled.kind !== 'requeue') return { outcome: settled, sends: requeues + 1 };
  }
}

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(async () => {
  await sandbox.close();
});
beforeEach(async () => {
  now = new Date();
  sandbox.clear();
  wire = opens(await openWire(sandbox.apnsUrl));
  pool = openPool(wire.url);
  provider = pool.get(toApnsCredential(sandbox));
});
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource.close();
});

describe('an answer that only our own client reads', () => {
  test.each([
    ['4292', 429, 'TooManyRequests', 'apns_device_throttled'],
    ['5032', 503, 'ServiceUnavailable', 'apns_trouble'],
  ])('%s: %i %s says how long to wait', async (code, status, reason, backoff) => {
    const attempt = await provider.send(createPush(createApnsToken(code)));

    expect(attempt).toMatchObject({
      status,
      outcome: { kind: 'retry', reason, backoff, retryAfterMs: 2_000 },
    });
  });

  test('may say until when to wait', async () => {
    expect(await send('5033')).toMatchObject({
      kind: 'retry',
      retryAfterMs: expect.any(Number) as number,
    });
  });

  test.each([
    ['4035', 'BadCertificate'],
    ['4036', 'BadCertificateEnvironment'],
  ])('%s: %s pauses the credential', async (code, reason) => {
    expect(await send(code)).toEqual({ kind: 'pause', reason, scope: 'credential' });
  });

  test('may be a page of HTML', async () => {
    expect(await send('5020')).toMatchObject({ kind: 'retry', reason: 'status 502' });
  });
});

describe('an expired provider token', () => {
  test('is replaced, and the push sent again', async () => {
    const push = createPush(`fa014030${createApnsToken().slice(8)}`);

    expect(await sendUntilSettled(push)).toMatchObject({ outcome: { kind: 'sent' }, sends: 2 });
  });

  test('pauses the credential where the new one is called expired, too', async () => {
    const push = createPush(createApnsToken('4030'));

    expect(await sendUntilSettled(push)).toEqual({
      outcome: { kind: 'pause', reason: 'ExpiredProviderToken', scope: 'credential' },
      sends: 2,
    });
  });
});

describe('a farewell of APNs', () => {
  test('with a reason of the credential pauses it, without another connection', async () => {
    await send();
    const owed = await send('000b');

    const next = await send();

    expect(owed).toMatchObject({ kind: 'requeue' });
    expect(next).toEqual({ kind: 'pause', reason: 'InvalidProviderToken', scope: 'credential' });
    expect(wire.connections).toBe(1);
  });

  test('with Shutdown has what was refused sent over another connection', async () => {
    await send();
    const push = createPush(`fa010004${createApnsToken().slice(8)}`);

    expect(await sendUntilSettled(push)).toMatchObject({ outcome: { kind: 'sent' }, sends: 2 });
    expect(wire.connections).toBe(2);
  });

  test('stops a feed for the credential', async () => {
    const message = createMessage();
    const tokens = range(50).map((n) => createApnsToken(n === 10 ? '000b' : ''));
    const fed = new TestPushFeed(tokens.map((token) => createPush(token, { message })));

    await provider.feed(fed);

    expect(fed.stops).toEqual([
      { kind: 'pause', reason: 'InvalidProviderToken', scope: 'credential' },
    ]);
    expect(wire.connections).toBe(1);
    expect(fed.inFlight).toBe(0);
  });
});

test('a feed through GOAWAYs, resets and limits that fall has each push sent once', async () => {
  const message = createMessage();
  const faults = new Map([
    [20, '0003'],
    [60, '000a'],
    [100, '0009'],
    [140, '0004'],
  ]);
  const toToken = (n: number) => {
    const code = faults.get(n);
    return code === undefined
      ? createApnsToken()
      : `fa01${code}0${randomUUID().replaceAll('-', '')}`.padEnd(64, '0');
  };
  const pushes = range(200).map((n) => createPush(toToken(n), { message }));
  const fed = new TestPushFeed(pushes);

  await provider.feed(fed);

  expect(fed.outcomes.filter(({ kind }) => kind === 'sent')).toHaveLength(200);
  expect(fed.stops).toEqual([]);
  for (const { pushToken } of pushes) expect(sandbox.acceptedFor(pushToken)).toBeLessThanOrEqual(1);
});

describe('against a server of our own', () => {
  let certificate: TestCertificate;
  let server: TestServer;

  beforeAll(async () => {
    certificate = await createTestCertificate();
  });
  beforeEach(async () => {
    server = opens(await openTestServer({ certificate, maxConcurrentStreams: 1 }));
    const endpoints = toEndpoints(sandbox);
    const apns = { ...endpoints.apns, production: server.url.href, ca: certificate.ca };
    pool = opens(
      createProviderPool({
        endpoints: { ...endpoints, apns },
        idleMs: 60_000,
        clock: () => now,
      }),
    );
    provider = pool.get(toApnsCredential(sandbox));
  });

  const tokensSeen = () => server.arrived.map(({ headers }) => headers['authorization']);

  test('a provider token that came too soon gives way to the one before, on another connection', async () => {
    await send();
    const [older] = tokensSeen();
    now = new Date(now.getTime() + 46 * MINUTE_MS);
    // A new one is made in the background.
    await eventually(async () => {
      await send();
      expect(tokensSeen().at(-1)).not.toBe(older);
    });
    const newer = tokensSeen().at(-1);
    server.onRequest = (request) =>
      request.headers['authorization'] === newer
        ? request.answer(429, { reason: 'TooManyProviderTokenUpdates' })
        : request.answer();

    const settled = await sendUntilSettled(createPush(createApnsToken()));

    expect(settled).toMatchObject({ outcome: { kind: 'sent' }, sends: 2 });
    expect(tokensSeen().slice(-2)).toEqual([newer, older]);
    expect(server.sessions).toHaveLength(2);
  });

  test('many answers that call one token expired lead to one new token', async () => {
    const refused = new Set<unknown>();
    server.onSession = (session) => session.settings({ maxConcurrentStreams: 100 });
    server.onRequest = (request) => {
      const { authorization } = request.headers;
      if (refused.size === 0) refused.add(authorization);
      if (refused.has(authorization)) request.answer(403, { reason: 'ExpiredProviderToken' });
      else request.answer();
    };
    const fed = new TestPushFeed(range(50).map(() => createPush(createApnsToken())));

    await provider.feed(fed);

    expect(fed.outcomes.filter(({ kind }) => kind === 'sent')).toHaveLength(50);
    expect(new Set(tokensSeen()).size).toBe(2);
  });

  test('a topic that is disallowed has one new connection to show for it', async () => {
    server.onRequest = (request) => request.answer(400, { reason: 'TopicDisallowed' });

    const settled = await sendUntilSettled(createPush(createApnsToken()));

    expect(settled).toEqual({
      outcome: { kind: 'pause', reason: 'TopicDisallowed', scope: 'app' },
      sends: 2,
    });
    expect(server.sessions).toHaveLength(2);
  });

  test('a farewell with a reason nobody knows is one like any other', async () => {
    await send();
    server.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, 1, Buffer.from('not JSON'));

    await eventually(async () => {
      const { outcome } = await sendUntilSettled(createPush(createApnsToken()));
      expect(outcome.kind).toBe('sent');
      expect(server.sessions).toHaveLength(2);
    });
  });
});

test('a provider that hangs, and one with a bad key, cost another nothing', async () => {
  const other = (fields: object) => pool.get(toApnsCredential(sandbox, fields));
  const hangingKey = sandbox.addApnsKey();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const hanging = other({
    keyId: hangingKey.keyId,
    teamId: hangingKey.teamId,
    privateKey: Buffer.from(hangingKey.p8),
    bundle: 'com.example.hangs',
  });
  const badKey = other({
    privateKey: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  });
  sandbox.script('apns', { apnsTopic: 'com.example.hangs' }, [
    { kind: 'silence', times: 'always' },
  ]);
  const toFeed = (length: number) =>
    new TestPushFeed(range(length).map(() => createPush(createApnsToken())));
  const [stuck, refused, healthy] = [toFeed(2_000), toFeed(100), toFeed(1_000)];
  const stuckEnds = hanging.feed(stuck);
  await sandbox.waitFor(1, { apnsTopic: 'com.example.hangs' });

  await Promise.all([badKey.feed(refused), provider.feed(healthy)]);

  expect(healthy.outcomes.filter(({ kind }) => kind === 'sent')).toHaveLength(1_000);
  expect(new Set(refused.outcomes.map(({ kind }) => kind))).toEqual(new Set(['pause']));
  expect(stuck.attempts.size).toBe(0);
  pool.abandon();
  await stuckEnds;
  expect(stuck.stops).toHaveLength(1);
});
