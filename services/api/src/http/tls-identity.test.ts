import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

import { findTlsMistake, toValidTo } from './tls-identity.ts';

const NOW = new Date('2026-11-01T00:00:00Z');
const authority = createAuthority(NOW);
const one = createServerCertificate(authority, NOW);
const other = createServerCertificate(authority, NOW);

function find(cert: string, key: string): string | undefined {
  return findTlsMistake({ cert: Buffer.from(cert), key: Buffer.from(key) });
}

describe('findTlsMistake', () => {
  test('finds none in a certificate with its key, nor in one with its chain', () => {
    const mistakes = [
      find(one.certPem, one.keyPem),
      find(one.certPem + authority.caPem, one.keyPem),
    ];

    expect(mistakes).toEqual([undefined, undefined]);
  });

  test.each([
    ['TLS_CERT_FILE holds no certificate', '', one.keyPem],
    ['TLS_CERT_FILE holds no certificate', 'text', one.keyPem],
    ['TLS_CERT_FILE holds no certificate', one.keyPem, one.keyPem],
    ['TLS_KEY_FILE holds no private key', one.certPem, ''],
    ['TLS_KEY_FILE holds no private key', one.certPem, one.certPem],
    ['TLS_KEY_FILE is not the key', one.certPem, other.keyPem],
  ])('says that %s', (mistake, cert, key) => {
    expect(find(cert, key)).toContain(mistake);
  });
});

describe('an authority for clients', () => {
  const identity = { cert: Buffer.from(one.certPem), key: Buffer.from(one.keyPem) };

  test('is one that may sign', () => {
    const clientCa = Buffer.from(authority.caPem);

    expect(findTlsMistake({ ...identity, clientCa })).toBeUndefined();
  });

  test.each([
    ['no certificate', ''],
    ['no certificate', one.keyPem],
    ['none of an authority', one.certPem],
  ])('is refused where the file holds %s', (words, text) => {
    expect(findTlsMistake({ ...identity, clientCa: Buffer.from(text) })).toContain(words);
  });
});

describe('toValidTo', () => {
  test('reads the end of the time of a certificate', () => {
    const validTo = toValidTo({ cert: Buffer.from(one.certPem), key: Buffer.from(one.keyPem) });

    expect(validTo.getTime()).toBeGreaterThan(NOW.getTime());
  });
});
