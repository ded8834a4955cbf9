import { Buffer } from 'node:buffer';
import { randomUUID, X509Certificate } from 'node:crypto';
import { createSandbox, type Answer, type Sandbox } from '../index.ts';
import { callProxy, type ProxyRequest } from '../test-clients/proxy-client.ts';
import type { ClientIdentity } from '../test-clients/h2-client.ts';
import { PROXY_TOKEN_FAULTS } from './proxy-token-faults.ts';

let sandbox: Sandbox;
let ours: ClientIdentity;

beforeAll(async () => {
  sandbox = await createSandbox();
  const { certificateBase64, privateKeyBase64 } = sandbox.credentials.proxy;
  ours = { certPem: fromBase64(certificateBase64), keyPem: fromBase64(privateKeyBase64) };
});
afterAll(() => sandbox.close());
afterEach(() => sandbox.clearScripts());

const fromBase64 = (base64: string) => Buffer.from(base64, 'base64').toString();

const basic = (password = sandbox.credentials.proxy.basicPassword) => ({
  authorization: `Basic ${Buffer.from(`heliograph:${password}`).toString('base64')}`,
});

const bodyFor = (token: string, fields = {}) =>
  JSON.stringify({
    'push-service': 1,
    'device-token': token,
    notificationType: 'apn',
    aps: { alert: 'Hello' },
    ...fields,
  });

interface Push extends Partial<ProxyRequest> {
  readonly token?: string;
  readonly url?: string;
  /** Undefined shows none. */
  readonly identity?: ClientIdentity;
}

function push({ token = 'device-1', url = sandbox.proxyUrl, headers, ...rest }: Push = {}) {
  const json = { 'content-type': 'application/json; charset=utf-8' };
  const all = { ca: sandbox.caPem, identity: ours, headers: { ...json, ...headers } };
  return callProxy(url, { ...all, body: bodyFor(token), ...rest });
}

const under = (path: string, url = sandbox.proxyUrl) => url.replace(/\/push$/, path);

describe('POST /push', () => {
  test('answers 200 without a body and records the push', async () => {
    const token = randomUUID();
    const headers = { 'idempotency-key': 'delivery-1', 'x-request-id': 'attempt-1' };

    const answer = await push({ token, headers });

    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(sandbox.received({ token })).toMatchObject([
      {
        provider: 'proxy',
        accepted: true,
        headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
        clientFingerprint: new X509Certificate(ours.certPem).fingerprint256,
        body: { 'device-token': token, aps: { alert: 'Hello' } },
      },
    ]);
  });

  test('counts an idempotency-key that was accepted twice, but not after a refusal', async () => {
    const before = sandbox.totals('proxy').duplicates;
    const token = 'fault-once-503-repeated';
    const headers = { 'idempotency-key': randomUUID() };

    const statuses = [];
    for (let send = 0; send < 3; send += 1) statuses.push((await push({ token, headers })).status);

    expect(statuses).toEqual([503, 200, 200]);
    expect(sandbox.totals('proxy').duplicates - before).toBe(1);
  });

  test.each<[string, Push, number]>([
    ['another path', { url: '/pull' }, 404],
    ['another method', { method: 'PUT' }, 405],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['a body over 16 KiB', { body: bodyFor('a'.repeat(16_384)) }, 413],
    ['a body that is no JSON', { body: 'push' }, 400],
    ['a field of nobody', { body: bodyFor('device-1', { extra: 1 }) }, 400],
  ])('refuses %s', async (_, { url = '/push', ...rest }, status) => {
    expect((await push({ url: under(url), ...rest })).status).toBe(status);
  });

  test('knows the reference of 2017 by its path', async () => {
    const body = bodyFor('device-1', { sequence: 1 });

    const answers = [await push({ body }), await push({ body, url: under('/2017/push') })];

    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  });
});

