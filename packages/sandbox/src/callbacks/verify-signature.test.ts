import { Buffer } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
import { verifySignature } from './verify-signature.ts';

// M800's own test vector.
const SECRET = 'a-demo-secret';
const DATE = 'Thu, 12 Sep 2013 18:49:58 GMT';
const NOW = Date.parse(DATE);
const MD5 = '2aa2f9b90fea8843a78e434dff26f6b6';
const SIGNATURE = 'd11ede54e2ffa83d58a42d90c3a39132f928a46b729c4b0621ad1c854dff618f';

const BODY = Buffer.from('{"events":[]}');

/** Signed with the words of the guide, and not with ours. */
function signed({ nonce = '1', body = BODY, type = 'application/json', date = DATE } = {}) {
  const md5 = body.length > 0 ? createHash('md5').update(body).digest('hex') : '';
  const text = `POST\n/cb?a=%40\n${md5}\n${body.length > 0 ? type : ''}\n${date}\n${nonce}`;
  const signature = createHmac('sha256', SECRET).update(text).digest('hex');
  return {
    method: 'POST',
    path: '/cb?a=%40',
    headers: {
      authorization: `MAAIISDK10 key="k", nonce="${nonce}", signature="${signature}"`,
      'content-type': type,
      'x-m-date': date,
    },
    rawBody: body,
  };
}

const verify = (request: Parameters<typeof verifySignature>[0], now = NOW) =>
  verifySignature(request, (key) => (key === 'k' ? SECRET : undefined), now);

describe('verifySignature', () => {
  test("makes the signature of M800's vector", () => {
    const text = `POST\n/api/1.0/debug/echo\n${MD5}\napplication/json\n${DATE}\n123456789`;

    expect(createHmac('sha256', SECRET).update(text).digest('hex')).toBe(SIGNATURE);
  });

  test('takes what is signed as the guide says', () => {
    expect(verify(signed())).toEqual({ key: 'k', nonce: '1' });
    expect(verify(signed({ body: Buffer.alloc(0) }))).toEqual({ key: 'k', nonce: '1' });
  });

  test('takes the parameters in any order, and the scheme in any case', () => {
    const request = signed();
    const [, signature] = /signature="(\w+)"/.exec(request.headers.authorization) ?? [];
    const authorization = `maaiisdk10  signature="${signature}",nonce="1",   key="k"`;

    const verdict = verify({ ...request, headers: { ...request.headers, authorization } });

    expect(verdict).toEqual({ key: 'k', nonce: '1' });
  });

  test.each([
    ['the body', { rawBody: Buffer.from('{"events":[1]}') }, {}, 'signature is wrong'],
    ['the path', { path: '/cb' }, {}, 'signature is wrong'],
    ['the method', { method: 'PUT' }, {}, 'signature is wrong'],
    ['the content type', {}, { 'content-type': 'text/plain' }, 'signature is wrong'],
    ['the MD5', {}, { 'content-md5': MD5 }, 'Content-MD5'],
    ['the date', {}, { 'x-m-date': '2013-09-12T18:49:58Z' }, 'no IMF-fixdate'],
    ['the header', {}, { authorization: 'Basic abc' }, 'Authorization'],
    [
      'the key',
      {},
      { authorization: 'MAAIISDK10 key="x", nonce="1", signature="00"' },
      'key is unknown',
    ],
    [
      'the number of parts',
      {},
      { authorization: 'MAAIISDK10 key="k", key="k", nonce="1", signature="00"' },
      'Authorization',
    ],
  ])('refuses what has changed: %s', (_, changes, headers, refusal) => {
    const request = signed();

    const verdict = verify({ ...request, ...changes, headers: { ...request.headers, ...headers } });

    expect(verdict.refusal).toContain(refusal);
  });

  test.each([
    [5 * 60_000, undefined],
    [5 * 60_000 + 1_000, expect.stringContaining('too far')],
    [-5 * 60_000 - 1_000, expect.stringContaining('too far')],
  ])('judges a date %d ms ago', (age, refusal) => {
    expect(verify(signed(), NOW + age).refusal).toEqual(refusal);
  });
});
