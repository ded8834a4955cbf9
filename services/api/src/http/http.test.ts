import { gzipSync } from 'node:zlib';

import { openTestApi, type TestApi } from '../../test/open-test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi({
    bodyLimitBytes: 2000,
    basePaths: ['/', '/powerauth-push-server'],
  });
});
afterAll(() => api.close());

function refusal(code = 'ERROR_GENERIC') {
  return { status: 'ERROR', responseObject: { code, message: expect.any(String) } };
}

const PATH = '/push/device/delete';
const BODY = JSON.stringify({ requestObject: { appId: 1, token: 't' } });

describe('a body', () => {
  test.each(['{bad', '{"a":1', '"text"', 'null', '17', '[1', '\u0000', '{"a":"\\x"}'])(
    'that is %j is refused with 400',
    async (body) => {
      const answer = await api.raw(PATH, body);

      expect(answer).toMatchObject({ status: 400, body: refusal() });
    },
  );

  test('over the limit is refused with 413, inflated too', async () => {
    const big = `{"requestObject":{"appId":1,"token":"${'t'.repeat(2000)}"}}`;
    const zipped = { 'content-type': 'application/json', 'content-encoding': 'gzip' };

    const answers = [await api.raw(PATH, big), await api.raw(PATH, gzipSync(big), zipped)];

    const body = { responseObject: { message: expect.stringContaining('2000 bytes') } };
    expect(answers).toMatchObject([
      { status: 413, body },
      { status: 413, body },
    ]);
  });

  test.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'application/json', 'content-encoding': 'zstd-unknown' },
  ])('with %j is refused with 415', async (headers: Record<string, string>) => {
    const answer = await api.raw(PATH, BODY, headers);

    expect(answer).toMatchObject({ status: 415, body: refusal() });
  });

  test.each([
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'APPLICATION/JSON' },
    { 'content-type': 'application/vnd.x+json' },
  ])('with %j is taken', async (headers: Record<string, string>) => {
    const answer = await api.raw(PATH, BODY, headers);

    expect(answer.status).toBe(200);
  });

  test('is taken without a content type', async () => {
    const answer = await api.raw(PATH, Buffer.from(BODY), {});

    expect(answer.status).toBe(200);
  });

  test('may be missing or empty, with and without a content type', async () => {
    const path = '/admin/app/fcm?appId=1';
    await api.post('/admin/app/create', { appId: 1 });

    const answers = await Promise.all([
      fetch(api.url + path, { method: 'DELETE' }),
      fetch(api.url + path, { method: 'DELETE', headers: { 'content-type': 'application/json' } }),
      fetch(api.url + path, { method: 'DELETE', body: '' }),
      fetch(api.url + path, { method: 'DELETE', body: Buffer.from('{}') }),
    ]);

    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
  });

  test('does not reach a prototype', async () => {
    const answer = await api.raw(
      PATH,
      '{"__proto__":{"requestObject":{"appId":1,"token":"t"}},"constructor":1}',
    );

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

describe('a path', () => {
  test.each(['/', '/push', '/push/device', '/admin/ios/update', '/push/device/create/multi/x'])(
    'that is unknown answers 404 in the envelope: %s',
    async (path) => {
      const answer = await api.call('POST', path, {});

      expect(answer).toMatchObject({ status: 404, body: refusal() });
    },
  );

  test.each([
    ['GET', '/push/device/create', 'POST'],
    ['PUT', '/push/message/send', 'POST'],
    ['DELETE', '/admin/app/list', 'GET'],
    ['PATCH', '/push/device/delete', 'POST, DELETE'],
    ['GET', '/admin/app/apns', 'POST, PUT, DELETE'],
  ])('answers 405 to %s %s and names what it takes', async (method, path, allowed) => {
    const answer = await api.call(method, path);

    expect(answer).toMatchObject({ status: 405, body: refusal() });
    expect(answer.headers.get('allow')).toBe(allowed);
  });

  test('that is no valid encoding is refused', async () => {
    const answer = await api.get('/push/message/%E0%A4%A');

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });

  test.each(['/push/service/status/', '/powerauth-push-server/push/service/status'])(
    'may be written as %s',
    async (path) => {
      const answer = await api.get(path);

      expect(answer).toMatchObject({ status: 200, body: { status: 'OK' } });
    },
  );

  test('answers HEAD where it answers GET', async () => {
    const answer = await api.call('HEAD', '/push/service/status');

    expect(answer.status).toBe(200);
  });
});

describe('an endpoint that is named to the letter', () => {
  const key = { 'content-type': 'application/json', 'x-request-id': 'one-and-the-same' };
  const flood = Object.fromEntries(Array.from({ length: 101 }, (_one, n) => [`x-${n}`, 'x']));

  test.each([
    ['a request', BODY, key],
    ['a body that is refused', '{bad', key],
    ['a body that is too large', `{"a":"${'x'.repeat(2000)}"}`, key],
    ['a field that is missing', '{"requestObject":{}}', key],
    ['another media type', BODY, { ...key, 'content-type': 'text/plain' }],
    ['a flood of headers', BODY, { ...key, ...flood }],
  ])('answers %s as it does by another spelling', async (_what, body, sent) => {
    const spellings = [PATH, `${PATH}/`, `${PATH}?a=b`, `/powerauth-push-server${PATH}`];

    const answers = await Promise.all(spellings.map((path) => api.raw(path, body, sent)));

    const [first, ...others] = answers.map(({ status, text, headers }) => {
      const { date: _date, ...rest } = Object.fromEntries(headers);
      return { status, text, headers: rest };
    });
    expect(first?.headers).toMatchObject({ 'x-correlation-id': 'one-and-the-same' });
    expect(others).toEqual([first, first, first]);
  });
});

describe('an answer', () => {
  test('is JSON that nobody stores, sniffs or frames', async () => {
    const { headers } = await api.get('/push/service/status');

    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test.each(['X-Correlation-ID', 'X-Request-ID'])('repeats the id of %s', async (name) => {
    const { headers } = await api.call('GET', '/push/service/status', undefined, {
      [name]: 'abc-12345',
    });

    expect(headers.get('x-correlation-id')).toBe('abc-12345');
  });

  test('gets an id of its own where the caller gives none that it takes', async () => {
    const { headers } = await api.call('GET', '/push/service/status', undefined, {
      'X-Correlation-ID': 'a b',
    });

    expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
