import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { packCertificateFile, readApnsCertificate, unpackCertificateFile } from './certificate.ts';
import { PKCS12, PKCS12_LEGACY, PKCS12_PASSWORD, PKCS12_WITHOUT_PASSWORD } from './test-pkcs12.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.close());

const readPem = (pem: string, password?: string) =>
  readApnsCertificate({ file: Buffer.from(pem), ...(password !== undefined && { password }) });
const readPkcs12 = (base64: string, password?: string) =>
  readApnsCertificate({
    file: Buffer.from(base64, 'base64'),
    ...(password !== undefined && { password }),
  });

function createKey(type: 'rsa' | 'ec', passphrase?: string): string {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const sealed = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return privateKey.export({ type: 'pkcs8', format: 'pem', ...sealed }).toString();
}

describe('a certificate in PEM', () => {
  test('says what it is for', () => {
    const { certPem, keyPem } = sandbox.addApnsCertificate({
      bundle: 'com.example.one',
      topics: ['com.example.one', 'com.example.one.voip', 'com.example.one.complication'],
      environment: 'development',
    });

    const read = readPem(certPem + keyPem);

    const x509 = new X509Certificate(certPem);
    expect(read).toEqual({
      kind: 'certificate',
      certificate: {
        commonName: 'Apple Push Services: com.example.one',
        bundle: 'com.example.one',
        topics: ['com.example.one', 'com.example.one.voip', 'com.example.one.complication'],
        environment: 'development',
        validFrom: new Date(x509.validFrom),
        validTo: new Date(x509.validTo),
        fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      },
    });
  });

  test.each([
    ['development', 'development'],
    ['production', 'production'],
    [undefined, undefined],
  ] as const)('for %s names that environment', (environment, expected) => {
    const { certPem, keyPem } = sandbox.addApnsCertificate(environment ? { environment } : {});

    expect(readPem(certPem + keyPem)).toMatchObject({ certificate: { environment: expected } });
  });

  test('may stand behind its key, and be followed by others', () => {
    const { certPem, keyPem } = sandbox.addApnsCertificate();

    expect(readPem(keyPem + certPem + sandbox.caPem)).toMatchObject({
      certificate: { bundle: 'com.example.app' },
    });
  });

  test('is read whatever its time', () => {
    const { certPem, keyPem } = sandbox.addApnsCertificate({ days: -1 });

    expect(readPem(certPem + keyPem).kind).toBe('certificate');
  });

  test.each([
    ['nothing', () => ''],
    ['nonsense', () => 'nonsense'],
    ['no key', ({ certPem }) => certPem],
    ['no certificate', ({ keyPem }) => keyPem],
    ['half a certificate', ({ certPem, keyPem }) => certPem.slice(0, 200) + keyPem],
  ] as [string, (pem: { certPem: string; keyPem: string }) => string][])(
    'with %s is unreadable',
    (_, toFile) => {
      const file = toFile(sandbox.addApnsCertificate());

      expect(readPem(file)).toEqual({ kind: 'fault', fault: 'unreadable' });
    },
  );

  test.each(['rsa', 'ec'] as const)('is refused with another key (%s)', (type) => {
    const { certPem } = sandbox.addApnsCertificate();

    const read = readPem(certPem + createKey(type));

    expect(read).toEqual({ kind: 'fault', fault: 'key_does_not_fit' });
  });

  test('has the topic of its subject where it lists none', () => {
    const { certPem, keyPem } = sandbox.addApnsCertificate({ topics: [] });

    expect(readPem(certPem + keyPem)).toMatchObject({
      certificate: { topics: ['com.example.app'] },
    });
  });

  test('that knows no topic is none for pushes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
    const other = await createSandbox({ dir: folder });
    const [cert, key] = await Promise.all(
      ['server.pem', 'server-key.pem'].map((file) => readFile(join(folder, file), 'utf8')),
    );
    await other.close();
    await rm(folder, { recursive: true });

    expect(readPem(`${cert}${key}`)).toEqual({ kind: 'fault', fault: 'no_topics' });
  });

  test.each([undefined, 'wrong'])(
    'with an encrypted key needs its password, not %s',
    (password) => {
      const { certPem } = sandbox.addApnsCertificate();
      const key = createKey('ec', 'secret');

      expect(readPem(certPem + key, password)).toEqual({ kind: 'fault', fault: 'wrong_password' });
    },
  );
});

describe('a certificate in PKCS#12', () => {
  test.each([
    ['with its password', PKCS12, PKCS12_PASSWORD],
    ['without one', PKCS12_WITHOUT_PASSWORD, undefined],
  ])('is read %s', (_, file, password) => {
    expect(readPkcs12(file, password)).toMatchObject({
      kind: 'certificate',
      certificate: {
        commonName: 'Apple Push Services: com.example.app',
        bundle: 'com.example.app',
        topics: ['com.example.app'],
      },
    });
  });

  test.each([undefined, '', 'wrong'])('is not read with the password %j', (password) => {
    expect(readPkcs12(PKCS12, password)).toEqual({ kind: 'fault', fault: 'wrong_password' });
  });

  test('in the old encryption is known as such', () => {
    expect(readPkcs12(PKCS12_LEGACY, PKCS12_PASSWORD)).toEqual({
      kind: 'fault',
      fault: 'legacy_encryption',
    });
  });
});

describe('a packed certificate file', () => {
  test.each([{}, { password: '' }, { password: 'päss' }])('comes back with %j', (rest) => {
    const file = { file: Buffer.from([0, 1, 254, 255]), ...rest };

    expect(unpackCertificateFile(packCertificateFile(file))).toEqual(file);
  });

  test.each(['', 'nonsense', '{}'])('is not %j', (text) => {
    expect(unpackCertificateFile(Buffer.from(text))).toBeUndefined();
  });
});
