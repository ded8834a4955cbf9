import { eventually } from '@heliograph/testing';

import type { Credential, ProxyCredential } from '../credential.ts';
import { createProviderPool, type ProviderPool, type ProviderPoolDeps } from '../provider-pool.ts';
import type { Push, PushFeed } from '../push-provider.ts';
import { createMessage, createPush, findFreePort, withBody } from '../test-fixtures.ts';
import { PRODUCTION_ENDPOINTS } from '../credential.ts';
import { openTestProxy, status, toProxyCredential, type TestProxy } from './test-proxy.ts';

let proxy: TestProxy;
let pool: ProviderPool;

function openPool(deps: Partial<ProviderPoolDeps> = {}): ProviderPool {
  return createProviderPool({
    endpoints: { ...PRODUCTION_ENDPOINTS, proxy: { allowPrivateAddresses: true } },
    idleMs: 60_000,
    ...deps,
  });
}

beforeEach(async () => {
  proxy = await openTestProxy();
  pool = openPool();
});
afterEach(async () => {
  pool.abandon();
  await pool.close();
  await proxy.close();
});

const toCredential = (fields: Partial<ProxyCredential> = {}) =>
  toProxyCredential(proxy.url, fields);
const send = (credential: Credential, push = createPush('a token')) =>
  pool.get(credential).send(push);

const times = <T>(count: number, one: T) => Array.from({ length: count }, () => one);

const LOST = { kind: 'ambiguous', backoff: 'proxy_trouble', limit: 4 };

