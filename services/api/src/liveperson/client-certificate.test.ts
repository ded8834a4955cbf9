import { fingerprintOf, makeAuthority, makeClient } from '@heliograph/testing/live-person';

import { readClientCertificate } from './client-certificate.ts';

const NOW = new Date();
const authority = makeAuthority();
const client = makeClient(authority);

/** openssl req -x509 -nodes -newkey ec … -addext extendedKeyUsage=serverAuth; good from November 2026 for a century. */
const SERVER_ONLY = `-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUKbRlJNc2/plQSq76BbKAudRHx7swCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLc2VydmVyIG9ubHkwIBcNMjYxMTI2MDEzNjI0WhgPMjEyNjEx
MDIwMTM2MjRaMBYxFDASBgNVBAMMC3NlcnZlciBvbmx5MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE4ED8oVKc0cTPmnbzykzjhEl0vUXH3RXwz8OZYJjtocnRlB9T
2J5qD5NBPbuGf+9y2ecm3DvL9e0KQQA2XBHAzKNlMGMwHQYDVR0OBBYEFP2KpJhf
tRffTUvtB92gmBNm0eOJMB8GA1UdIwQYMBaAFP2KpJhftRffTUvtB92gmBNm0eOJ
MAwGA1UdEwEB/wQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwEwCgYIKoZIzj0EAwID
RwAwRAIgU4NkUf/CN9gbugUO/1fsZopY1Wv2HX0195JiYtMmQGoCICEnp1eMgIDj
i/qsLLy3vXbyl7EcgjLMVzOkN2l9L70g
-----END CERTIFICATE-----
`;

/** Likewise, with no extended key usage, which is good for everything, and the subject /O=Bank/CN=LivePerson = push. */
const FOR_ALL = `-----BEGIN CERTIFICATE-----
MIIBqjCCAVCgAwIBAgIUSlCtVIqgdKBTa9Or4ARCggp2s1YwCgYIKoZIzj0EAwIw
KzENMAsGA1UECgwEQmFuazEaMBgGA1UEAwwRTGl2ZVBlcnNvbiA9IHB1c2gwIBcN
MjYxMTI2MDEzNjI0WhgPMjEyNjExMDIwMTM2MjRaMCsxDTALBgNVBAoMBEJhbmsx
GjAYBgNVBAMMEUxpdmVQZXJzb24gPSBwdXNoMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEpeVUlwtIeElvGOofCSAYjBYrGw119VPjOsllYXhWn82zs+3WM4qM2lQO
SMPbAM0jbdIyBcIs8YpK7jfTk88ffqNQME4wHQYDVR0OBBYEFInaOnQj7nX1cVrL
sBMvpHA4hItYMB8GA1UdIwQYMBaAFInaOnQj7nX1cVrLsBMvpHA4hItYMAwGA1Ud
EwEB/wQCMAAwCgYIKoZIzj0EAwIDSAAwRQIhALheoOi+kkD5gWPW1XaDNV9Vu8Yw
uOHlJi/ljki+SkuPAiAdemTse09+IVjF49TC19JtagAqPCrygFP5TAAWoL7Ywg==
-----END CERTIFICATE-----
`;

describe('a client certificate', () => {
  test('is known by its fingerprint', () => {
    const read = readClientCertificate(client.certPem, NOW);

    expect(read).toMatchObject({ commonName: 'localhost', fingerprint: fingerprintOf(client) });
    expect(read.validTo.getTime()).toBeGreaterThan(NOW.getTime());
  });

  test('may be good for everything, and come with words before it', () => {
    const read = readClientCertificate(`Subject: …\r\n${FOR_ALL}`, new Date('2100-01-01'));

    expect(read.commonName).toBe('LivePerson = push');
  });

  test.each([
    ['junk', NOW, 'is not PEM'],
    [client.certPem + client.keyPem, NOW, 'private key stays'],
    [client.certPem + authority.caPem, NOW, 'must come alone'],
    [authority.caPem, NOW, "is an authority's"],
    [SERVER_ONLY, new Date('2100-01-01'), 'lacks clientAuth'],
    [client.certPem, new Date('2020-01-01'), 'is not valid before'],
    [client.certPem, new Date('2200-01-01'), 'has expired'],
  ])('is refused where it can’t serve: %#', (pem, now, words) => {
    expect(() => readClientCertificate(pem, now)).toThrow(words);
  });
});
