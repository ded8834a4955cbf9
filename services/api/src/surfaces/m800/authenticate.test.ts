import { createHash, randomUUID } from 'node:crypto';

import { toAuthorization } from '@heliograph/core';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import {
  callSigned,
  makeDeveloperKey,
  makeReceiver,
  PUSH_BODY,
  pushTo,
  sendRaw,
  type SignedAnswer,
  type SignedOptions,
  type TestKey,
} from '../../../test/signed-request.ts';

let api: TestApi;
let key: TestKey;
let userId: string;

beforeAll(async () => {
  api = await openTestApi({ basePaths: ['/', '/base'] });
  key = await makeDeveloperKey(api);
  userId = await makeReceiver(api, key);
});
afterAll(() => api.close());

const TEXT = JSON.stringify(PUSH_BODY);
const MD5 = createHash('md5').update(TEXT).digest('hex');

function push(options: Partial<SignedOptions> = {}) {
  return pushTo(api, key, userId, options);
}

function fromNow(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toUTCString();
}

function error(status: number, code: number) {
  return { status, body: { error: { status, code, message: expect.any(String) } } };
}

async function countRequests(): Promise<number> {
  const rows = await api.db.selectFrom('m800Requests').select('id').execute();
  return rows.length;
}

describe('a signed request', () => {
  test.each<[string, Partial<SignedOptions>]>([
    ['as documented', {}],
    ['with the MD5 of its body', { headers: { 'Content-MD5': MD5 } }],
    ['with a charset in its content type', { contentType: 'application/json; charset=utf-8' }],
    [
      'whose body has no content type, signed without one',
      { headers: { 'Content-Type': undefined }, signed: { contentType: '' } },
    ],
    [
      'whose body has no content type, signed as JSON',
      { headers: { 'Content-Type': undefined }, signed: { contentType: 'application/json' } },
    ],
    [
      'whose body comes in chunks',
      { headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' } },
    ],
    ['with a nonce of 128 characters', { nonce: randomUUID().padEnd(128, '~ !#$%') }],
    ['with a body beyond ASCII', { body: { appMessage: { content: 'Grüße 👋' } } }],
  ])('is taken %s', async (_name, options) => {
    const answer = await push(options);

    expect(answer).toMatchObject({ status: 200, body: { requestId: expect.any(String) } });
  });

  test.each([-240, 240])('is taken with a date that is %d s off', async (off) => {
    const answer = await push({ date: fromNow(off) });

    expect(answer.status).toBe(200);
  });

  test('is taken with its parameters in any order and spacing, and the scheme in any case', async () => {
    const answer = await push({
      toHeader: ({ key: developerKey, nonce, signature }) =>
        `maaiisdk10  signature="${signature}",nonce="${nonce}"  ,\tkey="${developerKey}"`,
    });

    expect(answer.status).toBe(200);
  });

  test('is taken with a nonce beyond ASCII, which is sent and signed as UTF-8', async () => {
    const toLatin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

    const answer = await push({
      nonce: 'nöncé-✓',
      toHeader: (parts) => toLatin1(toAuthorization(parts)),
    });

    expect(answer.status).toBe(200);
  });

  test.each<[string, string]>([
    ['at the path as it was sent, with an escaped @', '/api/1.0/push/USER%40acme.com'],
    ['with a query', '/api/1.0/push/USER?a=1&b=%20x'],
    ['with an empty query', '/api/1.0/push/USER?'],
    ['with a slash at the end', '/api/1.0/push/USER@acme.com/'],
    ['with letters that need no escaping escaped', '/api/1.0/push/USER%40%61cme.com'],
    ['below another base path', '/base/api/1.0/push/USER@acme.com'],
  ])('is taken %s', async (_name, path) => {
    const answer = await push({ path: path.replace('USER', userId) });

    expect(answer.status).toBe(200);
  });

  test('is taken in absolute form, signed without scheme and host', async () => {
    const path = `/api/1.0/push/${userId}@acme.com?x`;

    const answer = await push({ path: `${api.url}${path}`, signed: { path } });

    expect(answer.status).toBe(200);
  });
});

describe('a request that is not what was signed', () => {
  const path = (user: string) => `/api/1.0/push/${user}@acme.com`;

  test.each<[string, () => Partial<SignedOptions>]>([
    ['the secret is another one', () => ({ signed: { secret: 'another' } })],
    ['the secret is empty', () => ({ signed: { secret: '' } })],
    ['the key is unknown', () => ({ developerKey: 'unknown' })],
    ['the body was changed', () => ({ signed: { body: `${TEXT} ` } })],
    ['there is no body any more', () => ({ body: '', signed: { body: TEXT } })],
    ['there was no body', () => ({ signed: { body: '' } })],
    ['the path was changed', () => ({ signed: { path: path('somebody') } })],
    ['the path was unescaped', () => ({ signed: { path: path(userId).replace('@', '%40') } })],
    [
      'the query was changed',
      () => ({ path: `${path(userId)}?a=1`, signed: { path: path(userId) } }),
    ],
    ['the query was dropped', () => ({ signed: { path: `${path(userId)}?a=1` } })],
    ['host and scheme were signed', () => ({ signed: { path: api.url + path(userId) } })],
    [
      'the base path was not signed',
      () => ({ path: `/base${path(userId)}`, signed: { path: path(userId) } }),
    ],
    ['the method was another one', () => ({ signed: { method: 'PUT' } })],
    ['the method was in lower case', () => ({ signed: { method: 'post' } })],
    ['the date was changed', () => ({ signed: { date: fromNow(-5) } })],
    ['the nonce was changed', () => ({ signed: { nonce: 'another' } })],
    [
      'the content type was changed',
      () => ({ signed: { contentType: 'application/json; charset=utf-8' } }),
    ],
    [
      'the content type was dropped from what was signed only',
      () => ({ signed: { contentType: '' } }),
    ],
    [
      'the content type was dropped, and not JSON',
      () => ({ headers: { 'Content-Type': undefined }, signed: { contentType: 'text/plain' } }),
    ],
    [
      'the content type came twice',
      () => ({ headers: { 'Content-Type': ['application/json', 'application/json'] } }),
    ],
  ])('gets 401 when %s, and nothing is stored', async (_name, options) => {
    const before = await countRequests();

    const answer = await push(options());

    expect(answer).toMatchObject(error(401, 40105));
    expect(answer.headers['www-authenticate']).toBe('MAAIISDK10');
    expect(await countRequests()).toBe(before);
  });

  test('gets the same answer for an unknown key, a disabled one and a wrong signature', async () => {
    const disabled = await makeDeveloperKey(api);
    await api.post('/admin/app/developer-key/disable', { developerKey: disabled.developerKey });
    const strip = ({ status, text, headers }: SignedAnswer) => ({
      status,
      text,
      headers: { ...headers, date: '', 'x-correlation-id': '' },
    });

    const answers = await Promise.all([
      push({ developerKey: 'unknown' }),
      push({ signed: { secret: 'wrong' } }),
      callSigned(api, disabled, { path: path(userId), body: PUSH_BODY }),
    ]);

    const [first, ...others] = answers.map(strip);
    expect(first?.status).toBe(401);
    expect(others).toEqual([first, first]);
  });
});

describe('a request whose parts are missing or malformed', () => {
  const valid = 'MAAIISDK10 key="k", nonce="n", signature="s"';

  test.each<[string, number, SignedOptions['headers']]>([
    ['without Authorization', 40101, { Authorization: undefined }],
    ['with another scheme', 40101, { Authorization: 'Basic abc' }],
    ['without key', 40101, { Authorization: 'MAAIISDK10 nonce="n", signature="s"' }],
    ['without nonce', 40101, { Authorization: 'MAAIISDK10 key="k", signature="s"' }],
    ['without signature', 40101, { Authorization: 'MAAIISDK10 key="k", nonce="n"' }],
    ['with a parameter twice', 40101, { Authorization: `${valid}, nonce="n"` }],
    ['with Authorization twice', 40101, { Authorization: [valid, valid] }],
    ['without date', 40102, { 'X-M-Date': undefined }],
    ['with the date twice', 40102, { 'X-M-Date': [fromNow(0), fromNow(0)] }],
    ['with a date in ISO 8601', 40102, { 'X-M-Date': new Date().toISOString() }],
    ['with a date that is none', 40102, { 'X-M-Date': 'yesterday' }],
    ['with an empty date', 40102, { 'X-M-Date': '' }],
    ['with a stale date', 40103, { 'X-M-Date': fromNow(-3600) }],
    ['with a date of the future', 40103, { 'X-M-Date': fromNow(3600) }],
    ['with another MD5', 40104, { 'Content-MD5': MD5.replace(/^./, 'x') }],
    [
      'with the MD5 in base64',
      40104,
      { 'Content-MD5': Buffer.from(MD5, 'hex').toString('base64') },
    ],
    ['with two MD5s, one of them wrong', 40104, { 'Content-MD5': [MD5, 'x'] }],
  ])('gets 401 %s', async (_name, code, headers) => {
    const answer = await push({ headers: { ...headers } });

    expect(answer).toMatchObject(error(401, code));
  });

  test.each([-310, 360])(
    'gets 401 with a date that is %d s off, though it was signed',
    async (off) => {
      const answer = await push({ date: fromNow(off) });

      expect(answer).toMatchObject(error(401, 40103));
    },
  );

  test('has a window that operators set', async () => {
    const lenient = await openTestApi({ beside: api, m800DateWindowSeconds: 900 });

    const answers = [
      await push({ date: fromNow(-600) }),
      await pushTo(lenient, key, userId, { date: fromNow(-600) }),
      await pushTo(lenient, key, userId, { date: fromNow(-910) }),
    ];
    await lenient.close();

    expect(answers.map(({ status }) => status)).toEqual([401, 200, 401]);
  });
});

describe('a body that is too large', () => {
  const large = 'x'.repeat(2 * 1024 * 1024);

  test.each<[string, Partial<SignedOptions>]>([
    ['signed', {}],
    ['with a wrong signature', { signed: { secret: 'wrong' } }],
    ['without any', { headers: { Authorization: undefined, 'X-M-Date': undefined } }],
    [
      'in chunks, with a wrong signature',
      {
        signed: { secret: 'wrong' },
        headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
      },
    ],
  ])('gets 413 before the signature is looked at: %s', async (_name, options) => {
    const answer = await push({ body: large, ...options });

    expect(answer).toMatchObject(error(413, 41300));
  });

  test('gets 413 by its declared length alone', async () => {
    const answer = await sendRaw(api, {
      method: 'POST',
      path: `/api/1.0/push/${userId}`,
      headers: { 'Content-Length': 2 * 1024 * 1024 },
      body: large,
    });

    expect(answer).toMatchObject(error(413, 41300));
  });
});
