import { toKeyPlace } from '@heliograph/db';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 1000;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const OK = { status: 'OK' };
const KEY = Buffer.alloc(128).toString('base64');

async function createApp() {
  const appId = nextApp++;
  const answer = await api.post('/admin/app/create', { appId });
  return { appId, id: answer.body.responseObject.id };
}

function credentialsOf(appRef: number) {
  return api.db.selectFrom('credentials').selectAll().where('appRef', '=', appRef).execute();
}

async function keyOf(appRef: number, provider: 'apns' | 'fcm'): Promise<Buffer> {
  const all = await credentialsOf(appRef);
  const sealed = all.find((credential) => credential.provider === provider)?.sealedKey;
  return api.secrets.open(sealed ?? Buffer.alloc(0), toKeyPlace(appRef, provider));
}

function refusal(message: unknown = expect.any(String)) {
  return { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } };
}

const APNS = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: KEY };
const FCM = { projectId: 'p', privateKeyBase64: KEY };

describe.each([
  ['POST', '/admin/app/ios/update', 'apns', APNS],
  ['PUT', '/admin/app/ios/update', 'apns', APNS],
  ['POST', '/admin/app/apns', 'apns', { ...APNS, environment: 'Production' }],
  ['PUT', '/admin/app/apns', 'apns', { ...APNS, environment: 'Production' }],
  ['POST', '/admin/app/android/update', 'fcm', FCM],
  ['PUT', '/admin/app/android/update', 'fcm', FCM],
  ['POST', '/admin/app/fcm', 'fcm', FCM],
  ['PUT', '/admin/app/fcm', 'fcm', FCM],
] as const)('%s %s', (method, path, provider, credential) => {
  const save = (requestObject: unknown) => api.call(method, path, { requestObject });

  test('seals any key, without a look at it', async () => {
    const { id, appId } = await createApp();

    const answer = await save({ appId, ...credential });

    expect(answer).toMatchObject({ status: 200, body: OK });
    const [saved] = await credentialsOf(id);
    expect(saved).toMatchObject({
      provider,
      environment: 'environment' in credential ? 'production' : null,
      settings: provider === 'apns' ? { bundle: 'b', keyId: 'k', teamId: 't' } : { projectId: 'p' },
    });
    expect(saved?.sealedKey.includes(Buffer.alloc(128))).toBe(false);
    expect(await keyOf(id, provider)).toEqual(Buffer.alloc(128));
  });

  test('replaces all of an earlier one, as a new version, and lifts its pauses', async () => {
    const { id, appId } = await createApp();
    await save({ appId, ...credential });
    const [before] = await credentialsOf(id);
    await api.db
      .insertInto('pauses')
      .values({
        appRef: id,
        provider,
        environment: '',
        credentialVersion: before?.version ?? 0,
        scope: 'credential',
        reason: 'InvalidProviderToken',
        probeAt: null,
        probeDeliveryId: null,
        liftedAt: null,
      })
      .execute();

    await save({ appId, ...credential, privateKeyBase64: Buffer.from('new').toString('base64') });

    const [after] = await credentialsOf(id);
    expect(after?.version).toBeGreaterThan(before?.version ?? 0);
    expect(await keyOf(id, provider)).toEqual(Buffer.from('new'));
    const { body } = await api.get('/admin/pause/list');
    expect(body.responseObject.pauseList).toEqual([]);
  });

  test('keeps the rate that the operator allows, until one is saved without', async () => {
    const { id, appId } = await createApp();
    const settingsOf = async () => (await credentialsOf(id))[0]?.settings;

    await save({ appId, ...credential, ratePerSecond: 0.5 });
    const limited = await settingsOf();
    await save({ appId, ...credential, ratePerSecond: null });
    const free = await settingsOf();

    expect(limited).toHaveProperty('ratePerSecond', 0.5);
    expect(free).not.toHaveProperty('ratePerSecond');
  });

  test('refuses bad Base64, missing and unknown things, and stores nothing', async () => {
    const { id, appId } = await createApp();
    const all: Record<string, unknown> = { appId, ...credential };
    const wrong = [
      ...Object.keys(all)
        .filter((name) => name !== 'environment')
        .map((name) => ({ ...all, [name]: null })),
      { ...all, privateKeyBase64: 'not base64!' },
      { ...all, privateKeyBase64: 'AAAAA' },
      { ...all, privateKeyBase64: '' },
      { ...all, appId: 999_999 },
      { ...all, ratePerSecond: 0 },
      { ...all, ratePerSecond: 1_000_001 },
      ...(provider === 'apns' ? [{ ...all, environment: 'staging' }] : []),
      null,
    ];

    const answers = await Promise.all(wrong.map(save));

    expect(answers.map((answer) => answer.status)).toEqual(wrong.map(() => 400));
    expect(await credentialsOf(id)).toEqual([]);
  });
});

