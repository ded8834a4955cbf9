import { createPrivateKey, X509Certificate } from 'node:crypto';

import { toKeyPlace } from '@heliograph/db';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

const PATH = '/admin/app/proxy';
const URL_OF_PROXY = 'https://push.example.com/liveperson';

let api: TestApi;
let sandbox: Sandbox;
let nextApp = 5000;

beforeAll(async () => {
  [api, sandbox] = await Promise.all([openTestApi(), createSandbox()]);
});
afterAll(() => Promise.all([api.close(), sandbox.close()]));

const toBase64 = (text: string) => Buffer.from(text).toString('base64');

async function createApp() {
  const appId = nextApp++;
  const answer = await api.post('/admin/app/create', { appId });
  return { appId, id: answer.body.responseObject.id };
}

/** A client certificate as an operator sends it. */
function toClient(days?: number) {
  const { certPem, keyPem } = sandbox.addApnsCertificate(days === undefined ? {} : { days });
  const files = { certificateBase64: toBase64(certPem), privateKeyBase64: toBase64(keyPem) };
  return { certPem, keyPem, files };
}

const BASIC = { basicUsername: 'liveperson', basicPassword: 'pass:wörd' };

function findCredential(appRef: number) {
  return api.db
    .selectFrom('credentials')
    .selectAll()
    .where('appRef', '=', appRef)
    .executeTakeFirst();
}

function openKey(sealed: Buffer | undefined, appRef: number, provider: 'apns' | 'fcm'): unknown {
  const place = toKeyPlace(appRef, provider);
  return JSON.parse(api.secrets.open(sealed ?? Buffer.alloc(0), place).toString());
}

async function showDetail(appId: number) {
  const flags = { includeApns: true, includeFcm: true };
  const answer = await api.post('/admin/app/detail', { appId, ...flags });
  return { text: answer.text, detail: answer.body.responseObject };
}

describe.each(['POST', 'PUT'])('%s /admin/app/proxy', (method) => {
  test('seals key and password, and keeps the rest in the open', async () => {
    const { appId, id } = await createApp();
    const { certPem, keyPem, files } = toClient();

    const answer = await api.call(method, PATH, {
      requestObject: {
        appId,
        platform: 'android',
        url: 'https://PUSH.example.com:443/live%20person?a=b',
        ...files,
        ...BASIC,
        caBase64: toBase64(sandbox.caPem),
        schema: 2017,
        brandId: '2022139',
        backendService: 'ams',
        goneOn: [404, 410],
        retry: 'until_expiry',
        ratePerSecond: 20,
      },
    });

    expect(answer).toMatchObject({ status: 200, body: { status: 'OK' } });
    const saved = await findCredential(id);
    expect(saved).toMatchObject({ provider: 'fcm', route: 'proxy', environment: null });
    expect(saved?.settings).toEqual({
      url: 'https://push.example.com/live%20person?a=b',
      schema: '2017',
      brandId: '2022139',
      backendService: 'ams',
      goneOn: [404, 410],
      retry: 'until_expiry',
      caPem: new X509Certificate(sandbox.caPem).toString(),
      basicUsername: 'liveperson',
      certificate: {
        commonName: 'Apple Push Services: com.example.app',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        validTo: new Date(new X509Certificate(certPem).validTo).toISOString(),
      },
      ratePerSecond: 20,
    });
    expect(openKey(saved?.sealedKey, id, 'fcm')).toEqual({
      certificatePem: certPem,
      privateKeyPem: keyPem,
      basic: { username: 'liveperson', password: 'pass:wörd' },
    });
  });

  test('needs no more than an address and Basic', async () => {
    const { appId, id } = await createApp();

    const answer = await api.call(method, PATH, {
      requestObject: { appId, platform: 'IOS', url: URL_OF_PROXY, ...BASIC },
    });

    expect(answer.status).toBe(200);
    expect((await findCredential(id))?.settings).toEqual({
      url: URL_OF_PROXY,
      schema: 'current',
      goneOn: [410],
      retry: 'documented',
      basicUsername: 'liveperson',
    });
  });

  test('takes an encrypted key with its password', async () => {
    const { appId, id } = await createApp();
    const { keyPem, files } = toClient();
    const encrypted = createPrivateKey(keyPem)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
      .toString();
    const privateKeyBase64 = toBase64(encrypted);
    const request = { appId, platform: 'ios', url: URL_OF_PROXY, ...files, privateKeyBase64 };

    const refused = await api.call(method, PATH, { requestObject: request });
    const answer = await api.call(method, PATH, {
      requestObject: { ...request, privateKeyPassword: 'secret' },
    });

    expect(refused.body.responseObject.violations).toEqual([
      {
        fieldName: 'requestObject.privateKeyPassword',
        invalidValue: null,
        hint: 'is not that of the encrypted key',
      },
    ]);
    expect(answer.status).toBe(200);
    expect(openKey((await findCredential(id))?.sealedKey, id, 'apns')).toMatchObject({
      privateKeyPem: keyPem,
    });
  });
});

