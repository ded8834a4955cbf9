import { createClient, HeliographError, type ClientOptions, type RetryNotice } from './index.ts';
import {
  cut,
  cutInside,
  html,
  json,
  ok,
  openTestServer,
  refuse,
  silence,
  type Answerer,
  type TestServer,
} from './test-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const API_KEY = 'hg_0123456789abcdef_secret';
const MESSAGE = { appId: 1, message: { userId: 'alice', body: { title: 'Hello' } } };

/** A client of a server that gives these answers, one after the other. */
async function open(answers: readonly Answerer[], options: Partial<ClientOptions> = {}) {
  const server = await openTestServer(...answers);
  servers.push(server);
  const notices: RetryNotice[] = [];
  const onRetry = (notice: RetryNotice) => notices.push(notice);
  const client = createClient({ baseUrl: server.url, apiKey: API_KEY, onRetry, ...options });
  return { client, server, notices };
}

async function errorOf(call: Promise<unknown>): Promise<HeliographError> {
  const error = await call.then(() => undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HeliographError);
  return error as HeliographError;
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function keysOf({ received }: TestServer): readonly unknown[] {
  return received.map(({ headers }) => headers['idempotency-key']);
}

describe('a request', () => {
  test('has the key, its input in the envelope, and an Idempotency-Key where it sends', async () => {
    const { client, server } = await open([ok({ messageIds: ['m1'] })]);

    const answer = await client.messages.send(MESSAGE, { correlationId: 'request-1' });

    expect(answer).toEqual({ messageIds: ['m1'] });
    expect(server.received).toMatchObject([
      {
        method: 'POST',
        url: '/push/message/send',
        headers: {
          authorization: `Bearer ${API_KEY}`,
          'content-type': 'application/json',
          'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
          'x-correlation-id': 'request-1',
        },
        body: JSON.stringify({ requestObject: MESSAGE }),
      },
    ]);
  });

  test('has its input in the query or the path where the endpoint has it there', async () => {
    const { client, server } = await open([ok({ deliveries: [] }), ok({})]);

    await client.deliveries.list({ userId: 'a&b', appId: undefined, size: 1 });
    await client.messages.get('a/b');

    expect(server.received).toMatchObject([
      { method: 'GET', url: '/push/delivery/list?userId=a%26b&size=1', body: '' },
      { method: 'GET', url: '/push/message/a%2Fb', body: '' },
    ]);
    expect(server.received[0]?.headers).not.toHaveProperty('idempotency-key');
  });

  test.each([
    ['Basic', { apiKey: undefined, basic: { username: 'ü', password: 'p' } }, 'Basic w7w6cA=='],
    ['a key that is asked for', { apiKey: () => Promise.resolve('k2') }, 'Bearer k2'],
  ])('shows who calls by %s', async (_, options, authorization) => {
    const { client, server } = await open([ok({})], options);

    await client.service.status();

    expect(server.received[0]?.headers.authorization).toBe(authorization);
  });

  test('goes below the path of baseUrl', async () => {
    const { server } = await open([ok({ applicationList: [] })]);
    const client = createClient({ baseUrl: `${server.url}/base/`, apiKey: API_KEY });

    await client.apps.list();

    expect(server.received[0]?.url).toBe('/base/admin/app/list');
  });

  test.each(['ftp://host', 'https://user:pass@host', 'https://host/?a=b'])(
    'is not made with the baseUrl %s',
    (baseUrl) => {
      expect(() => createClient({ baseUrl, apiKey: API_KEY })).toThrow(TypeError);
    },
  );

  test('is made by the fetch of the caller, as a function and not as a method', async () => {
    const seen: unknown[] = [];
    const client = createClient({
      baseUrl: 'http://host',
      fetch(this: unknown, url, { redirect }) {
        seen.push([this, url, redirect]);
        return Promise.resolve(new Response('{"status":"OK","responseObject":{"version":"1"}}'));
      },
    });

    expect(await client.service.status()).toEqual({ version: '1' });

    expect(seen).toEqual([[undefined, 'http://host/push/service/status', 'manual']]);
  });

  test('shows one of two keys', () => {
    const basic = { username: 'u', password: 'p' };

    expect(() => createClient({ baseUrl: 'https://host', apiKey: 'k', basic })).toThrow(TypeError);
  });
});

describe('what is sent once', () => {
  test.each<[string, Answerer]>([
    ['a connection that broke', cut],
    ['an answer that was cut off', cutInside],
    [
      'JSON that was cut off',
      (res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"sta'),
    ],
    ['503', refuse(503, 'ERROR_DATABASE')],
    ['503 of a server that is busy', refuse(503, 'ERROR_GENERIC')],
    ['429', refuse(429, 'ERROR_GENERIC')],
    ['502 of a proxy', html(502)],
    ['504 of a proxy', html(504)],
  ])('is repeated to the byte and under the same key after %s', async (_, fault) => {
    const { client, server } = await open([fault, fault, ok({ messageIds: ['m1'] })]);

    expect(await client.messages.send(MESSAGE)).toEqual({ messageIds: ['m1'] });

    expect(server.received.map(({ body }) => body)).toEqual(
      Array.from({ length: 3 }, () => JSON.stringify({ requestObject: MESSAGE })),
    );
    expect(new Set(keysOf(server)).size).toBe(1);
  });

  test('has another key in each call, or the one that the caller gives', async () => {
    const { client, server } = await open([ok({})]);

    await client.messages.send(MESSAGE);
    await client.messages.send(MESSAGE);
    await client.inbox.post(
      {
        userId: 'alice',
        type: 'text',
        subject: 'A subject',
        summary: 'A summary',
        body: 'A whole body',
        applications: ['app'],
      },
      { idempotencyKey: 'mine' },
    );

    const [one, other, given] = keysOf(server);
    expect(one).not.toBe(other);
    expect(given).toBe('mine');
  });

  test('is given up with the key to go on with', async () => {
    const { client, server } = await open([cut], { maxAttempts: 2 });

    const error = await errorOf(client.messages.send(MESSAGE));

    expect(error).toMatchObject({
      code: 'connection',
      status: undefined,
      call: 'POST /push/message/send',
      attempts: 2,
      mayBeDone: true,
      mayRetry: true,
      idempotencyKey: keysOf(server)[0],
    });
    expect(error.message).not.toContain(API_KEY);
  });

  test('is not repeated where it was refused', async () => {
    const { client, server } = await open([
      json(
        400,
        {
          status: 'ERROR',
          responseObject: {
            code: 'ERROR_REQUEST',
            message: 'No.',
            violations: [{ fieldName: 'type', invalidValue: 'x', hint: 'No.' }, 'nonsense'],
          },
        },
        { 'x-correlation-id': 'c1' },
      ),
    ]);

    const error = await errorOf(client.messages.send(MESSAGE));

    expect(error).toMatchObject({
      message: 'POST /push/message/send: 400 ERROR_REQUEST: No.',
      code: 'ERROR_REQUEST',
      status: 400,
      correlationId: 'c1',
      violations: [{ fieldName: 'type', invalidValue: 'x', hint: 'No.' }],
      attempts: 1,
      mayBeDone: false,
      mayRetry: false,
    });
    expect(server.received).toHaveLength(1);
  });

  test('may be done where an earlier attempt got lost, whatever the last one is told', async () => {
    const { client } = await open([cut, refuse(401, 'ERROR_GENERIC')]);

    expect(await errorOf(client.messages.send(MESSAGE))).toMatchObject({
      status: 401,
      attempts: 2,
      mayBeDone: true,
      mayRetry: false,
    });
  });

  test('waits for an answer as long as an attempt may take, then makes the next one', async () => {
    const { client, server } = await open([silence, ok({ messageIds: [] })], {
      attemptTimeoutMs: 3_600_000,
    });

    await client.messages.send(MESSAGE, { attemptTimeoutMs: 1000 });

    expect(new Set(keysOf(server))).toEqual(new Set([keysOf(server)[0]]));
    expect(server.received.length).toBeGreaterThan(1);
  });

  test('times out also in the middle of an answer', async () => {
    const { client } = await open([(res) => res.writeHead(200).write('{')], {
      attemptTimeoutMs: 100,
      maxAttempts: 1,
    });

    expect(await errorOf(client.messages.send(MESSAGE))).toMatchObject({
      code: 'timeout',
      mayBeDone: true,
      mayRetry: true,
    });
  });
});

describe('Retry-After', () => {
  test('is waited for', async () => {
    const { client, notices } = await open([
      refuse(429, 'ERROR_GENERIC', { 'retry-after': '1' }),
      ok({ messageIds: [] }),
    ]);

    await client.messages.send(MESSAGE);

    expect(notices).toEqual([
      {
        call: 'POST /push/message/send',
        attempts: 1,
        waitMs: expect.any(Number),
        code: 'ERROR_GENERIC',
        status: 429,
        idempotencyKey: expect.any(String),
      },
    ]);
    expect(notices[0]?.waitMs).toBeGreaterThanOrEqual(1000);
    expect(notices[0]?.waitMs).toBeLessThan(2000);
  });

  test('is not waited for beyond the time of a call', async () => {
    const { client, server } = await open([
      refuse(503, 'ERROR_GENERIC', { 'retry-after': '86400' }),
    ]);

    expect(await errorOf(client.messages.send(MESSAGE))).toMatchObject({
      retryAfterMs: 86_400_000,
      attempts: 1,
      mayBeDone: false,
      mayRetry: true,
    });
    expect(server.received).toHaveLength(1);
  });
});

describe('what repeating would do again', () => {
  const create = { appId: 1, message: { title: 'Hello' } };

  test.each<[string, Answerer]>([
    ['a connection that broke', cut],
    ['an answer that was cut off', cutInside],
    ['a database that fell silent', refuse(503, 'ERROR_DATABASE')],
    ['502 of a proxy', html(502)],
    ['503 of a proxy', html(503)],
  ])('is not repeated after %s', async (_, fault) => {
    const { client, server } = await open([fault]);

    const error = await errorOf(client.campaigns.create(create));

    expect(error).toMatchObject({ mayBeDone: true, mayRetry: false, idempotencyKey: undefined });
    expect(server.received).toHaveLength(1);
    expect(keysOf(server)).toEqual([undefined]);
  });

  test.each<[string, Answerer]>([
    ['429', refuse(429, 'ERROR_GENERIC')],
    ['503 of a server that is busy', refuse(503, 'ERROR_GENERIC')],
  ])('is repeated after %s, since nothing was done', async (_, fault) => {
    const { client, server } = await open([fault, ok({ id: 7 })]);

    expect(await client.campaigns.create(create)).toEqual({ id: 7 });

    expect(server.received).toHaveLength(2);
  });

  test('is repeated where there was no connection', async () => {
    const { server } = await open([ok({ id: 7 })]);
    await server.close();
    servers.splice(0);
    const client = createClient({ baseUrl: server.url, apiKey: API_KEY, maxAttempts: 2 });

    expect(await errorOf(client.campaigns.create(create))).toMatchObject({
      code: 'connection',
      attempts: 2,
      mayBeDone: false,
      mayRetry: true,
    });
  });
});

describe('what is no answer of ours', () => {
  test.each<[string, Answerer, string, boolean]>([
    ['HTML with status 200', html(200), 'answer', true],
    ['HTML with status 404', html(404), 'answer', false],
    ['HTML with status 500', html(500), 'answer', true],
  ])('is %s: an error that is not repeated', async (_, answer, code, mayBeDone) => {
    const { client, server } = await open([answer]);

    expect(await errorOf(client.messages.send(MESSAGE))).toMatchObject({
      code,
      mayBeDone,
      mayRetry: false,
    });
    expect(server.received).toHaveLength(1);
  });

  test.each([301, 302, 303, 307, 308])(
    'is a redirect (%i): the key goes nowhere else',
    async (status) => {
      const elsewhere = await openTestServer(ok({}));
      servers.push(elsewhere);
      const { client } = await open([
        (res) => res.writeHead(status, { location: `${elsewhere.url}/steal` }).end(),
      ]);

      for (const call of [() => client.messages.send(MESSAGE), () => client.apps.list()])
        expect(await errorOf(call())).toMatchObject({ code: 'redirect', status, mayRetry: false });

      expect(elsewhere.received).toEqual([]);
    },
  );

  test.each([200, 500])('is a body without an end (%i): it is not read on', async (status) => {
    const written = { bytes: 0 };
    const { client, server } = await open(
      [
        (res) => {
          res.writeHead(status, { 'content-type': 'application/json' });
          const pour = () => {
            while (!res.destroyed && res.write('x'.repeat(65_536))) written.bytes += 65_536;
            res.once('drain', pour);
          };
          pour();
        },
      ],
      { maxAnswerBytes: 1_000_000 },
    );

    const error = await errorOf(client.apps.list());

    expect(error).toMatchObject({ code: 'answer', mayRetry: false });
    expect(error.message).toContain('maxAnswerBytes');
    expect(server.received).toHaveLength(1);
    expect(written.bytes).toBeLessThan(100_000_000);
  });
});

describe('the signal of a caller', () => {
  test('ends a call that waits for its answer, with its reason', async () => {
    const aborter = new AbortController();
    const { client } = await open([() => aborter.abort(new Error('enough'))]);

    await expect(client.messages.send(MESSAGE, { signal: aborter.signal })).rejects.toThrow(
      'enough',
    );
  });

  test('ends a call that waits for its next attempt', async () => {
    const aborter = new AbortController();
    const onRetry = () => aborter.abort(new Error('enough'));
    const fault = refuse(429, 'ERROR_GENERIC', { 'retry-after': '30' });
    const { client, server } = await open([fault], { onRetry });

    await expect(client.messages.send(MESSAGE, { signal: aborter.signal })).rejects.toThrow(
      'enough',
    );
    expect(server.received).toHaveLength(1);
  });

  test('keeps a call from being made when it is aborted already', async () => {
    const { client, server } = await open([ok({})]);

    await expect(
      client.apps.list({ signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
    expect(server.received).toEqual([]);
  });
});

describe('a list', () => {
  /** Pages of a list of numbers, by `page` and `size`. */
  const numbers =
    (total: number, maxSize: number): Answerer =>
    (res, { url }) => {
      const query = new URL(url ?? '', 'http://host').searchParams;
      const page = Number(query.get('page'));
      const size = Math.min(maxSize, Number(query.get('size')));
      const all = Array.from({ length: total }, (_, n) => `u${n}`);
      const users = all.slice(page * size, (page + 1) * size);
      json(200, { status: 'OK', responseObject: { campaignId: 1, users }, page, size })(
        res,
        {} as never,
      );
    };

  test.each([
    [0, 1],
    [7, 3],
    [9, 4],
  ])('of %i by the numbers of its pages takes %i requests', async (total, requests) => {
    const { client, server } = await open([numbers(total, 3)]);

    const users = await listOf(client.campaigns.listUsers(1));

    expect(users).toEqual(Array.from({ length: total }, (_, n) => `u${n}`));
    expect(server.received).toHaveLength(requests);
  });

  test('begins at the page that is asked for, and is fetched only as far as it is gone through', async () => {
    const { client, server } = await open([numbers(100, 10)]);

    for await (const user of client.campaigns.listUsers(1, { page: 2 })) {
      expect(user).toBe('u20');
      break;
    }

    expect(server.received.map(({ url }) => url)).toEqual([
      '/push/campaign/1/user/list?page=2&size=1000',
    ]);
  });

  test('goes from cursor to cursor until there is none', async () => {
    const page = (n: number, next: string | null) =>
      ok({ campaignId: 1, runId: 'r', devices: [{ deviceId: n }], next });
    const { client, server } = await open([page(1, 'c1'), page(2, 'c2'), page(3, null)]);

    const pages = await listOf(client.runs.devices(1, { state: 'failed', size: 1 }).pages());

    expect(pages.map(({ devices }) => devices[0]?.deviceId)).toEqual([1, 2, 3]);
    expect(server.received.map(({ url }) => url?.split('?')[1])).toEqual([
      'size=1&state=failed',
      'size=1&state=failed&after=c1',
      'size=1&state=failed&after=c2',
    ]);
  });

  test('of events ends where there are none yet, though there is a cursor', async () => {
    const { client, server } = await open([
      ok({ events: [{ id: 'e1' }], cursor: 'c1' }),
      ok({ events: [], cursor: 'c1' }),
    ]);

    const events = await listOf(client.callbacks.events({ appId: 1 }));

    expect(events).toEqual([{ id: 'e1' }]);
    expect(server.received).toHaveLength(2);
  });
});

describe('an audience', () => {
  const sizesOf = ({ received }: TestServer) =>
    received.map(
      ({ body }) => (JSON.parse(body) as { requestObject: unknown[] }).requestObject.length,
    );

  async function* users(total: number) {
    for (let n = 0; n < total; n += 1) yield `u${n}`;
  }

  test('goes in requests of 10,000, from whatever can be gone through', async () => {
    const { client, server } = await open([json(200, { status: 'OK' })]);

    await client.campaigns.addUsers(1, users(25_000));

    expect(sizesOf(server)).toEqual([10_000, 10_000, 5000]);
    expect(server.received[0]).toMatchObject({ method: 'PUT', url: '/push/campaign/1/user/add' });
  });

  test('goes in smaller ones where the server takes no larger ones', async () => {
    const fits: Answerer = (res, req) =>
      (req.body.length > 30_000 ? refuse(413, 'ERROR_GENERIC') : json(200, { status: 'OK' }))(
        res,
        req,
      );
    const { client, server } = await open([fits]);

    await client.campaigns.addUsers(1, users(12_000));

    const taken = server.received.filter(({ body }) => body.length <= 30_000);
    const sent = taken.flatMap(
      ({ body }) => (JSON.parse(body) as { requestObject: string[] }).requestObject,
    );
    expect(sent).toEqual(Array.from({ length: 12_000 }, (_, n) => `u${n}`));
  });

  test('is refused where not even one user fits', async () => {
    const { client, server } = await open([refuse(413, 'ERROR_GENERIC')]);

    expect(await errorOf(client.campaigns.removeUsers(1, ['a', 'b']))).toMatchObject({
      status: 413,
    });
    expect(sizesOf(server)).toEqual([2, 1]);
  });

  test('of nobody is no request', async () => {
    const { client, server } = await open([refuse(500, 'ERROR_GENERIC')]);

    await client.campaigns.addUsers(1, []);

    expect(server.received).toEqual([]);
  });
});
