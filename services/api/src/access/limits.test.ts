import { connect, type Socket } from 'node:net';

import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';

import { makeKey } from '../../test/access/world.ts';
import { openTestApi, type TestApi } from '../../test/open-test-api.ts';

const open: TestApi[] = [];
async function openApi(options: Parameters<typeof openTestApi>[0]): Promise<TestApi> {
  const api = await openTestApi(options);
  open.push(api);
  return api;
}
afterEach(async () => {
  // The one that another stands beside goes last.
  for (const api of open.splice(0).toReversed()) await api.close();
});

const LIMITS = { maxConnections: 10_000, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 };

function ask(api: TestApi, key: string) {
  return api.call('GET', '/push/campaign/list', undefined, { authorization: `Bearer ${key}` });
}

/** Less than one request in the time that any test takes. */
const ONE_AND_NO_MORE = 0.0001;

describe('a limit on requests', () => {
  test('counts the requests to all servers, and says when to come again', async () => {
    const api = await openApi({ auth: 'on' });
    const replica = await openApi({ auth: 'on', beside: api });
    const { text } = await makeKey(api.db, { ratePerSecond: ONE_AND_NO_MORE });

    const [first, second] = [await ask(api, text), await ask(replica, text)];

    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-limit')).toBe('1');
    expect(first.headers.get('ratelimit-remaining')).toBe('0');
    expect(second).toMatchObject({
      status: 429,
      body: { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC' } },
    });
    const resetSeconds = Number(second.headers.get('ratelimit-reset'));
    expect(resetSeconds).toBeGreaterThan(9000);
    expect(resetSeconds).toBeLessThanOrEqual(10_000);
    expect(second.headers.get('retry-after')).toBe(`${resetSeconds}`);
  });

  test("is the server's where the key has none, and none where the key has 0", async () => {
    const api = await openApi({ auth: 'on', ratePerSecond: 1000 });
    const limited = await ask(api, (await makeKey(api.db)).text);
    const unlimited = await ask(api, (await makeKey(api.db, { ratePerSecond: 0 })).text);

    expect([limited.status, unlimited.status]).toEqual([200, 200]);
    expect(limited.headers.get('ratelimit-limit')).toBe('1000');
    expect(unlimited.headers.get('ratelimit-limit')).toBeNull();
  });

  test('counts for itself what comes with another key, and nothing of who has none', async () => {
    const api = await openApi({ auth: 'on' });
    const [one, other] = [
      await makeKey(api.db, { ratePerSecond: ONE_AND_NO_MORE }),
      await makeKey(api.db, { ratePerSecond: ONE_AND_NO_MORE }),
    ];
    const wrong = `${one.text.slice(0, -2)}xx`;

    const statuses = [];
    for (const key of [wrong, wrong, one.text, one.text, other.text])
      statuses.push((await ask(api, key)).status);

    expect(statuses).toEqual([401, 401, 200, 429, 200]);
  });

  test('stops nobody while Redis is away', async () => {
    const redis = await startOwnRedis();
    const { prefix } = await openTestRedis();
    const api = await openApi({ auth: 'on', redis: { url: redis.url, prefix } });
    const { text } = await makeKey(api.db, { ratePerSecond: ONE_AND_NO_MORE });
    await eventually(() => expect(api.redisConnection.status).toBe('ready'));

    await redis.kill();

    const answers = [await ask(api, text), await ask(api, text), await ask(api, text)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await redis.stop();
  });
});

/** A connection on which a request was begun. */
async function begin(
  api: TestApi,
  text: string,
): Promise<{ socket: Socket; ended: Promise<string> }> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (part) => (received += part.toString()));
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(text);
  return { socket, ended };
}

