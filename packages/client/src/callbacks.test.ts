import { signRequest as signAsServer, toAuthorization, toContentMd5 } from '@heliograph/core';

import { CallbackError, verifyCallback, type ReceivedCallback } from './callbacks.ts';

const NOW = Date.parse('2026-11-26T02:00:00Z');
const SECRET = 'the secret';
const BODY = JSON.stringify({
  appId: 1,
  events: [{ id: 'e1', type: 'ping', at: '2026-11-26T01:59:59.000Z', data: { callbackId: 1 } }],
  cursor: 'c1',
});

/** A callback, as a dispatcher signs it. */
function makeCallback({ secret = SECRET, body = BODY, nonce = 'n1', at = NOW } = {}) {
  const date = new Date(at).toUTCString();
  const bytes = Buffer.from(body);
  const contentType = 'application/json';
  const uri = '/outcomes?of=%7Eus';
  const signed = { method: 'POST', uri, body: bytes, contentType, date, nonce, secret };
  const signature = signAsServer(signed);
  return {
    url: uri,
    headers: {
      'content-type': contentType,
      'content-md5': toContentMd5(bytes),
      'x-m-date': date,
      authorization: toAuthorization({ key: 'cb-1', nonce, signature }),
    },
    body: bytes as Uint8Array | string,
  };
}

const verify = (request: ReceivedCallback, secrets: readonly string[] = [SECRET], now = NOW) =>
  verifyCallback(request, { secrets, now });

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(CallbackError);
    return (error as CallbackError).code;
  }
  return 'taken';
}

describe('a callback', () => {
  test('is taken with any of the secrets, and gives its events', () => {
    expect(verify(makeCallback(), ['a new one', SECRET])).toEqual({
      key: 'cb-1',
      appId: 1,
      events: [expect.objectContaining({ id: 'e1', type: 'ping', data: { callbackId: 1 } })],
      cursor: 'c1',
    });
  });

  test('is taken in the forms that frameworks give it', () => {
    const callback = makeCallback();
    const entries = Object.entries(callback.headers);
    const upper = Object.fromEntries(entries.map(([name, value]) => [name.toUpperCase(), value]));

    for (const form of [
      { ...callback, headers: new Headers(callback.headers) },
      { ...callback, headers: upper },
      { ...callback, url: `https://example.com:8443${callback.url}` },
      { ...callback, method: 'POST', body: BODY },
      { ...callback, body: new Uint8Array(Buffer.from(BODY)) },
    ])
      expect(verify(form).cursor).toBe('c1');
  });

  test.each([
    ['the body', (one) => ({ ...one, body: BODY.replace('e1', 'e2') })],
    ['the path', (one) => ({ ...one, url: '/outcomes?of=~us' })],
    ['the method', (one) => ({ ...one, method: 'PUT' })],
    ['the type', (one) => ({ ...one, headers: { ...one.headers, 'content-type': 'text/plain' } })],
    [
      'the nonce',
      (one) => ({
        ...one,
        headers: {
          ...one.headers,
          authorization: one.headers.authorization.replace('n1', 'n2'),
        },
      }),
    ],
    [
      'the date',
      (one) => ({
        ...one,
        headers: { ...one.headers, 'x-m-date': new Date(NOW + 1000).toUTCString() },
      }),
    ],
  ] satisfies [string, (one: ReturnType<typeof makeCallback>) => ReceivedCallback][])(
    'is forged where %s is another one',
    (_, change) => {
      expect(codeOf(() => verify(change(makeCallback())))).toBe('forged');
    },
  );

  test.each([[['another']], [[]]])('is forged with the secrets %j', (secrets) => {
    expect(codeOf(() => verify(makeCallback(), secrets))).toBe('forged');
  });

  test.each([
    [-301_000, 'stale'],
    [-300_000, 'taken'],
    [300_000, 'taken'],
    [301_000, 'stale'],
  ])('that is %i ms off our clock is %s', (offset, expected) => {
    expect(codeOf(() => verify(makeCallback(), [SECRET], NOW + offset))).toBe(expected);
  });

  test.each([undefined, '', 'yesterday'])('with the date %s is stale', (date) => {
    const callback = makeCallback();

    expect(
      codeOf(() => verify({ ...callback, headers: { ...callback.headers, 'x-m-date': date } })),
    ).toBe('stale');
  });

  test.each([
    undefined,
    '',
    'Bearer x',
    'MAAIISDK10',
    'MAAIISDK10 key="k", nonce="n"',
    'MAAIISDK10 key="k", nonce="n", signature=""',
    'MAAIISDK10 key="k", nonce="n", signature="s", extra="e"',
    'MAAIISDK10 key="k", nonce="n", nonce="n"',
  ])('with the Authorization %s is unsigned', (authorization) => {
    const callback = makeCallback();

    expect(
      codeOf(() => verify({ ...callback, headers: { ...callback.headers, authorization } })),
    ).toBe('unsigned');
  });

  test.each(['', 'x', '[]', '{"appId":1}', '{"appId":1,"events":[1],"cursor":"c"}'])(
    'that says %s is malformed',
    (body) => {
      expect(codeOf(() => verify(makeCallback({ body })))).toBe('malformed');
    },
  );
});
