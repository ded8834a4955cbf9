import { generateKeyPairSync } from 'node:crypto';
import { afterRequeues } from '@heliograph/core';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { toEndpoints } from '@heliograph/testing';
import { TestPushFeed } from '../engine/test-push-feed.ts';
import { createProviderPool, type ProviderPool, type ProviderPoolDeps } from '../provider-pool.ts';
import type { Attempt, PushProvider } from '../push-provider.ts';
import {
  createMessage,
  createPush,
  findFreePort,
  toFcmCredential,
  withBody,
} from '../test-fixtures.ts';

/** For what is never answered; short, since it is waited for. */
const IMPATIENT = { deadlinesMs: { fcm: 1_000 } };
const HOUR_MS = 3_600_000;
const RETRY = { kind: 'retry', backoff: 'fcm_trouble', bound: 'expiry' };

let sandbox: Sandbox;
let pool: ProviderPool;
let provider: PushProvider;
let tokens = 0;
/** What a test opened besides, closed in reverse order. */
const opened: { close(): Promise<unknown> }[] = [];

function opens<T extends { close(): Promise<unknown> }>(resource: T): T {
  opened.push(resource);
  return resource;
}

const nextToken = (fault = '') => `${fault && `fault-${fault}-`}device:${(tokens += 1)}`;
const outcomeOf = async (sending: Promise<Attempt>) => (await sending).outcome;

function openPool(
  fcm: Partial<ProviderPoolDeps['endpoints']['fcm']> = {},
  deps: Partial<ProviderPoolDeps> = {},
): ProviderPool {
  const endpoints = toEndpoints(sandbox);
  return createProviderPool({
    endpoints: { ...endpoints, fcm: { ...endpoints.fcm, ...fcm } },
    idleMs: 60_000,
    ...deps,
  });
}

/** One push through a pool of its own. */
async function sendThrough(...args: Parameters<typeof openPool>): Promise<Attempt> {
  const sender = opens(openPool(...args)).get(toFcmCredential(sandbox));
  return await sender.send(createPush(nextToken()));
}

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(async () => {
  await sandbox.close();
});
beforeEach(() => {
  sandbox.clear();
  sandbox.clearScripts();
  pool = openPool();
  provider = pool.get(toFcmCredential(sandbox));
});
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource.close();
  await pool.close();
});

describe('a push to FCM', () => {
  test('arrives as JSON, and is known by the name that FCM gave it', async () => {
    const message = withBody({ title: 'Hello', extras: { a: { b: 1 } } });
    const push = createPush(nextToken(), { message });

    const attempt = await provider.send(push);

    const [received] = sandbox.received({ token: push.pushToken });
    expect(attempt).toEqual({
      outcome: { kind: 'sent', providerMessageId: received?.answer.name },
      status: 200,
      endpoint: new URL(sandbox.fcmUrl).host,
    });
    expect(received?.projectId).toBe(sandbox.credentials.fcm.projectId);
    expect(received?.body).toEqual({
      message: {
        token: push.pushToken,
        data: { a: '{"b":1}' },
        android: {
          priority: 'HIGH',
          ttl: expect.stringMatching(/^3(?:600|59\d)s$/) as string,
          notification: {
            title: 'Hello',
            tag: message.id,
            notification_priority: 'PRIORITY_HIGH',
          },
        },
      },
    });
  });

  test('may be one of 200 at once, with one access token for all', async () => {
    sandbox.script('google-token', '', [
      { kind: 'accept' },
      { kind: 'refuse', reason: 'invalid_grant' },
    ]);
    const message = createMessage();

    const attempts = await Promise.all(
      Array.from({ length: 200 }, () => provider.send(createPush(nextToken(), { message }))),
    );

    expect(attempts.filter(({ outcome }) => outcome.kind === 'sent')).toHaveLength(200);
  });

  test('lives shorter the later it is sent', async () => {
    let now = new Date();
    const late = opens(openPool({}, { clock: () => now })).get(toFcmCredential(sandbox));
    const message = createMessage({ expiresAt: new Date(now.getTime() + HOUR_MS) });
    const [early, later] = [nextToken(), nextToken()];

    await late.send(createPush(early, { message }));
    now = new Date(now.getTime() + 100_000);
    await late.send(createPush(later, { message }));

    const ttl = { body: { message: { android: { ttl: '3500s' } } } };
    expect(sandbox.received({ token: later })[0]).toMatchObject(ttl);
    expect(sandbox.received({ token: early })[0]).not.toMatchObject(ttl);
  });

  test('may be data only by configuration', async () => {
    const push = createPush(nextToken());
    const dataOnly = opens(openPool({}, { fcm: { dataNotificationOnly: true } }));

    await dataOnly.get(toFcmCredential(sandbox)).send(push);

    expect(sandbox.received({ token: push.pushToken })[0]?.body).toMatchObject({
      message: { data: { _notification: expect.stringContaining('"title"') as string } },
    });
  });

  test('is told to validate only, and sends nothing to anybody', async () => {
    const { outcome } = await sendThrough({}, { fcm: { validateOnly: true } });

    expect(outcome).toEqual({
      kind: 'sent',
      providerMessageId: expect.stringMatching(/\/fake_message_id$/),
    });
    expect(sandbox.received()).toEqual([]);
  });
});

