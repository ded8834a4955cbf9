import {
  claimCredentialChecks,
  recordCheckResult,
  toCheckPlace,
  type CheckResult,
  type ClaimedCheck,
} from '@heliograph/db';
import { createSandbox } from '@heliograph/sandbox';
import { eventually } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 1000;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const KEY = Buffer.from('a private key').toString('base64');
const APNS = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: KEY };
const FCM = { projectId: 'p', privateKeyBase64: KEY };

async function createApp() {
  const appId = nextApp++;
  const answer = await api.post('/admin/app/create', { appId });
  return { appId, id: answer.body.responseObject.id };
}

const versionsOf = async (appRef: number) =>
  (
    await api.db.selectFrom('credentials').select('version').where('appRef', '=', appRef).execute()
  ).map(({ version }) => version);

const readChecks = () => api.db.selectFrom('credentialChecks').selectAll().execute();

/** Does what a dispatcher does with the next check: takes it, and has that verdict. */
async function answerNext(result: CheckResult): Promise<ClaimedCheck> {
  const claimed = await eventually(async () => {
    const [one] = await claimCredentialChecks(api.db, 1, 60_000);
    if (one === undefined) throw new Error('nothing is to be checked');
    return one;
  });
  await recordCheckResult(api.db, claimed, result);
  return claimed;
}

describe.each([
  ['/admin/app/ios/update', { ...APNS, environment: 'development' }, 'apns', 'development'],
  ['/admin/app/apns', { ...APNS, environment: 'production' }, 'apns', 'production'],
  ['/admin/app/android/update', FCM, 'fcm', null],
  ['/admin/app/fcm', FCM, 'fcm', null],
] as const)('POST %s?verify=true', (path, credential, provider, environment) => {
  test('saves a credential that its provider takes, and leaves no check behind', async () => {
    const { appId, id } = await createApp();

    const saving = api.post(`${path}?verify=true`, { appId, ...credential });
    const claimed = await answerNext({ verdict: 'accepted', reason: 'BadDeviceToken' });

    expect(await saving).toMatchObject({ status: 200, body: { status: 'OK' } });
    expect(claimed).toMatchObject({ provider, environment });
    const key = api.secrets.open(claimed.sealedKey, toCheckPlace(claimed.id));
    expect(key.toString()).toBe('a private key');
    expect(await versionsOf(id)).toHaveLength(1);
    expect(await readChecks()).toEqual([]);
  });

  test('refuses one that it does not take, and what was saved stays', async () => {
    const { appId, id } = await createApp();
    await api.post(path, { appId, ...credential });
    const before = await versionsOf(id);

    const saving = api.post(`${path}?verify=true`, { appId, ...credential });
    await answerNext({ verdict: 'refused', reason: 'InvalidProviderToken' });

    const { status, body } = await saving;
    expect(status).toBe(400);
    expect(body.responseObject).toEqual({
      code: 'ERROR_GENERIC',
      message: `The credential was not saved: ${provider === 'apns' ? 'APNs' : 'FCM'} does not take it (InvalidProviderToken).`,
    });
    expect(await versionsOf(id)).toEqual(before);
    expect(await readChecks()).toEqual([]);
  });

  test('refuses in another way where nobody could tell', async () => {
    const { appId, id } = await createApp();

    const saving = api.post(`${path}?verify=true`, { appId, ...credential });
    await answerNext({ verdict: 'unanswered', reason: 'ECONNREFUSED' });

    const { status, body } = await saving;
    expect(status).toBe(503);
    expect(body.responseObject.message).toContain(
      'has not said whether it takes it (ECONNREFUSED)',
    );
    expect(await versionsOf(id)).toEqual([]);
    expect(await readChecks()).toEqual([]);
  });
});

describe('a credential that is to be verified', () => {
  test('is refused where no dispatcher is there, and nothing of it stays', async () => {
    const hasty = await openTestApi({ beside: api, verifyWaitMs: 1 });
    const { appId, id } = await createApp();

    const answer = await hasty.post('/admin/app/fcm?verify=true', { appId, ...FCM });

    expect(answer.status).toBe(503);
    expect(answer.body.responseObject).toEqual({
      code: 'ERROR_GENERIC',
      message: 'The credential was not saved: no dispatcher has checked it in time.',
    });
    expect(await versionsOf(id)).toEqual([]);
    expect(await readChecks()).toEqual([]);
    await hasty.close();
  });

  test('may be an APNs certificate, which is looked at first', async () => {
    const { appId, id } = await createApp();
    const path = '/admin/app/apns/certificate?verify=true';
    const sandbox = await createSandbox();
    const { certificateBase64 } = sandbox.addApnsCertificate();

    const unreadable = await api.post(path, { appId, certificateBase64: KEY });
    const saving = api.post(path, { appId, certificateBase64 });
    await answerNext({ verdict: 'accepted', reason: null });

    expect(unreadable.status).toBe(400);
    expect((await saving).status).toBe(200);
    expect(await versionsOf(id)).toHaveLength(1);
    await sandbox.close();
  });

  test('is not asked about where there is no such app', async () => {
    const answer = await api.post('/admin/app/fcm?verify=true', { appId: 'unknown', ...FCM });

    expect(answer.status).toBe(400);
    expect(await readChecks()).toEqual([]);
  });

  test.each(['verify=false', ''])('is saved at once with the query "%s"', async (query) => {
    const { appId } = await createApp();

    expect((await api.post(`/admin/app/fcm?${query}`, { appId, ...FCM })).status).toBe(200);
  });

  test.each(['verify', 'verify=', 'verify=1', 'verify=True', 'verify=true&verify=false'])(
    'is refused with the query "%s", rather than saved unseen',
    async (query) => {
      const { appId, id } = await createApp();

      const answer = await api.post(`/admin/app/fcm?${query}`, { appId, ...FCM });

      expect(answer.status).toBe(400);
      expect(answer.body.responseObject.message).toContain('verify must be true or false');
      expect(await versionsOf(id)).toEqual([]);
    },
  );

  test('is not a proxy: there is no push that reaches nobody', async () => {
    const { appId, id } = await createApp();
    const proxy = {
      platform: 'ios',
      url: 'https://p.test/',
      basicUsername: 'u',
      basicPassword: 'p',
    };

    const answer = await api.post('/admin/app/proxy?verify=true', { appId, ...proxy });

    expect(answer.status).toBe(400);
    expect(answer.body.responseObject.message).toContain('A proxy cannot be verified');
    expect(await versionsOf(id)).toEqual([]);
  });
});