describe('a proxy that can not work', () => {
  test.each<[string, string, string]>([
    ['ftp://push.example.com/', 'must begin with https://', 'another scheme'],
    ['http://push.example.com/', 'must begin with https://', 'no TLS'],
    ['https://user:secret@push.example.com/', 'must hold no name and no password', 'userinfo'],
    ['https://push.example.com/#here', 'must hold no fragment', 'a fragment'],
    ['https://127.0.0.1/', 'must have a public address', 'this machine'],
    ['https://localhost:8443/', 'must have a public address', 'this machine by name'],
    ['https://10.1.2.3/', 'must have a public address', 'a private network'],
    ['https://169.254.169.254/latest/', 'must have a public address', "a cloud's metadata"],
    ['https://[::ffff:10.0.0.1]/', 'must have a public address', 'one in disguise'],
    ['https://0x7f000001/', 'must have a public address', 'one in hex'],
    ['push.example.com', 'is not a URL', 'no URL'],
  ])('is refused: %s %s (%s)', async (url, hint) => {
    const { appId, id } = await createApp();

    const answer = await api.post(PATH, { appId, platform: 'ios', url, ...BASIC });

    expect(answer.status).toBe(400);
    expect(answer.body.responseObject).toMatchObject({
      code: 'ERROR_REQUEST',
      violations: [{ fieldName: 'requestObject.url', invalidValue: null, hint }],
    });
    expect(answer.text).not.toContain('secret');
    expect(await findCredential(id)).toBeUndefined();
  });

  test.each<[string, string, string, () => object]>([
    [
      'without anything to show who we are',
      'certificateBase64',
      'is missing: a certificate with its key, or Basic, or both must be there',
      () => ({}),
    ],
    [
      'with a certificate alone',
      'privateKeyBase64',
      'is missing: certificate and key come together',
      () => ({ certificateBase64: toClient().files.certificateBase64 }),
    ],
    [
      'with a key alone, Basic or not',
      'certificateBase64',
      'is missing: certificate and key come together',
      () => ({ privateKeyBase64: toClient().files.privateKeyBase64, ...BASIC }),
    ],
    [
      'with a name and no password',
      'basicPassword',
      'is missing: name and password come together',
      () => ({ basicUsername: 'liveperson' }),
    ],
    [
      'with a name that holds a colon',
      'basicUsername',
      'must not contain a colon or control characters',
      () => ({ ...BASIC, basicUsername: 'a:b' }),
    ],
    [
      'with a password that would end its header',
      'basicPassword',
      'must not contain control characters',
      () => ({ ...BASIC, basicPassword: 'a\r\nx: y' }),
    ],
    [
      'with a certificate that has expired',
      'certificateBase64',
      expect.stringMatching(/^has expired at 20/) as string,
      () => toClient(-1).files,
    ],
    [
      'with a certificate that is none',
      'certificateBase64',
      'is not PEM with a certificate',
      () => ({ ...toClient().files, certificateBase64: toBase64('none') }),
    ],
    [
      "with another one's key",
      'privateKeyBase64',
      'does not fit the first certificate',
      () => ({ ...toClient().files, privateKeyBase64: toClient().files.privateKeyBase64 }),
    ],
    [
      'with an authority that is none',
      'caBase64',
      'is not PEM with the certificates of authorities',
      () => ({ ...BASIC, caBase64: toBase64('none') }),
    ],
    ['with an unknown status', 'goneOn[0]', 'must be one of 404, 410', () => ({ goneOn: [403] })],
    ['of an unknown year', 'schema', 'must be one of 2017, current', () => ({ schema: '2018' })],
    [
      'that is retried in its own way',
      'retry',
      'must be one of documented, until_expiry',
      () => ({ retry: 'never' }),
    ],
  ])('%s is refused: %s %s', async (_, field, hint, fields) => {
    const { appId, id } = await createApp();

    const answer = await api.post(PATH, {
      appId,
      platform: 'ios',
      url: URL_OF_PROXY,
      ...fields(),
    });

    expect(answer.status).toBe(400);
    expect(answer.body.responseObject.violations).toMatchObject([
      { fieldName: `requestObject.${field}`, hint },
    ]);
    expect(await findCredential(id)).toBeUndefined();
  });

  test('is told everything that is wrong with it at once', async () => {
    const { appId } = await createApp();

    const { body } = await api.post(PATH, {
      appId,
      platform: 'ios',
      url: 'http://push.example.com',
      ...toClient(-1).files,
      basicUsername: 'liveperson',
      caBase64: toBase64('none'),
    });

    const violations = body.responseObject.violations as readonly { fieldName: string }[];
    expect(violations.map(({ fieldName }) => fieldName.replace('requestObject.', ''))).toEqual([
      'url',
      'certificateBase64',
      'basicPassword',
      'caBase64',
    ]);
  });

  test.each([
    ['for a platform without a provider', { platform: 'huawei' }],
    ['for no platform', { platform: null }],
    ['for an unknown application', { appId: 999_999 }],
  ])('%s is refused', async (_, fields) => {
    const { appId } = await createApp();

    const answer = await api.post(PATH, {
      appId,
      platform: 'ios',
      url: URL_OF_PROXY,
      ...BASIC,
      ...fields,
    });

    expect(answer.status).toBe(400);
  });
});