describe('a refusal of FCM', () => {
  test.each([
    ['UNREGISTERED', 404, { kind: 'gone', fault: 'dead' }],
    ['SENDER_ID_MISMATCH', 403, { kind: 'gone', fault: 'wrong_place' }],
    ['PERMISSION_DENIED', 403, { kind: 'pause', scope: 'credential' }],
    ['THIRD_PARTY_AUTH_ERROR', 401, { kind: 'pause', scope: 'third_party' }],
    ['NOT_FOUND', 404, { kind: 'pause', scope: 'app' }],
    ['UNAVAILABLE', 503, RETRY],
    ['UNAVAILABLE_WAIT', 503, { ...RETRY, retryAfterMs: 2_000 }],
    ['QUOTA_EXCEEDED', 429, { kind: 'retry', backoff: 'fcm_quota', bound: 'expiry' }],
    ['QUOTA_EXCEEDED_WAIT', 429, { kind: 'retry', backoff: 'fcm_quota', retryAfterMs: 2_000 }],
    ['QUOTA_EXCEEDED_WAIT_DATE', 429, { kind: 'retry', backoff: 'fcm_quota' }],
    ['INTERNAL', 500, RETRY],
    ['HTML_502', 502, RETRY],
    ['HTML_504', 504, RETRY],
    ['SOMETHING_NEW', 418, { kind: 'fail', alarm: true }],
  ])('%s', async (fault, status, expected) => {
    const attempt = await provider.send(createPush(nextToken(fault)));

    expect(attempt).toMatchObject({ status, outcome: expected });
  });

  test('for a stale access token is healed by a new one', async () => {
    await provider.send(createPush(nextToken()));
    sandbox.revokeAccessTokens();
    const push = createPush(nextToken());

    const first = await outcomeOf(provider.send(push));
    const second = await outcomeOf(provider.send(push));

    expect(first).toMatchObject({ kind: 'requeue', remedy: 'new_token', limit: 1 });
    expect(second.kind).toBe('sent');
  });

  test('for every access token pauses the credential', async () => {
    const push = createPush(nextToken('UNAUTHENTICATED'));

    const first = await outcomeOf(provider.send(push));
    const second = await outcomeOf(provider.send(push));

    expect(afterRequeues(first, 0).kind).toBe('requeue');
    expect(afterRequeues(second, 1)).toMatchObject({ kind: 'pause', scope: 'credential' });
    expect(sandbox.received({ token: push.pushToken })).toHaveLength(2);
  });
});

describe('a push that FCM provably did not process goes again at once', () => {
  test.each(['REFUSED_STREAM', 'GOAWAY_REFUSED'])('after %s', async (fault) => {
    const push = createPush(nextToken(`once-${fault}`));

    const first = await outcomeOf(provider.send(push));
    const second = await outcomeOf(provider.send(push));

    expect(first).toMatchObject({ kind: 'requeue', remedy: 'other_connection' });
    expect(second.kind).toBe('sent');
    expect(sandbox.acceptedFor(push.pushToken)).toBe(1);
  });
});