describe('a push to a proxy', () => {
  test('is POSTed to its URL with the documented body and our headers', async () => {
    const message = withBody({ body: 'Hello', extras: { conversationId: 'c', sequence: 4 } });
    const push = createPush('any "token" at all', { message });

    const attempt = await send(toCredential({ brandId: '1' }), push);

    expect(attempt).toEqual({
      outcome: { kind: 'sent' },
      status: 200,
      endpoint: new URL(proxy.url).host,
    });
    const [post] = proxy.received;
    expect(post).toMatchObject({
      method: 'POST',
      path: '/push?from=us',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        accept: 'application/json',
        'user-agent': 'heliograph',
        'idempotency-key': push.deliveryId,
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(post?.headers).not.toHaveProperty('authorization');
    expect(post?.headers).not.toHaveProperty('transfer-encoding');
    expect(JSON.parse(post?.body ?? '')).toEqual({
      'device-token': 'any "token" at all',
      'push-service': 1,
      notificationType: 'apn',
      conversationId: 'c',
      brandId: '1',
      sequence: 4,
      aps: { alert: 'Hello' },
    });
  });

  test('has the same idempotency key on each attempt, and a request id of its own', async () => {
    const push = createPush('a token');
    const credential = toCredential();

    await send(credential, push);
    await send(credential, push);

    const of = (name: string) => new Set(proxy.received.map(({ headers }) => headers[name]));
    expect(of('idempotency-key')).toEqual(new Set([push.deliveryId]));
    expect(of('x-request-id').size).toBe(2);
  });

  test('has the name and password of Basic in UTF-8', async () => {
    await send(toCredential({ basic: { username: 'heliograph', password: 'gänseblümchen:1' } }));

    const [scheme, text] = proxy.received[0]?.headers.authorization?.split(' ') ?? [];
    expect(scheme).toBe('Basic');
    expect(Buffer.from(text ?? '', 'base64').toString()).toBe('heliograph:gänseblümchen:1');
  });

  test.each<[number, object]>([
    [204, { kind: 'sent' }],
    [307, { kind: 'fail', reason: 'http_redirect', alarm: true }],
    [401, { kind: 'pause', scope: 'credential' }],
    [403, { kind: 'fail', refusedBy: 'device' }],
    [410, { kind: 'gone', fault: 'dead' }],
    [503, { kind: 'retry', backoff: 'proxy_trouble', limit: 4 }],
  ])('that is answered %i becomes %j', async (code, outcome) => {
    proxy.answer(status(code, { location: proxy.url }));

    expect(await send(toCredential())).toMatchObject({ status: code, outcome });
    expect(proxy.received).toHaveLength(1);
  });

  test('is taken where the proxy recovers', async () => {
    proxy.answer(status(500), status(503, { 'retry-after': '20' }), status(200));
    const credential = toCredential();
    const push = createPush('a token');

    const outcomes = [];
    for (let n = 0; n < 3; n += 1) outcomes.push((await send(credential, push)).outcome);

    expect(outcomes).toMatchObject([
      { kind: 'retry', reason: 'http_500' },
      { kind: 'retry', reason: 'http_503', retryAfterMs: 20_000 },
      { kind: 'sent' },
    ]);
  });

  test('is suspected of a bad certificate only until the proxy has taken one', async () => {
    const page = status(400, { 'content-type': 'text/html' }, '<html>400 Bad Request</html>');
    proxy.answer(page, status(200), page);
    const credential = toCredential();

    const outcomes = [];
    for (let n = 0; n < 3; n += 1) outcomes.push((await send(credential)).outcome);

    expect(outcomes).toMatchObject([
      { kind: 'pause', reason: 'certificate_refused', scope: 'endpoint' },
      { kind: 'sent' },
      { kind: 'fail', reason: 'http_400' },
    ]);
  });
});

describe('connections', () => {
  test('are kept, eight at most, and single pushes share them', async () => {
    const credential = toCredential();

    const attempts = await Promise.all(Array.from({ length: 40 }, () => send(credential)));
    await send(credential);

    expect(attempts.every(({ outcome }) => outcome.kind === 'sent')).toBe(true);
    expect(new Set(proxy.received.map(({ port }) => port)).size).toBeLessThanOrEqual(8);
    expect(proxy.connections).toBeLessThanOrEqual(8);
  });

  test('are never shared by credentials', async () => {
    await send(toCredential());
    await send(toCredential());

    expect(new Set(proxy.received.map(({ port }) => port)).size).toBe(2);
  });

  test('of a replaced credential are closed', async () => {
    const credential = toCredential();
    await send(credential);

    await send({ ...credential, version: 2, basic: { username: 'a', password: 'b' } });

    await eventually(() => expect(proxy.open).toBe(1));
    expect(proxy.received[1]?.headers).toHaveProperty('authorization');
  });

  test('that are idle for long are closed, and what was seen is not forgotten', async () => {
    await pool.close();
    let now = Date.now();
    pool = openPool({ idleMs: 40, clock: () => new Date(now) });
    const credential = toCredential();
    await send(credential);

    now += 60_000;
    await eventually(() => expect(proxy.open).toBe(0));
    proxy.answer(status(400, {}, '<html>'));

    expect(await send(credential)).toMatchObject({ outcome: { kind: 'fail' } });
  });
});

describe('an answer that does no harm', () => {
  test('has no end: its status counts', async () => {
    let written = 0;
    proxy.answer((_, res) => {
      const pour = () => {
        written += 1;
        if (!res.destroyed && res.write('x'.repeat(16_384))) setImmediate(pour);
      };
      res.writeHead(200).on('drain', pour);
      pour();
    });

    expect(await send(toCredential())).toMatchObject({ outcome: { kind: 'sent' }, status: 200 });
    await eventually(() => expect(proxy.open).toBe(0));
    expect(written).toBeGreaterThan(0);
  });

  test('comes byte by byte: its status counts when the time is over, and its connection is not kept', async () => {
    await pool.close();
    pool = openPool({ deadlinesMs: { proxy: 300 } });
    proxy.answer((req, res) => {
      res.writeHead(503);
      const timer = setInterval(() => res.write(' '), 10);
      req.socket.on('close', () => clearInterval(timer));
    });

    const startedAt = performance.now();
    const attempt = await send(toCredential());

    expect(attempt).toMatchObject({ outcome: { kind: 'retry', reason: 'http_503' }, status: 503 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
    await eventually(() => expect(proxy.open).toBe(0));
  });

  test('is announced for ever: that is no answer', async () => {
    await pool.close();
    pool = openPool({ deadlinesMs: { proxy: 300 } });
    proxy.answer((req, res) => {
      const timer = setInterval(() => res.writeEarlyHints({ link: '</a>; rel=preload' }), 10);
      req.socket.on('close', () => clearInterval(timer));
    });

    expect(await send(toCredential())).toMatchObject({ outcome: { ...LOST, reason: 'timeout' } });
  });

  test('is longer than we read, and says at its end what we do not see', async () => {
    proxy.answer(status(400, {}, `${' '.repeat(9_000)}<html>SSL certificate`));

    expect(await send(toCredential())).toMatchObject({ outcome: { kind: 'fail' }, status: 400 });
  });
});

describe('a feed', () => {
  function createFeed(count: number, onSettle: (n: number) => void = () => undefined) {
    const message = createMessage();
    const left = Array.from({ length: count }, (_, n) => createPush(`token ${n}`, { message }));
    const kinds: string[] = [];
    const stops: string[] = [];
    const feed: PushFeed = {
      environment: 'production',
      next: () => left.shift(),
      settle: (_: Push, { outcome }) => onSettle(kinds.push(outcome.kind)),
      stop: (outcome) => void stops.push(outcome.kind),
    };
    return { feed, kinds, stops };
  }

  test('is sent over eight connections, and ends when it is empty', async () => {
    const { feed, kinds, stops } = createFeed(100);

    await pool.get(toCredential()).feed(feed);

    expect(kinds).toEqual(times(100, 'sent'));
    expect(stops).toEqual([]);
    expect(new Set(proxy.received.map(({ body }) => body)).size).toBe(100);
    expect(new Set(proxy.received.map(({ port }) => port)).size).toBeLessThanOrEqual(8);
  });

  test('lets single pushes go first', async () => {
    const provider = pool.get(toCredential());
    const order: string[] = [];
    proxy.answer((_, res) => setImmediate(() => void res.end()));
    const singles: Promise<unknown>[] = [];
    const { feed } = createFeed(100, (n) => {
      order.push('fed');
      if (n === 1)
        for (let single = 0; single < 8; single += 1)
          singles.push(provider.send(createPush('one')).then(() => order.push('single')));
    });

    await provider.feed(feed);
    await Promise.all(singles);

    // Eight fed ones were under way, and as many may settle before the last of the singles does.
    expect(order.lastIndexOf('single')).toBeLessThan(40);
  });

  test('is stopped when the pool closes, and what it gave is settled', async () => {
    const { feed, kinds, stops } = createFeed(1_000, (n) => {
      if (n === 20) void pool.close();
    });

    await pool.get(toCredential()).feed(feed);

    expect(stops).toEqual(['requeue']);
    expect(kinds.length).toBeLessThan(1_000);
    expect(kinds).toEqual(times(kinds.length, 'sent'));
    expect(proxy.received).toHaveLength(kinds.length);
  });

  test('does not run through its pushes while there is no connection', async () => {
    const port = await findFreePort();
    const { feed, kinds } = createFeed(24);

    const startedAt = performance.now();
    await pool.get(toProxyCredential(`https://127.0.0.1:${port}/`)).feed(feed);

    // Eight at a time, with 250 ms and 500 ms between them.
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(kinds).toHaveLength(24);
  });

  test('stops at once where the credential is of no use', async () => {
    const { feed, kinds, stops } = createFeed(3);

    await pool.get(toCredential({ privateKeyPem: 'not a key' })).feed(feed);

    expect([kinds, stops]).toEqual([[], ['pause']]);
  });
});

describe('abandoning', () => {
  test('ends what is under way as nobody knows, and what waits as unsent', async () => {
    proxy.answer(() => undefined);
    const credential = toCredential();
    const sending = Array.from({ length: 9 }, () => send(credential));
    await eventually(() => expect(proxy.received).toHaveLength(8));

    pool.abandon();

    const outcomes = (await Promise.all(sending)).map(({ outcome }) => outcome);
    expect(outcomes).toMatchObject([
      ...times(8, { ...LOST, reason: 'aborted' }),
      { kind: 'requeue', reason: 'closing' },
    ]);
  });
});

describe('an address', () => {
  test.each(['https://127.0.0.1/', 'https://localhost/', 'http://push.example.com/', 'nonsense'])(
    'such as %s stops everything where private ones are not allowed',
    async (url) => {
      await pool.close();
      pool = openPool({ endpoints: PRODUCTION_ENDPOINTS });

      expect(await send(toProxyCredential(url))).toMatchObject({
        outcome: { kind: 'pause', reason: 'address_refused', scope: 'endpoint' },
      });
    },
  );
});