describe('a certificate whose time has not come', () => {
  test('is refused until it has', async () => {
    const early = await openTestApi({ now: () => new Date('2020-01-01T00:00:00Z') });
    await early.post('/admin/app/create', { appId: 1 });

    const answer = await early.post(PATH, {
      appId: 1,
      platform: 'ios',
      url: URL_OF_PROXY,
      ...toClient().files,
    });

    expect(answer.body.responseObject.violations).toMatchObject([
      { hint: expect.stringMatching(/^is not valid before 20/) as string },
    ]);
    await early.close();
  });
});

describe('where private addresses are allowed', () => {
  test('a proxy may be on this machine, but not without TLS', async () => {
    const closed = await openTestApi({ allowPrivateProxies: true });
    await closed.post('/admin/app/create', { appId: 1 });
    const save = (url: string) => closed.post(PATH, { appId: 1, platform: 'ios', url, ...BASIC });

    const statuses = [await save('https://127.0.0.1:8443/'), await save('http://127.0.0.1:8443/')];

    expect(statuses.map(({ status }) => status)).toEqual([200, 400]);
    await closed.close();
  });
});

describe('an application with a proxy', () => {
  test('counts as configured, and shows the public part only', async () => {
    const { appId } = await createApp();
    const { certPem, keyPem, files } = toClient();
    await api.post(PATH, { appId, platform: 'ios', url: URL_OF_PROXY, ...files, ...BASIC });

    const { text, detail } = await showDetail(appId);
    const { body: listed } = await api.get('/admin/app/list');
    const { body: unconfigured } = await api.get('/admin/app/unconfigured/list');

    expect(detail).toMatchObject({
      application: { ios: true, apns: true, android: false },
      apnsBundle: null,
      iosBundle: null,
      fcmProxy: null,
      apnsProxy: {
        url: URL_OF_PROXY,
        schema: 'current',
        brandId: null,
        backendService: null,
        goneOn: [410],
        retry: 'documented',
        ratePerSecond: null,
        basicUsername: 'liveperson',
        caBase64: null,
        certificate: {
          commonName: 'Apple Push Services: com.example.app',
          fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          validTo: new Date(new X509Certificate(certPem).validTo)
            .toISOString()
            .replace('Z', '+00:00'),
        },
      },
    });
    expect(text).not.toContain(keyPem.split('\n')[1]);
    expect(text).not.toContain('pass:');
    expect(listed.responseObject.applicationList).toContainEqual(
      expect.objectContaining({ appId, ios: true, android: false }),
    );
    expect(unconfigured.responseObject.applicationList).not.toContainEqual(
      expect.objectContaining({ id: appId }),
    );
  });

  test('shows its own credential too, which stands by', async () => {
    const { appId } = await createApp();
    await api.post(PATH, { appId, platform: 'ios', url: URL_OF_PROXY, ...BASIC });
    const key = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: 'AAAA' };

    await api.post('/admin/app/ios/update', { appId, ...key });

    const { detail } = await showDetail(appId);
    expect(detail).toMatchObject({ apnsBundle: 'b', apnsProxy: { url: URL_OF_PROXY } });
  });
});

