import { randomBytes } from 'node:crypto';

import { saveCredential, saveProxy, saveSender } from '@heliograph/db';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

const PATH = '/admin/certificate/list';
const NOW = new Date('2027-01-01T00:00:00Z');
const DAY_MS = 24 * 3_600_000;

let api: TestApi;
let nextApp = 8000;

beforeAll(async () => {
  api = await openTestApi({ now: () => NOW });
});
afterAll(() => api.close());

const inDays = (days: number) => new Date(NOW.getTime() + days * DAY_MS);
const newFingerprint = () => randomBytes(32).toString('hex');

/** An app with a proxy, an APNs certificate that stands by for it, and a LivePerson sender. */
async function createApp() {
  const appId = nextApp++;
  const answer = await api.post('/admin/app/create', { appId });
  const appRef = answer.body.responseObject.id;
  const [apns, proxy, chat] = [newFingerprint(), newFingerprint(), newFingerprint()];
  const sealedKey = Buffer.from('sealed');
  const certificate = { commonName: 'Apple', topics: [], fingerprint: apns };
  await saveCredential(api.db, {
    appRef,
    provider: 'apns',
    environment: null,
    settings: {
      bundle: 'com.example',
      certificate: { ...certificate, validTo: inDays(20.5).toISOString() },
    },
    sealedKey,
  });
  await saveProxy(api.db, {
    appRef,
    provider: 'apns',
    settings: {
      url: 'https://push.example.com',
      schema: 'current',
      goneOn: [410],
      retry: 'documented',
      certificate: {
        commonName: 'Proxy',
        fingerprint: proxy,
        validTo: inDays(400).toISOString(),
      },
    },
    sealedKey,
  });
  await saveSender(api.db, {
    appRef,
    brandId: '89961346',
    certificate: {
      fingerprint: Buffer.from(chat, 'hex'),
      commonName: 'Chat',
      validTo: inDays(-0.5),
    },
  });
  return { appId, apns, proxy, chat };
}

async function list(query: string) {
  const { status, body } = await api.get(`${PATH}?${query}`);
  return { status, body };
}

describe(`GET ${PATH}`, () => {
  test('answers what an app has, the first to end first, with the days that are left', async () => {
    const { appId, apns, proxy, chat } = await createApp();

    const answer = await list(`appId=${appId}`);

    const ios = { appId, platform: 'ios', brandId: null };
    expect(answer).toEqual({
      status: 200,
      body: {
        status: 'OK',
        page: 0,
        size: 20,
        responseObject: {
          certificateList: [
            {
              appId,
              kind: 'liveperson',
              platform: null,
              brandId: '89961346',
              commonName: 'Chat',
              fingerprint: chat,
              validTo: '2026-12-31T12:00:00.000+00:00',
              daysLeft: -1,
            },
            {
              ...ios,
              kind: 'apns',
              commonName: 'Apple',
              fingerprint: apns,
              validTo: '2027-01-21T12:00:00.000+00:00',
              daysLeft: 20,
            },
            {
              ...ios,
              kind: 'proxy',
              commonName: 'Proxy',
              fingerprint: proxy,
              validTo: '2028-02-05T00:00:00.000+00:00',
              daysLeft: 400,
            },
          ],
        },
      },
    });
  });

  test('answers those of all apps, a page at a time', async () => {
    const [first, second] = [await createApp(), await createApp()];

    const whole = await list('size=2000');
    const pages = await Promise.all([0, 1, 2].map((page) => list(`page=${page}&size=2`)));

    const { certificateList } = whole.body.responseObject as unknown as {
      certificateList: readonly { readonly fingerprint: string }[];
    };
    expect(certificateList.map(({ fingerprint }) => fingerprint)).toEqual(
      expect.arrayContaining([first.chat, first.apns, first.proxy, second.chat, second.proxy]),
    );
    expect(pages.map(({ body }) => body.responseObject)).toEqual([
      { certificateList: certificateList.slice(0, 2) },
      { certificateList: certificateList.slice(2, 4) },
      { certificateList: certificateList.slice(4, 6) },
    ]);
  });

  test('refuses an app that is not there', async () => {
    expect(await list('appId=7999')).toMatchObject({ status: 400, body: { status: 'ERROR' } });
  });
});
