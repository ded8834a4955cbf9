import { X509Certificate } from 'node:crypto';

import { toKeyPlace } from '@heliograph/db';
import { unpackCertificateFile } from '@heliograph/providers/certificate';
import { createSandbox, type ApnsCertificateOptions, type Sandbox } from '@heliograph/sandbox';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

const PATH = '/admin/app/apns/certificate';

let api: TestApi;
let sandbox: Sandbox;
let nextApp = 2000;

beforeAll(async () => {
  [api, sandbox] = await Promise.all([openTestApi(), createSandbox()]);
});
afterAll(() => Promise.all([api.close(), sandbox.close()]));

async function createApp() {
  const appId = nextApp++;
  const answer = await api.post('/admin/app/create', { appId });
  return { appId, id: answer.body.responseObject.id };
}

function findCredential(appRef: number) {
  return api.db
    .selectFrom('credentials')
    .selectAll()
    .where('appRef', '=', appRef)
    .executeTakeFirst();
}

/** What is answered to an attempt to save such a certificate. */
async function save(options: ApnsCertificateOptions, fields: object = {}) {
  const { appId, id } = await createApp();
  const { certificateBase64 } = sandbox.addApnsCertificate(options);
  const answer = await api.post(PATH, { appId, certificateBase64, ...fields });
  return { answer, id, saved: await findCredential(id) };
}

function refusal(message: unknown) {
  return {
    status: 400,
    body: { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } },
  };
}

describe.each(['POST', 'PUT'])('%s /admin/app/apns/certificate', (method) => {
  test('seals the file, and keeps in the open what it says of itself', async () => {
    const { appId, id } = await createApp();
    const { certPem, certificateBase64 } = sandbox.addApnsCertificate();

    const answer = await api.call(method, PATH, {
      requestObject: { appId, certificateBase64, certificatePassword: 'not needed' },
    });

    expect(answer).toMatchObject({ status: 200, body: { status: 'OK' } });
    const saved = await findCredential(id);
    expect(saved).toMatchObject({ provider: 'apns', environment: null });
    expect(saved?.settings).toEqual({
      bundle: 'com.example.app',
      certificate: {
        commonName: 'Apple Push Services: com.example.app',
        topics: ['com.example.app', 'com.example.app.voip'],
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        validTo: new Date(new X509Certificate(certPem).validTo).toISOString(),
      },
    });
    const opened = api.secrets.open(saved?.sealedKey ?? Buffer.alloc(0), toKeyPlace(id, 'apns'));
    expect(unpackCertificateFile(opened)).toEqual({
      file: Buffer.from(certificateBase64, 'base64'),
      password: 'not needed',
    });
  });
});

describe('a certificate', () => {
  test('takes the place of a key, and a key its', async () => {
    const { appId, id } = await createApp();
    const key = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: 'AAAA' };
    const { certificateBase64 } = sandbox.addApnsCertificate();
    await api.post('/admin/app/ios/update', { appId, ...key });
    const before = await findCredential(id);

    await api.post(PATH, { id, certificateBase64 });
    const between = await findCredential(id);
    await api.post('/admin/app/ios/update', { appId, ...key });
    const after = await findCredential(id);

    expect(between?.version).toBeGreaterThan(before?.version ?? Infinity);
    expect(between?.settings).toMatchObject({ bundle: 'com.example.app' });
    expect(after?.settings).toEqual({ bundle: 'b', keyId: 'k', teamId: 't' });
  });

  test('shows in the detail of its application, without its key', async () => {
    const { appId } = await createApp();
    const { certPem, keyPem, certificateBase64 } = sandbox.addApnsCertificate();
    await api.post(PATH, { appId, certificateBase64 });

    const { body, text } = await api.post('/admin/app/detail', { appId, includeApns: true });

    expect(body.responseObject).toMatchObject({
      application: { ios: true, apns: true },
      apnsBundle: 'com.example.app',
      apnsKeyId: null,
      apnsTeamId: null,
      apnsAuth: 'certificate',
      apnsCertificate: {
        commonName: 'Apple Push Services: com.example.app',
        topics: ['com.example.app', 'com.example.app.voip'],
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        validTo: new Date(new X509Certificate(certPem).validTo)
          .toISOString()
          .replace('Z', '+00:00'),
      },
    });
    expect(text).not.toContain(keyPem.split('\n')[1]);
  });

  test.each([
    [{}, undefined, null],
    [{}, 'production', 'production'],
    [{ environment: 'development' }, undefined, 'development'],
    [{ environment: 'development' }, 'Development', 'development'],
  ] as const)('%j with the environment %s is for %s', async (options, environment, expected) => {
    const { saved } = await save(options, { environment });

    expect(saved?.environment).toBe(expected);
  });

  test('may be used for any of its topics', async () => {
    const topics = ['com.example.app', 'com.example.other'];

    const { saved } = await save({ topics }, { bundle: 'com.example.other' });

    expect(saved?.settings).toMatchObject({ bundle: 'com.example.other' });
  });
});

describe('a certificate is refused', () => {
  test.each([
    ['whose time is over', { days: -1 }, {}, /has expired at 2\d{3}-/],
    ['for another bundle', {}, { bundle: 'com.example.x' }, /is for com\.example\.app, /],
    [
      'for another host',
      { environment: 'development' },
      { environment: 'production' },
      /is for dev/,
    ],
    ['that is none', {}, { certificateBase64: 'AAAA' }, /is neither PEM/],
    ['that is empty', {}, { certificateBase64: '' }, /certificateBase64/],
    ['without a file', {}, { certificateBase64: null }, /certificateBase64/],
    ['in bad Base64', {}, { certificateBase64: '?' }, /Base64/],
  ] as [string, ApnsCertificateOptions, object, RegExp][])(
    '%s, and nothing stored',
    async (_, options, fields, message) => {
      const { answer, saved } = await save(options, fields);

      expect(answer).toMatchObject(refusal(expect.stringMatching(message)));
      expect(saved).toBeUndefined();
    },
  );

  test('with the key of another', async () => {
    const [one, two] = [sandbox.addApnsCertificate(), sandbox.addApnsCertificate()];
    const certificateBase64 = Buffer.from(one.certPem + two.keyPem).toString('base64');

    const { answer, saved } = await save({}, { certificateBase64 });

    expect(answer).toMatchObject(refusal('The certificate has a private key that does not fit.'));
    expect(saved).toBeUndefined();
  });

  test('for an application that there is not', async () => {
    const { certificateBase64 } = sandbox.addApnsCertificate();

    const answer = await api.post(PATH, { appId: 999_999, certificateBase64 });

    expect(answer).toMatchObject(refusal('There is no such application.'));
  });
});