describe('what is sent for an application', () => {
  test('has to fit the way that each platform goes', async () => {
    const { appId } = await createApp();
    const proxy = { appId, platform: 'ios', url: URL_OF_PROXY, ...BASIC };
    await api.post(PATH, proxy);
    const send = async (body: object) => {
      const message = { userId: 'anybody', body };
      const { status } = await api.post('/push/message/send', { appId, message });
      return status;
    };
    const draft = async (message: object) =>
      (await api.post('/push/campaign/create', { appId, message })).status;
    const [long, tooLong] = [{ body: 'x'.repeat(8_000) }, { body: 'x'.repeat(17_000) }];
    const keysOnly = { titleLocKey: 'hello' };

    const byProxy = [await send(long), await send(tooLong), await send(keysOnly)];
    const campaigns = [await draft(long), await draft(tooLong)];
    await api.post('/admin/app/android/update', {
      appId,
      projectId: 'p',
      privateKeyBase64: 'AAAA',
    });
    const byBoth = [await draft(long), await draft({ body: 'short' })];

    expect(byProxy).toEqual([200, 400, 400]);
    expect(campaigns).toEqual([200, 400]);
    expect(byBoth).toEqual([400, 200]);
  });
});

describe('DELETE /admin/app/proxy', () => {
  test('brings back what stood by, leaves the other platform, and may be repeated', async () => {
    const { appId, id } = await createApp();
    const key = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: 'AAAA' };
    await api.post('/admin/app/ios/update', { appId, ...key });
    for (const platform of ['ios', 'android'])
      await api.post(PATH, { appId, platform, url: URL_OF_PROXY, ...BASIC });

    const remove = () => api.call('DELETE', `${PATH}?appId=${appId}&platform=ios`);
    const answers = [await remove(), await remove()];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const saved = await findCredential(id);
    expect(saved).toMatchObject({ route: 'direct', settings: { bundle: 'b' } });
    expect(api.secrets.open(saved?.sealedKey ?? Buffer.alloc(0), toKeyPlace(id, 'apns'))).toEqual(
      Buffer.from('AAAA', 'base64'),
    );
    const { detail } = await showDetail(appId);
    expect(detail).toMatchObject({ apnsProxy: null, fcmProxy: { url: URL_OF_PROXY } });
  });

  test('leaves an application without a credential where there was none before', async () => {
    const { appId, id } = await createApp();
    await api.post(PATH, { appId, platform: 'android', url: URL_OF_PROXY, ...BASIC });

    await api.call('DELETE', `${PATH}?appId=${appId}&platform=android`);

    expect(await findCredential(id)).toBeUndefined();
  });

  test('refuses an unknown application and a platform that there is not', async () => {
    const { appId } = await createApp();

    const answers = await Promise.all(
      [`appId=999999&platform=ios`, `appId=${appId}&platform=hms`, `appId=${appId}`].map((query) =>
        api.call('DELETE', `${PATH}?${query}`),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  });
});