describe('too many requests at once', () => {
  test('are refused, and told to come again, until others are answered', async () => {
    const api = await openApi({ maxRequests: 1, syncWaitMs: 3_600_000 });
    const slow = await begin(
      api,
      'POST /push/device/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{',
    );
    const refused = await eventually(async () => {
      const answer = await api.get('/push/service/status');
      expect(answer.status).toBe(503);
      return answer;
    });
    const health = await api.get('/actuator/health/liveness');
    const signed = await api.call('POST', '/api/1.0/push/alice', {});

    slow.socket.destroy();

    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.body).toMatchObject({ responseObject: { code: 'ERROR_GENERIC' } });
    expect(health.status).toBe(200);
    expect([signed.status, signed.headers.get('retry-after')]).toEqual([503, '1']);
    expect(signed.body).toMatchObject({ error: { status: 503, code: 50300 } });
    await eventually(async () => expect((await api.get('/push/service/status')).status).toBe(200));
  });

  test('lose nothing that was accepted', async () => {
    const api = await openApi({ maxRequests: 4, auth: 'on' });
    const { text } = await makeKey(api.db);
    const authorization = `Bearer ${text}`;
    await api.call('POST', '/admin/app/create', { requestObject: { appId: 1 } }, { authorization });
    const fcm = { appId: 1, projectId: 'p', privateKeyBase64: 'aGVsbG8=' };
    await api.call('PUT', '/admin/app/android/update', { requestObject: fcm }, { authorization });
    const body = {
      requestObject: { appId: 1, mode: 'ASYNCHRONOUS', message: { userId: 'u', body: {} } },
    };

    const answers = await Promise.all(
      Array.from({ length: 400 }, () =>
        api.call('POST', '/push/message/send', body, { authorization }),
      ),
    );

    const accepted = answers.filter(({ status }) => status === 200);
    const shed = answers.filter(({ status }) => status === 503);
    const stored = await api.db.selectFrom('messages').select('id').execute();
    expect(accepted.length).toBeGreaterThan(0);
    expect(shed.length).toBe(answers.length - accepted.length);
    expect(stored.map(({ id }) => id).toSorted()).toEqual(
      accepted.flatMap((answer) => answer.body.responseObject.messageIds).toSorted(),
    );
  });
});

describe('a slow client', () => {
  test('is cut off when its headers do not come', async () => {
    const api = await openApi({ limits: { ...LIMITS, headersTimeoutMs: 200 } });

    const { ended } = await begin(api, 'GET /push/service/status HTTP/1.1\r\nHost: x\r\nX: ');

    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('is cut off when its body does not come', async () => {
    const limits = { ...LIMITS, headersTimeoutMs: 200, requestTimeoutMs: 200 };
    const api = await openApi({ limits });

    const { ended } = await begin(
      api,
      'POST /push/device/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"a":',
    );

    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('that has no key is answered before its body comes', async () => {
    const api = await openApi({ auth: 'on' });

    const { socket, ended } = await begin(
      api,
      'POST /push/device/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{',
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();

    expect(await ended).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('a flood of headers', () => {
  test.each([
    ['more than anybody needs', Array.from({ length: 101 }, (_, n) => `X-${n}: x`)],
    ['a hundred times the same', Array.from({ length: 100 }, () => 'X: x')],
    ['kilobytes of one', [`X: ${'x'.repeat(20_000)}`]],
    ['thousands of short ones', Array.from({ length: 3000 }, () => 'a:b')],
  ])('is refused: %s', async (_, headers) => {
    const api = await openApi({});

    const { ended } = await begin(
      api,
      [
        'GET /push/service/status HTTP/1.1',
        'Host: x',
        'Connection: close',
        ...headers,
        '',
        '',
      ].join('\r\n'),
    );

    expect(await ended).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('connections', () => {
  test('above the bound are cut off, and those below it are served', async () => {
    const api = await openApi({ limits: { ...LIMITS, maxConnections: 2 } });
    const [first, second] = [await begin(api, ''), await begin(api, '')];

    const third = await begin(api, 'GET /push/service/status HTTP/1.1\r\nHost: x\r\n\r\n');

    expect(await third.ended).toBe('');
    first.socket.end('GET /push/service/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await first.ended).toMatch(/^HTTP\/1\.1 200 /);
    second.socket.destroy();
  });
});
