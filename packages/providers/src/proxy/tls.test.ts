import type { TlsOptions } from 'node:tls';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

import { PRODUCTION_ENDPOINTS, type ProxyCredential } from '../credential.ts';
import { createProviderPool, type ProviderPool } from '../provider-pool.ts';
import { createPush } from '../test-fixtures.ts';
import {
  CLIENT,
  CLIENT_CA,
  EXPIRED_CLIENT,
  FOREIGN_CLIENT,
  openTestProxy,
  SERVER,
  toProxyCredential,
  toShown,
  WITH_CERTIFICATE,
  type TestProxy,
} from './test-proxy.ts';

/** How a server says that it wants a certificate. */
const ALERTS = {
  'TLSv1.2': 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'TLSv1.3': 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
};
const DAY_MS = 86_400_000;

let proxy: TestProxy;
let pool: ProviderPool;
let now: Date;

async function open(options: TlsOptions): Promise<void> {
  proxy = await openTestProxy({ ca: CLIENT_CA, requestCert: true, ...options });
}

beforeEach(() => {
  now = new Date();
  pool = openPool();
});
afterEach(async () => {
  await pool.close();
  await proxy.close();
});

function openPool(ca?: string): ProviderPool {
  return createProviderPool({
    endpoints: {
      ...PRODUCTION_ENDPOINTS,
      proxy: { allowPrivateAddresses: true, ...(ca !== undefined && { ca }) },
    },
    idleMs: 60_000,
    clock: () => now,
  });
}

async function send(fields: Partial<ProxyCredential>) {
  const credential = toProxyCredential(proxy.url, fields);
  return (await pool.get(credential).send(createPush('a token'))).outcome;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('mutual %s with a node server', (version) => {
  beforeEach(() => open({ minVersion: version, maxVersion: version, rejectUnauthorized: true }));

  test('takes a push with the right certificate', async () => {
    expect(await send(WITH_CERTIFICATE)).toEqual({ kind: 'sent' });
  });

  test('takes none without a certificate: nothing more is sent', async () => {
    const outcome = await send({});

    expect(outcome).toEqual({ kind: 'pause', reason: ALERTS[version], scope: 'endpoint' });
    expect(proxy.received).toEqual([]);
  });

  test.each([
    ['of another authority', FOREIGN_CLIENT],
    ['whose time is over', EXPIRED_CLIENT],
  ])(
    'takes none with a certificate %s, which looks like the network at first',
    async (_, shown) => {
      const credential = toProxyCredential(proxy.url, toShown(shown));
      // Ours would not even try with an expired one; this is about what a server says.
      now = new Date(now.getTime() - 2.5 * 365 * DAY_MS);

      const outcomes = [];
      for (let n = 0; n < 5; n += 1)
        outcomes.push((await pool.get(credential).send(createPush('a token'))).outcome);

      expect(outcomes.at(-1)).toMatchObject({ kind: 'pause', scope: 'endpoint' });
      expect(outcomes.map(({ kind }) => kind)).not.toContain('sent');
      expect(proxy.received).toEqual([]);
    },
  );
});

describe('the certificate of a proxy', () => {
  test('must be of an authority that we trust', async () => {
    await open({});

    expect(await send({ caPem: createAuthority(now).caPem })).toEqual({
      kind: 'pause',
      reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      scope: 'endpoint',
    });
  });

  test('may be of the authority that the process trusts', async () => {
    await open({});
    pool = openPool(SERVER.ca);
    const { caPem: _, ...credential } = toProxyCredential(proxy.url, WITH_CERTIFICATE);

    const { outcome } = await pool.get(credential).send(createPush('a token'));

    expect(outcome).toEqual({ kind: 'sent' });
  });

  test('must be good today', async () => {
    const authority = createAuthority(now);
    const { certPem, keyPem } = createServerCertificate(authority, new Date(0));
    await open({ cert: certPem, key: keyPem });

    expect(await send({ caPem: authority.caPem })).toEqual({
      kind: 'pause',
      reason: 'CERT_HAS_EXPIRED',
      scope: 'endpoint',
    });
  });

  test('must be for its host', async () => {
    // The certificate is for 127.0.0.1 and `localhost`.
    proxy = await openTestProxy({}, '127.0.0.2');

    expect(await send({})).toEqual({
      kind: 'pause',
      reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
      scope: 'endpoint',
    });
    expect(proxy.received).toEqual([]);
  });

  test('is not looked at for less than TLS 1.2', async () => {
    await open({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });

    expect(await send({})).toMatchObject({ kind: 'pause', scope: 'endpoint' });
  });
});

describe('our own certificate', () => {
  test('is not shown once its time is over', async () => {
    await open({});
    const credential = toProxyCredential(proxy.url, WITH_CERTIFICATE);
    const sendNow = async () => (await pool.get(credential).send(createPush('a token'))).outcome;

    const inTime = await sendNow();
    now = new Date(now.getTime() + 400 * DAY_MS);

    expect(inTime).toEqual({ kind: 'sent' });
    expect(await sendNow()).toEqual({
      kind: 'pause',
      reason: 'certificate_expired',
      scope: 'credential',
    });
    expect(proxy.received).toHaveLength(1);
  });

  test.each<[string, Partial<ProxyCredential>]>([
    ['whose key is of another', { ...WITH_CERTIFICATE, privateKeyPem: FOREIGN_CLIENT.keyPem }],
    ['without a key', { certificatePem: CLIENT.certPem }],
    ['that is missing beside its key', { privateKeyPem: CLIENT.keyPem }],
    ['that is no certificate', { ...WITH_CERTIFICATE, certificatePem: 'PEM' }],
    ['beside an authority that is none', { ...WITH_CERTIFICATE, caPem: 'PEM' }],
  ])('%s is unusable, and nobody is called', async (_, fields) => {
    await open({});

    expect(await send(fields)).toEqual({
      kind: 'pause',
      reason: 'unusable_key',
      scope: 'credential',
    });
    expect(proxy.connections).toBe(0);
  });
});