describe('a feed of FCM', () => {
  test('has each of its pushes settled, with what FCM says of each', async () => {
    const message = createMessage();
    const faults = ['', 'UNREGISTERED', 'once-GOAWAY_REFUSED', 'INTERNAL', 'HTML_502'];
    const pushes = Array.from({ length: 100 }, (_, n) =>
      createPush(nextToken(faults[n % faults.length]), { message }),
    );
    const fed = new TestPushFeed(pushes);

    await provider.feed(fed);

    const counts = new Map<string, number>();
    for (const { kind } of fed.outcomes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    expect(counts).toEqual(
      new Map([
        ['sent', 40],
        ['gone', 20],
        ['retry', 40],
      ]),
    );
    expect(fed.stops).toEqual([]);
  });

  test('is stopped where its credential gets no access token', async () => {
    sandbox.script('google-token', '', [
      { kind: 'refuse', reason: 'invalid_grant', times: 'always' },
    ]);
    const fed = new TestPushFeed([createPush(nextToken()), createPush(nextToken())]);

    await provider.feed(fed);

    expect(fed.stops).toEqual([{ kind: 'pause', reason: 'invalid_grant', scope: 'credential' }]);
    expect(fed.asked).toBe(0);
    expect(sandbox.received({ provider: 'fcm' })).toEqual([]);
  });
});

describe('a push to FCM without an answer is ambiguous', () => {
  beforeEach(() => {
    pool = opens(openPool({}, IMPATIENT));
    provider = pool.get(toFcmCredential(sandbox));
  });

  test.each([
    ['SILENCE', 'timeout'],
    ['FIN', 'connection_closed'],
    ['TCP_RESET', 'ECONNRESET'],
    ['RST_STREAM', 'INTERNAL_ERROR'],
  ])('after %s', async (fault, reason) => {
    const outcome = await outcomeOf(provider.send(createPush(nextToken(fault))));

    expect(outcome).toEqual({ kind: 'ambiguous', reason });
  });

  test('when its sender gives up', async () => {
    const push = createPush(nextToken('SILENCE'));
    const sending = provider.send(push);
    await sandbox.waitFor(1, { token: push.pushToken });

    pool.abandon();

    expect(await outcomeOf(sending)).toEqual({ kind: 'ambiguous', reason: 'aborted' });
  });
});

describe('without a connection to FCM', () => {
  test('a push waits, ten seconds at least', async () => {
    const port = await findFreePort();

    const { outcome } = await sendThrough({ url: `https://127.0.0.1:${port}` });

    expect(outcome).toEqual({ ...RETRY, reason: 'ECONNREFUSED' });
  });

  test('a certificate of an unknown authority pauses the endpoint', async () => {
    const stranger = opens(await createSandbox());

    const { outcome } = await sendThrough({ url: stranger.fcmUrl });

    expect(outcome).toMatchObject({ kind: 'pause', scope: 'endpoint' });
  });
});

describe('an access token that cannot be had', () => {
  test.each([
    ['invalid_grant', { kind: 'pause', scope: 'credential', reason: 'invalid_grant' }],
    ['invalid_client', { kind: 'pause', scope: 'credential', reason: 'invalid_client' }],
    ['unauthorized_client', { kind: 'pause', scope: 'credential', reason: 'unauthorized_client' }],
    ['rate_limit_exceeded', { ...RETRY, reason: 'token endpoint status 429' }],
    ['internal_failure', { ...RETRY, reason: 'token endpoint status 500' }],
    ['temporarily_unavailable', { ...RETRY, reason: 'token endpoint status 503' }],
  ])('for %s', async (reason, expected) => {
    sandbox.script('google-token', '', [{ kind: 'refuse', reason, times: 'always' }]);

    expect(await outcomeOf(provider.send(createPush(nextToken())))).toEqual(expected);
    expect(sandbox.received({ provider: 'fcm' })).toEqual([]);
  });

  test.each([
    ['silence', { ...RETRY, reason: 'token endpoint gave no answer' }],
    ['fin', { ...RETRY, reason: 'token endpoint gave no answer' }],
    ['tcp-reset', { ...RETRY, reason: 'token endpoint gave no answer' }],
  ] as const)('for %s: nothing was sent', async (kind, expected) => {
    sandbox.script('google-token', '', [{ kind, times: 'always' }]);

    const { outcome } = await sendThrough({}, IMPATIENT);

    expect(outcome).toEqual(expected);
  });

  test('for want of a connection', async () => {
    const port = await findFreePort();

    const { outcome } = await sendThrough({ tokenUrl: `https://127.0.0.1:${port}/token` });

    expect(outcome).toEqual({ ...RETRY, reason: 'ECONNREFUSED' });
  });

  test('for a certificate of an unknown authority', async () => {
    const stranger = opens(await createSandbox());

    const { outcome } = await sendThrough({ tokenUrl: stranger.tokenUrl });

    expect(outcome).toMatchObject({ kind: 'pause', scope: 'endpoint' });
  });

  test('is fetched again by the next push', async () => {
    sandbox.script('google-token', '', [{ kind: 'refuse', reason: 'internal_failure' }]);
    await provider.send(createPush(nextToken()));

    expect((await outcomeOf(provider.send(createPush(nextToken())))).kind).toBe('sent');
  });

  test('does no harm while the old one still serves', async () => {
    let now = new Date();
    const sender = opens(openPool({}, { clock: () => now })).get(toFcmCredential(sandbox));
    await sender.send(createPush(nextToken()));
    sandbox.script('google-token', '', [
      { kind: 'refuse', reason: 'internal_failure', times: 'always' },
    ]);

    now = new Date(now.getTime() + HOUR_MS - 120_000);
    const nearItsEnd = await outcomeOf(sender.send(createPush(nextToken())));
    now = new Date(now.getTime() + 120_000);
    const past = await outcomeOf(sender.send(createPush(nextToken())));

    expect(nearItsEnd.kind).toBe('sent');
    expect(past).toMatchObject({ kind: 'retry', reason: 'token endpoint status 500' });
  });
});

describe('a service account that nothing can be signed with', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ec = privateKey.export({ type: 'pkcs8', format: 'pem' });

  test.each([
    ['nothing', ''],
    ['nonsense', 'not JSON'],
    ['another JSON', '[]'],
    ['no key', '{"client_email":"a@b.c"}'],
    ['a broken key', '{"client_email":"a@b.c","private_key":"nonsense"}'],
    ['a key of another kind', JSON.stringify({ client_email: 'a@b.c', private_key: ec })],
  ])('%s pauses the credential', async (_, file) => {
    const serviceAccount = Buffer.from(file);
    const unusable = pool.get(toFcmCredential(sandbox, { serviceAccount }));

    const outcome = await outcomeOf(unusable.send(createPush(nextToken())));

    expect(outcome).toEqual({ kind: 'pause', reason: 'unusable_key', scope: 'credential' });
  });

  test.each(['', 'a/b', '../x', 'p?q', 'p\r\nx: y'])(
    'nor can a project be %j',
    async (projectId) => {
      const unusable = pool.get(toFcmCredential(sandbox, { projectId }));

      const outcome = await outcomeOf(unusable.send(createPush(nextToken())));

      expect(outcome).toMatchObject({ kind: 'pause', reason: 'unusable_project_id' });
    },
  );

  test('nor may its token_uri be any', async () => {
    const file: unknown = JSON.parse(toFcmCredential(sandbox).serviceAccount.toString());
    const elsewhere = { ...(file as object), token_uri: 'https://169.254.169.254/token' };
    const serviceAccount = Buffer.from(JSON.stringify(elsewhere));
    const unusable = pool.get(toFcmCredential(sandbox, { serviceAccount }));

    const outcome = await outcomeOf(unusable.send(createPush(nextToken())));

    expect(outcome).toMatchObject({ kind: 'pause', reason: 'token_uri_not_allowed' });
  });
});
