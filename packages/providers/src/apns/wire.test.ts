import type { Outcome } from '@heliograph/core';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { toEndpoints } from '@heliograph/testing';
import { TestPushFeed } from '../engine/test-push-feed.ts';
import { createProviderPool, type ProviderPool, type ProviderPoolDeps } from '../provider-pool.ts';
import type { Attempt, PushProvider } from '../push-provider.ts';
import {
  createApnsToken,
  createMessage,
  createPush,
  findFreePort,
  openWire,
  toApnsCredential,
  withBody,
} from '../test-fixtures.ts';
import { APNS_CLIENTS } from './providers.ts';

/** For what is never answered; short, since it is waited for. */
const SHORT_DEADLINE_MS = 1_000;

describe.each(APNS_CLIENTS)('through %s', (apnsClient) => {
  /** Where they differ in a word only: node-apn's are those of node:http2. */
  const isEngine = apnsClient === 'engine';
  let sandbox: Sandbox;
  let pool: ProviderPool;
  let provider: PushProvider;
  /** What a test opened besides, closed in reverse order. */
  const opened: { close(): Promise<unknown> }[] = [];

  function opens<T extends { close(): Promise<unknown> }>(resource: T): T {
    opened.push(resource);
    return resource;
  }

  const openPool = (
    production = sandbox.apnsUrl,
    deadlinesMs: ProviderPoolDeps['deadlinesMs'] = {},
  ): ProviderPool => {
    const endpoints = toEndpoints(sandbox);
    return createProviderPool({
      endpoints: { ...endpoints, apns: { ...endpoints.apns, production } },
      idleMs: 60_000,
      apnsClient,
      deadlinesMs,
    });
  };

  const openImpatientPool = (production?: string) =>
    openPool(production, { apns: SHORT_DEADLINE_MS });

  const outcomeOf = async (sending: Promise<Attempt>) => (await sending).outcome;

  beforeAll(async () => {
    sandbox = await createSandbox();
  });
  afterAll(async () => {
    await sandbox.close();
  });
  beforeEach(() => {
    pool = openPool();
    provider = pool.get(toApnsCredential(sandbox));
  });
  afterEach(async () => {
    for (const resource of opened.splice(0).toReversed()) await resource.close();
    await pool.close();
  });

  describe('a push to APNs', () => {
    test('arrives with its headers and JSON', async () => {
      const message = withBody({
        title: 'Hello',
        collapseKey: 'greeting',
        extras: { a: { b: 1 } },
      });
      const push = createPush(createApnsToken(), { message });

      const attempt = await provider.send(push);

      expect(attempt).toEqual({
        outcome: { kind: 'sent', providerMessageId: push.deliveryId },
        status: 200,
        endpoint: new URL(sandbox.apnsUrl).host,
      });
      const [received] = sandbox.received({ token: push.pushToken });
      expect(received?.headers).toEqual({
        'apns-id': push.deliveryId,
        'apns-topic': sandbox.credentials.apns.bundle,
        'apns-push-type': 'alert',
        'apns-priority': '10',
        'apns-expiration': String(Math.floor(message.expiresAt.getTime() / 1000)),
        'apns-collapse-id': 'greeting',
      });
      expect(received?.body).toEqual({
        aps: { alert: { title: 'Hello' }, 'thread-id': 'greeting' },
        a: { b: 1 },
      });
    });

    test('goes to the host of its environment', async () => {
      const push = createPush(createApnsToken(), { environment: 'development' });

      const attempt = await provider.send(push);

      expect(attempt.outcome.kind).toBe('sent');
      expect(attempt.endpoint).toBe(new URL(sandbox.apnsDevelopmentUrl).host);
      expect(sandbox.received({ token: push.pushToken })[0]?.environment).toBe('development');
    });

    test('has its token lower-cased and without brackets', async () => {
      const token = createApnsToken();
      const printed = `<${token.slice(0, 32).toUpperCase()} ${token.slice(32)}>`;

      await provider.send(createPush(printed));

      expect(sandbox.acceptedFor(token)).toBe(1);
    });

    test('to what can be no token is refused without asking APNs', async () => {
      const attempt = await provider.send(createPush('../1/apps/x'));

      expect(attempt.outcome).toEqual({
        kind: 'gone',
        reason: 'BadDeviceToken',
        fault: 'wrong_place',
      });
      expect(attempt.status).toBeUndefined();
    });

    test('may be one of 200 at once on a connection that starts with one stream', async () => {
      const message = createMessage();
      const tokens = Array.from({ length: 200 }, () => createApnsToken());

      const attempts = await Promise.all(
        tokens.map((token) => provider.send(createPush(token, { message }))),
      );

      expect(attempts.filter(({ outcome }) => outcome.kind === 'sent')).toHaveLength(200);
      expect(tokens.every((token) => sandbox.acceptedFor(token) === 1)).toBe(true);
    });

    test('goes on after the limit of streams fell to one', async () => {
      await provider.send(createPush(createApnsToken('000a')));

      const attempts = await Promise.all(
        Array.from({ length: 100 }, () => provider.send(createPush(createApnsToken()))),
      );

      expect(attempts.filter(({ outcome }) => outcome.kind === 'sent')).toHaveLength(100);
    });
  });

  describe('a refusal of APNs', () => {
    test.each([
      ['4000', 400, 'gone', 'BadDeviceToken'],
      ['4002', 400, 'fail', 'BadCollapseId'],
      ['400a', 400, 'pause', 'BadTopic'],
      ['400c', 400, 'requeue', 'TopicDisallowed'],
      ['400d', 400, 'requeue', 'IdleTimeout'],
      ['400e', 400, 'fail', 'SomethingNew'],
      ['4030', 403, 'requeue', 'ExpiredProviderToken'],
      ['4031', 403, 'pause', 'InvalidProviderToken'],
      ['4032', 403, 'pause', 'MissingProviderToken'],
      ['4033', 403, 'requeue', 'UnrelatedKeyIdInToken'],
      ['4034', 403, 'pause', 'BadEnvironmentKeyIdInToken'],
      ['4037', 403, 'fail', 'Forbidden'],
      ['4040', 404, 'fail', 'BadPath'],
      ['4050', 405, 'fail', 'MethodNotAllowed'],
      ['4100', 410, 'gone', 'Unregistered'],
      ['4101', 410, 'gone', 'ExpiredToken'],
      ['4130', 413, 'fail', 'PayloadTooLarge'],
      ['4180', 418, 'fail', 'SomethingNew'],
      ['4290', 429, 'retry', 'TooManyRequests'],
      ['4291', 429, 'requeue', 'TooManyProviderTokenUpdates'],
      ['5000', 500, 'retry', 'InternalServerError'],
      ['5030', 503, 'retry', 'ServiceUnavailable'],
      ['5031', 503, 'requeue', 'Shutdown'],
      ['5990', 599, 'retry', 'SomethingNew'],
    ])('%s: %i %s %s', async (code, status, kind, reason) => {
      const attempt = await provider.send(createPush(createApnsToken(code)));

      expect(attempt).toMatchObject({ status, outcome: { kind, reason } });
    });

    test('with 410 says since when the token is dead', async () => {
      const before = Date.now();

      const attempt = await provider.send(createPush(createApnsToken('4100')));

      const { outcome } = attempt;
      const invalidSince = outcome.kind === 'gone' ? outcome.invalidSince : undefined;
      expect(invalidSince?.getTime()).toBeGreaterThanOrEqual(before);
      expect(invalidSince?.getTime()).toBeLessThanOrEqual(Date.now());
    });

    test('with 410 may leave that out', async () => {
      const attempt = await provider.send(createPush(createApnsToken('4103')));

      expect(attempt.outcome).toEqual({ kind: 'gone', reason: 'Unregistered', fault: 'dead' });
    });

    test('for an expired provider token is healed by a new one', async () => {
      const push = createPush(`fa014030${createApnsToken().slice(8)}`);

      const first = await outcomeOf(provider.send(push));
      const second = await outcomeOf(provider.send(push));

      expect(first).toMatchObject({ kind: 'requeue', remedy: 'new_token' });
      expect(second.kind).toBe('sent');
    });

    test('that wants another connection gets one', async () => {
      const wire = opens(await openWire(sandbox.apnsUrl));
      const sender = opens(openPool(wire.url)).get(toApnsCredential(sandbox));

      await sender.send(createPush(createApnsToken('5031')));
      const next = await outcomeOf(sender.send(createPush(createApnsToken())));

      expect(next.kind).toBe('sent');
      expect(wire.connections).toBe(2);
    });

    test('with 500 does not take pushes down with it that are in flight', async () => {
      const slow = provider.send(createPush(createApnsToken()));
      await slow;
      const tokens = Array.from({ length: 60 }, (_, n) =>
        createApnsToken(n % 3 === 0 ? '5000' : ''),
      );

      const outcomes = await Promise.all(
        tokens.map((token) => outcomeOf(provider.send(createPush(token)))),
      );

      expect(outcomes.filter(({ kind }) => kind === 'ambiguous')).toEqual([]);
      expect(outcomes.filter(({ kind }) => kind === 'sent').length).toBeGreaterThan(0);
    });
  });

  describe('a push to APNs without an answer', () => {
    beforeEach(() => {
      provider = opens(openImpatientPool()).get(toApnsCredential(sandbox));
    });

    test.each([
      ['silence', '0000', 'timeout'],
      ['FIN', '0006', isEngine ? 'connection_closed' : 'no_answer'],
      ['a TCP reset', '0007', 'ECONNRESET'],
      ['RST_STREAM', '0008', isEngine ? 'INTERNAL_ERROR' : 'ERR_HTTP2_STREAM_ERROR'],
      [
        'GOAWAY and the end of the connection',
        '0005',
        isEngine ? 'connection_closed' : 'no_answer',
      ],
    ])('is ambiguous after %s', async (_, code, reason) => {
      const outcome = await outcomeOf(provider.send(createPush(createApnsToken(code))));

      expect(outcome).toEqual({ kind: 'ambiguous', reason });
    });

    test.each([
      ['0006', 'FIN'],
      ['0007', 'a TCP reset'],
      ['0005', 'GOAWAY'],
    ])('leaves the next one alone (%s, %s)', async (code) => {
      await provider.send(createPush(createApnsToken(code)));

      const next = await outcomeOf(provider.send(createPush(createApnsToken())));

      expect(next.kind).toBe('sent');
    });

    test('is ambiguous when its sender gives up', async () => {
      const abandoned = opens(openPool());
      const push = createPush(createApnsToken('0000'));
      const sending = abandoned.get(toApnsCredential(sandbox)).send(push);
      await sandbox.waitFor(1, { token: push.pushToken });

      abandoned.abandon();

      expect(await outcomeOf(sending)).toEqual({ kind: 'ambiguous', reason: 'aborted' });
    });
  });

  describe('a push that APNs provably did not process goes again at once', () => {
    test.each([
      ['a refused stream', '0009', 'refused_stream'],
      ['GOAWAY', '0004', 'refused_stream'],
    ])('after %s', async (_, code, reason) => {
      const outcome = await outcomeOf(provider.send(createPush(createApnsToken(code))));

      expect(outcome).toMatchObject({ kind: 'requeue', reason, remedy: 'other_connection' });
    });

    test('among a burst that a GOAWAY breaks, and nothing is lost or sent twice', async () => {
      await provider.send(createPush(createApnsToken()));
      const tokens = Array.from({ length: 100 }, (_, n) => createApnsToken(n === 50 ? '0003' : ''));

      const outcomes = await Promise.all(
        tokens.map((token) => outcomeOf(provider.send(createPush(token)))),
      );

      const refused = tokens.filter((_, n) => outcomes[n]?.kind === 'requeue');
      const sent = tokens.filter((_, n) => outcomes[n]?.kind === 'sent');
      expect(refused.length + sent.length).toBe(100);
      expect(refused.every((token) => sandbox.acceptedFor(token) === 0)).toBe(true);
      expect(sent.every((token) => sandbox.acceptedFor(token) === 1)).toBe(true);
    });
  });

  /** One push through a pool of its own. */
  async function sendThrough(url: string): Promise<Outcome> {
    const sender = opens(openPool(url)).get(toApnsCredential(sandbox));
    return await outcomeOf(sender.send(createPush(createApnsToken())));
  }

  describe('without a connection to APNs', () => {
    test('a push waits until somebody listens', async () => {
      const free = await findFreePort();

      expect(await sendThrough(`https://127.0.0.1:${free}`)).toEqual({
        kind: 'retry',
        reason: 'ECONNREFUSED',
        backoff: 'connection',
        bound: 'expiry',
      });
    });

    test('a push waits until the name is known', async () => {
      expect(await sendThrough('https://nowhere.invalid')).toMatchObject({
        kind: 'retry',
        backoff: 'connection',
      });
    });

    test('a certificate of an unknown authority pauses the endpoint', async () => {
      const stranger = opens(await createSandbox());

      const outcome = await sendThrough(stranger.apnsUrl);

      expect(outcome).toMatchObject({ kind: 'pause', scope: 'endpoint' });
    });
  });

  describe('a feed', () => {
    test('has each of its pushes settled, and what was not processed sent again', async () => {
      const message = createMessage();
      const codes = ['', '4100', '5030', ''];
      const tokens = Array.from({ length: 80 }, (_, n) => createApnsToken(codes[n % codes.length]));
      const fed = new TestPushFeed(tokens.map((token) => createPush(token, { message })));

      await provider.feed(fed);

      const kinds = fed.outcomes.map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'sent')).toHaveLength(40);
      expect(kinds.filter((kind) => kind === 'gone')).toHaveLength(20);
      expect(kinds.filter((kind) => kind === 'retry')).toHaveLength(20);
      expect([fed.inFlight, fed.stops]).toEqual([0, []]);
    });

    test('is stopped by a key that nothing can be signed with', async () => {
      const unusable = pool.get(toApnsCredential(sandbox, { privateKey: Buffer.alloc(0) }));
      const fed = new TestPushFeed([createPush(createApnsToken())]);

      await unusable.feed(fed);

      expect(fed.stops).toEqual([{ kind: 'pause', reason: 'unusable_key', scope: 'credential' }]);
      expect(fed.asked).toBe(0);
    });

    test('is stopped when its provider closes, and has its answers still', async () => {
      sandbox.script('apns', '', [{ kind: 'accept', delayMs: 100, times: 'always' }]);
      const message = createMessage();
      const pushes = Array.from({ length: 5_000 }, () =>
        createPush(createApnsToken(), { message }),
      );
      const fed = new TestPushFeed(pushes);
      const feeding = provider.feed(fed);
      await sandbox.waitFor(1, { token: pushes[0]?.pushToken ?? '' });

      await Promise.all([provider.close(), feeding]);
      sandbox.clearScripts();

      expect(fed.stops).toMatchObject([{ kind: 'requeue', reason: 'closing' }]);
      expect(fed.inFlight).toBe(0);
      expect(fed.attempts.size).toBeLessThan(5_000);
    });
  });
});