describe('Basic', () => {
  test('is checked where it is given, and required below /basic', async () => {
    const url = under('/basic/push');

    const answers = await Promise.all([
      push({ headers: basic() }),
      push({ headers: basic('wrong') }),
      push({ url, headers: basic() }),
      push({ url }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 401]);
  });
});

describe.each([['TLSv1.3'], ['TLSv1.2']] as const)('a client certificate over %s', (version) => {
  const tls = version === 'TLSv1.3' ? { minVersion: version } : { maxVersion: version };
  const bad: readonly (readonly [string, () => ClientIdentity | undefined])[] = [
    ['that is not there', () => undefined],
    ['of another authority', () => sandbox.addClientCertificate({ foreign: true })],
    ['that has expired', () => sandbox.addClientCertificate({ days: -1 })],
  ];

  test('of the sandbox is taken by both proxies', async () => {
    const identity = sandbox.addClientCertificate({ commonName: 'another' });

    const answers = await Promise.all([
      push({ identity, tls }),
      push({ identity, tls, url: sandbox.proxyPageUrl }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test.each(bad)('%s ends the connection', async (_, identityOf) => {
    const identity = identityOf();
    const before = sandbox.totals('proxy').count;

    const failure = await callProxy(sandbox.proxyUrl, {
      ca: sandbox.caPem,
      ...(identity && { identity }),
      tls,
      body: bodyFor('device-1'),
    }).then(
      ({ status }) => `answered ${status}`,
      (error: NodeJS.ErrnoException) => error.code,
    );

    expect(failure).toMatch(/^(ECONNRESET|EPIPE|EPROTO|ERR_SSL_.*ALERT.*)$/);
    expect(sandbox.totals('proxy').count).toBe(before);
  });

  test.each(bad)('%s gets a page from the proxy that is like nginx', async (_, identityOf) => {
    const identity = identityOf();

    const answer = await callProxy(sandbox.proxyPageUrl, {
      ca: sandbox.caPem,
      ...(identity && { identity }),
      tls,
      body: bodyFor('device-1'),
    });

    expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'text/html' } });
    expect(answer.text).toContain(
      identity ? 'The SSL certificate error' : 'No required SSL certificate was sent',
    );
  });
});

test('a proxy that is like nginx takes Basic alone below /basic', async () => {
  const url = under('/basic/push', sandbox.proxyPageUrl);
  const headers = { 'content-type': 'application/json', ...basic() };

  const answer = await callProxy(url, { ca: sandbox.caPem, headers, body: bodyFor('device-1') });

  expect(answer.status).toBe(200);
});

describe('what a proxy can be told to do', () => {
  test.each<[Answer, object]>([
    [
      { kind: 'refuse', reason: '403' },
      { status: 403, text: '{"error":"Forbidden"}' },
    ],
    [
      { kind: 'refuse', reason: 'Busy', status: 503 },
      { status: 503, text: '{"error":"Busy"}' },
    ],
    [
      { kind: 'refuse', reason: '429', retryAfterSeconds: 7 },
      { status: 429, headers: { 'retry-after': '7' } },
    ],
    [
      { kind: 'raw', status: 502 },
      { status: 502, text: expect.stringContaining('<html>') },
    ],
    [{ kind: 'redirect' }, { status: 307, headers: { location: '/push' } }],
    [
      { kind: 'redirect', location: 'https://elsewhere/', status: 301 },
      { status: 301, headers: { location: 'https://elsewhere/' } },
    ],
    [{ kind: 'accept', delayMs: 5 }, { status: 200 }],
  ])('answers as %o says', async (answer, expected) => {
    const token = randomUUID();
    sandbox.script('proxy', token, [answer]);

    expect(await push({ token })).toMatchObject(expected);
  });

  test.each<[Answer, number]>([
    [{ kind: 'endless' }, 1_000_000],
    [{ kind: 'endless', everyMs: 1 }, 3],
  ])('goes on with %o for as long as it is read', async (answer, enoughBytes) => {
    const token = randomUUID();
    sandbox.script('proxy', token, [answer]);

    const { status, text } = await push({ token, enoughBytes });

    expect([status, text.length >= enoughBytes]).toEqual([200, true]);
  });

  test.each<Answer>([{ kind: 'tcp-reset' }, { kind: 'fin' }])(
    'reads the push and ends the connection: %o',
    async (answer) => {
      const token = randomUUID();
      sandbox.script('proxy', token, [answer]);

      await expect(push({ token })).rejects.toMatchObject({ code: 'ECONNRESET' });

      expect(sandbox.received({ token })).toMatchObject([{ accepted: false }]);
    },
  );

  test('resets the connection before it has read the push', async () => {
    const token = randomUUID();
    sandbox.script('proxy', {}, [{ kind: 'reset-unread' }]);

    await expect(push({ token })).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|EPIPE/),
    });
    const next = await push({ token });

    expect(next.status).toBe(200);
    expect(sandbox.received({ token })).toHaveLength(1);
  });

  test('has no two faults of one name', () => {
    const codes = PROXY_TOKEN_FAULTS.map(({ code }) => code);

    expect(new Set(codes).size).toBe(codes.length);
  });

  test.each([
    ['fault-410-a', 410],
    ['fault-HTML_400-a', 400],
    ['fault-204', 204],
    ['fault-nothing', 200],
  ])('knows the token %s', async (token, status) => {
    expect((await push({ token })).status).toBe(status);
  });
});