describe.each([
  ['POST', '/admin/app/ios/remove', 'apns'],
  ['DELETE', '/admin/app/ios/remove', 'apns'],
  ['POST', '/admin/app/android/remove', 'fcm'],
  ['DELETE', '/admin/app/android/remove', 'fcm'],
] as const)('%s %s', (method, path, removed) => {
  test('removes that credential and leaves the other, as often as one likes', async () => {
    const { id, appId } = await createApp();
    await api.post('/admin/app/ios/update', { id, ...APNS });
    await api.post('/admin/app/android/update', { id, ...FCM });

    const answers = [
      await api.call(method, path, { requestObject: { id } }),
      await api.call(method, path, { requestObject: { appId } }),
    ];

    expect(answers.map((answer) => answer.body)).toEqual([OK, OK]);
    const left = await credentialsOf(id);
    expect(left.map((credential) => credential.provider)).toEqual([
      removed === 'apns' ? 'fcm' : 'apns',
    ]);
  });

  test.each([undefined, {}, { requestObject: {} }, { requestObject: { id: 999_999 } }])(
    'refuses %j',
    async (body) => {
      const answer = await api.call(method, path, body);

      expect(answer).toMatchObject({ status: 400, body: refusal() });
    },
  );
});

describe.each([
  ['/admin/app/apns', 'apns'],
  ['/admin/app/fcm', 'fcm'],
] as const)('DELETE %s', (path, removed) => {
  test('takes the application from the query, without a body', async () => {
    const { id, appId } = await createApp();
    await api.post('/admin/app/ios/update', { id, ...APNS });
    await api.post('/admin/app/android/update', { id, ...FCM });

    const answer = await fetch(`${api.url}${path}?appId=${appId}`, { method: 'DELETE' });

    expect(await answer.json()).toEqual(OK);
    const left = await credentialsOf(id);
    expect(left.map((credential) => credential.provider)).toEqual([
      removed === 'apns' ? 'fcm' : 'apns',
    ]);
  });

  test.each(['', '?appId=', '?appId=999999', '?appId=1&appId=2', '?appId=%00'])(
    'refuses the query "%s"',
    async (query) => {
      const answer = await api.call('DELETE', path + query);

      expect(answer).toMatchObject({ status: 400, body: refusal() });
    },
  );
});

describe('the extended error', () => {
  test('names every wrong field, and repeats no text', async () => {
    const { appId } = await createApp();

    const { status, body } = await api.post('/admin/app/apns', {
      appId,
      bundle: ' ',
      keyId: 'k',
      privateKeyBase64: '?',
    });

    expect(status).toBe(400);
    expect(body.responseObject.code).toBe('ERROR_REQUEST');
    expect(body.responseObject.violations).toEqual(
      expect.arrayContaining([
        { fieldName: 'requestObject.teamId', invalidValue: null, hint: 'is missing' },
        { fieldName: 'requestObject.environment', invalidValue: null, hint: 'is missing' },
        { fieldName: 'requestObject.bundle', invalidValue: null, hint: expect.any(String) },
        { fieldName: 'requestObject.privateKeyBase64', invalidValue: null, hint: 'must be Base64' },
      ]),
    );
    expect(body.responseObject.violations).toHaveLength(4);
  });

  test('counts a missing request object as one', async () => {
    const { body } = await api.call('POST', '/admin/app/fcm', { requestObject: null });

    expect(body.responseObject).toMatchObject({
      code: 'ERROR_REQUEST',
      violations: [{ fieldName: 'requestObject', invalidValue: null, hint: 'is missing' }],
    });
  });
});

describe('Huawei', () => {
  test.each([
    ['POST', '/admin/app/hms'],
    ['PUT', '/admin/app/hms'],
    ['DELETE', '/admin/app/hms?appId=1'],
    ['POST', '/admin/app/huawei/update'],
    ['PUT', '/admin/app/huawei/update'],
    ['POST', '/admin/app/huawei/remove'],
    ['DELETE', '/admin/app/huawei/remove'],
  ])('is refused by %s %s', async (method, path) => {
    const answer = await api.call(method, path, { requestObject: { appId: 1 } });

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining('Huawei')) });
  });
});
