import type { ProxySettings } from '@heliograph/db';
import { packProxySecret } from '@heliograph/providers/proxy-secret';

import { openCredential } from './open-credential.ts';

const IDENTITY = { id: '1/apns', version: 7 };
const PROXY: ProxySettings = {
  url: 'https://push.example.com/',
  schema: '2017',
  brandId: '2022139',
  goneOn: [410],
  retry: 'documented',
  caPem: 'authorities',
  basicUsername: 'user',
  certificate: { commonName: 'client', fingerprint: 'ab', validTo: '2030-01-01T00:00:00Z' },
  ratePerSecond: 5,
};
const SECRET = {
  privateKeyPem: 'key',
  certificatePem: 'certificate',
  basic: { username: 'user', password: 'secret' },
};

const open = (key: Buffer) =>
  openCredential(IDENTITY, 'apns', { settings: PROXY, environment: null }, key);

describe('the credential of a proxy', () => {
  test('is what its sender needs: settings and secret together', () => {
    expect(open(packProxySecret(SECRET))).toMatchObject({
      ...IDENTITY,
      provider: 'apns',
      route: 'proxy',
      url: 'https://push.example.com/',
      schema: '2017',
      brandId: '2022139',
      goneOn: [410],
      retry: 'documented',
      caPem: 'authorities',
      ratePerSecond: 5,
      ...SECRET,
    });
  });

  test('has a key or Basic alone, whichever was saved', () => {
    const { basic, ...key } = SECRET;

    expect(open(packProxySecret(key))).not.toHaveProperty('basic');
    expect(open(packProxySecret({ basic }))).not.toHaveProperty('privateKeyPem');
  });

  test.each([
    ['neither key nor password', '{}'],
    ['half of them', '{"privateKeyPem":"key","basic":{"username":"user"}}'],
    ['a key of another kind', '-----BEGIN PRIVATE KEY-----'],
  ])('is of no use with %s', (_, sealed) => {
    expect(open(Buffer.from(sealed))).toBeUndefined();
  });
});
