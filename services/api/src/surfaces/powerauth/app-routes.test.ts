import { randomUUID } from 'node:crypto';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 100;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const KEY = Buffer.from('a key').toString('base64');
const APNS = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: KEY };
const FCM = { projectId: 'p', privateKeyBase64: KEY };

async function createApp(appId: number | string = nextApp++) {
  const answer = await api.post('/admin/app/create', { appId });
  return { appId, id: answer.body.responseObject.id };
}

function refusal(message: unknown = expect.any(String)) {
  return { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } };
}

describe('POST /admin/app/create', () => {
  test('answers the row id, and the app id as the kind that it is', async () => {
    const [number, text] = [nextApp++, `app-${randomUUID()}`];

    const answers = [
      await api.post('/admin/app/create', { appId: String(number), appName: 'Mine' }),
      await api.post('/admin/app/create', { appId: text }),
      await api.post('/admin/app/create', { appId: '007' }),
    ];

    expect(answers.map((answer) => answer.body)).toEqual([
      { status: 'OK', responseObject: { id: expect.any(Number), appId: number } },
      { status: 'OK', responseObject: { id: expect.any(Number), appId: text } },
      { status: 'OK', responseObject: { id: expect.any(Number), appId: '007' } },
    ]);
  });

  test.each(['9007199254740993', '1e21', '-1e21', '1e999'])(
    'refuses the number %s, which JSON cannot hold exactly',
    async (number) => {
      const answer = await api.raw('/admin/app/create', `{"requestObject":{"appId":${number}}}`);

      expect(answer).toMatchObject({ status: 400, body: refusal() });
    },
  );

  test('refuses an app id that is taken', async () => {
    const { appId } = await createApp();

    const answer = await api.post('/admin/app/create', { appId });

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining('exists')) });
  });

  test.each([
    {},
    { appId: null },
    { appId: 0 },
    { appId: '-3' },
    { appId: '' },
    { appId: ' ' },
    { appId: [1] },
  ])('refuses %j', async (app) => {
    const answer = await api.post('/admin/app/create', app);

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

describe('GET /admin/app/list', () => {
  test('lists each application by all of its names', async () => {
    const { id, appId } = await createApp();
    await api.post('/admin/app/android/update', { id, ...FCM });

    const { body } = await api.get('/admin/app/list/');

    const listed = { ios: false, android: true, apns: false, fcm: true, hms: false };
    expect(body.responseObject.applicationList).toContainEqual({
      id,
      appId,
      appName: null,
      ...listed,
    });
  });
});

describe('GET /admin/app/unconfigured/list', () => {
  test('lists applications without a credential, each in the dialect of its app id', async () => {
    const [numeric, text, configured] = [
      await createApp(),
      await createApp(`app-${randomUUID()}`),
      await createApp(),
    ];
    await api.post('/admin/app/ios/update', { id: configured.id, ...APNS });

    const { body } = await api.get('/admin/app/unconfigured/list');

    const list = body.responseObject.applicationList;
    const nothing = { appId: null, appName: null, ios: null, android: null };
    expect(list).toContainEqual({ id: numeric.appId, ...nothing });
    expect(list).toContainEqual({ appId: text.appId, appName: null });
    expect(list).not.toContainEqual(expect.objectContaining({ id: configured.appId }));
  });
});

describe('POST /admin/app/detail', () => {
  test.each([
    [{ includeIos: true, includeAndroid: 'true' }],
    [{ includeApns: true, includeFcm: true, includeHms: true }],
  ])('shows the public part of the credentials with %j', async (include) => {
    const { id, appId } = await createApp();
    await api.post('/admin/app/ios/update', { id, ...APNS, environment: 'DEVELOPMENT' });
    await api.post('/admin/app/android/update', { id, ...FCM, ratePerSecond: 12.5 });

    const answer = await api.post('/admin/app/detail', { id, ...include });

    const flags = { ios: true, android: true, apns: true, fcm: true, hms: false };
    expect(answer.body.responseObject).toEqual({
      application: { id, appId, appName: null, ...flags },
      iosBundle: 'b',
      iosKeyId: 'k',
      iosTeamId: 't',
      iosEnvironment: 'development',
      iosRatePerSecond: null,
      androidProjectId: 'p',
      androidRatePerSecond: 12.5,
      apnsBundle: 'b',
      apnsKeyId: 'k',
      apnsTeamId: 't',
      apnsEnvironment: 'development',
      apnsRatePerSecond: null,
      apnsAuth: 'token',
      apnsCertificate: null,
      fcmProjectId: 'p',
      fcmRatePerSecond: 12.5,
      apnsProxy: null,
      fcmProxy: null,
      hmsProjectId: null,
    });
    expect(JSON.stringify(answer.body)).not.toContain(KEY);
  });

  test('shows none of it unless asked, and takes an appId for the application only', async () => {
    const { id, appId } = await createApp();
    await api.post('/admin/app/ios/update', { id, ...APNS });

    const answer = await api.post('/admin/app/detail', { appId, includeIos: null });

    expect(answer.body.responseObject).toMatchObject({
      application: { id, appId },
      iosBundle: null,
    });
  });

  test.each([
    {},
    { id: 0 },
    { id: 999_999 },
    { id: 'x' },
    { id: 1e300 },
    { appId: 999_999 },
    { appId: 'unknown' },
    { appId: 1, includeIos: 'maybe' },
  ])('refuses %j', async (request) => {
    const answer = await api.post('/admin/app/detail', request);

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });

  test('refuses an id and an appId that name two applications', async () => {
    const [one, other] = [await createApp(), await createApp()];

    const answer = await api.post('/admin/app/detail', { id: one.id, appId: other.appId });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

describe('GET /push/service/status', () => {
  test('says who answers, and that nothing is real in the sandbox', async () => {
    const { status, body } = await api.get('/push/service/status');

    expect({ status, body }).toEqual({
      status: 200,
      body: {
        status: 'OK',
        responseObject: {
          applicationName: 'powerauth-push',
          applicationDisplayName: 'PowerAuth Push Server',
          applicationEnvironment: 'test',
          version: '1.2.3',
          buildTime: '2026-01-02T03:04:05.678+00:00',
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/),
          providers: 'sandbox',
        },
      },
    });
  });
});
