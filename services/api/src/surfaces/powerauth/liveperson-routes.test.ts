import { findSenders } from '@heliograph/db';
import {
  fingerprintOf,
  makeAuthority,
  makeClient,
  type ClientIdentity,
} from '@heliograph/testing/live-person';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import { passesBasic } from '../../liveperson/basic.ts';

const PATH = '/admin/app/liveperson';
const authority = makeAuthority();

let api: TestApi;
let nextApp = 3000;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

async function createApp(): Promise<number> {
  const appId = nextApp++;
  await api.post('/admin/app/create', { appId });
  return appId;
}

/** As an operator sees it. */
function shown(client: ClientIdentity) {
  return {
    commonName: 'localhost',
    fingerprint: fingerprintOf(client).toString('hex'),
    validTo: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  };
}

async function list(appId: number) {
  const { status, body } = await api.get(`${PATH}/list?appId=${appId}`);
  expect(status).toBe(200);
  return body.responseObject;
}

async function passes(client: ClientIdentity, userAndPassword: string): Promise<boolean[]> {
  const header = `Basic ${Buffer.from(userAndPassword).toString('base64')}`;
  const senders = await findSenders(api.db, fingerprintOf(client));
  return senders.map((sender) => passesBasic(api.secrets, sender, header));
}

describe.each(['POST', 'PUT'] as const)(`%s ${PATH}`, (method) => {
  const save = (requestObject: object) => api.call(method, PATH, { requestObject });

  test('makes a sender, the same when it is repeated', async () => {
    const appId = await createApp();
    const client = makeClient(authority);
    const request = { appId, brandId: '89961346', name: 'Chat', certificatePem: client.certPem };

    const answers = [await save(request), await save(request)];

    const sender = {
      appId,
      brandId: '89961346',
      name: 'Chat',
      basicUsername: null,
      certificates: [shown(client)],
    };
    for (const { status, body } of answers)
      expect({ status, body }).toEqual({
        status: 200,
        body: { status: 'OK', responseObject: { sender } },
      });
    expect(await list(appId)).toEqual({ senderList: [sender] });
  });

  test('adds a certificate to those that the sender has, and keeps the rest', async () => {
    const appId = await createApp();
    const [old, next] = [makeClient(authority, 10), makeClient(authority)];
    const basic = { username: 'lp', password: 'a password' };
    await save({ appId, brandId: 'b', name: 'Chat', certificatePem: old.certPem, basic });

    await save({ appId, brandId: 'b', certificatePem: next.certPem });

    expect(await list(appId)).toMatchObject({
      senderList: [{ name: 'Chat', basicUsername: 'lp', certificates: [shown(old), shown(next)] }],
    });
  });

  test('makes a password where none is given, and shows it once', async () => {
    const appId = await createApp();
    const client = makeClient(authority);

    const basic = { username: 'lp' };
    const { body } = await save({ appId, brandId: 'b', certificatePem: client.certPem, basic });

    const { basicPassword } = body.responseObject as unknown as { basicPassword: string };
    expect(basicPassword).toMatch(/^[\w-]{43}$/);
    expect(await passes(client, `lp:${basicPassword}`)).toEqual([true]);
    expect(JSON.stringify(await list(appId))).not.toContain(basicPassword);
  });

  test('asks for no Basic any more where that is removed', async () => {
    const appId = await createApp();
    const client = makeClient(authority);
    const basic = { username: 'lp', password: 'a password' };
    await save({ appId, brandId: 'b', certificatePem: client.certPem, basic });
    const before = [await passes(client, 'lp:a password'), await passes(client, 'lp:wrong')];

    const { body } = await save({ appId, brandId: 'b', removeBasic: true });

    expect(before).toEqual([[true], [false]]);
    expect(body.responseObject).toMatchObject({ sender: { basicUsername: null } });
    expect(await passes(client, 'lp:wrong')).toEqual([true]);
  });

  test.each([
    ['an unknown application', { appId: 1_999_999 }, 'no such application'],
    ['no certificate', { certificatePem: null }, 'certificatePem is missing'],
    ['an authority', { certificatePem: authority.caPem }, "is an authority's"],
    ['no brand', { brandId: ' ' }, 'brandId'],
    ['a user name with a colon', { basic: { username: 'a:b' } }, 'username'],
    ['two wills', { basic: { username: 'a' }, removeBasic: true }, 'either'],
  ])('is refused for %s, and changes nothing', async (_, change, words) => {
    const appId = await createApp();
    const { certPem: certificatePem } = makeClient(authority);

    const { status, body } = await save({ appId, brandId: 'b', certificatePem, ...change });

    expect(status).toBe(400);
    expect(body.responseObject.message).toMatch(words);
    expect(await list(appId)).toEqual({ senderList: [] });
  });
});

describe('a certificate', () => {
  test('may stand for several brands and applications', async () => {
    const [one, two] = [await createApp(), await createApp()];
    const { certPem: certificatePem } = makeClient(authority);

    await api.post(PATH, { appId: one, brandId: 'b', certificatePem });
    await api.post(PATH, { appId: one, brandId: 'c', certificatePem });
    await api.post(PATH, { appId: two, brandId: 'b', certificatePem });

    const { body } = await api.get(`${PATH}/list`);
    expect(body.responseObject).toMatchObject({
      senderList: expect.arrayContaining([
        expect.objectContaining({ appId: one, brandId: 'b' }),
        expect.objectContaining({ appId: one, brandId: 'c' }),
        expect.objectContaining({ appId: two, brandId: 'b' }),
      ]),
    });
  });

  test.each(['POST', 'DELETE'])(
    'is removed by %s, in any spelling of its fingerprint',
    async (method) => {
      const appId = await createApp();
      const [old, next] = [makeClient(authority), makeClient(authority)];
      for (const { certPem } of [old, next])
        await api.post(PATH, { appId, brandId: 'b', certificatePem: certPem });
      const fingerprint = fingerprintOf(old)
        .toString('hex')
        .toUpperCase()
        .replaceAll(/..(?=.)/g, '$&:');

      const path = `${PATH}/certificate/remove`;
      const requestObject = { appId, brandId: 'b', fingerprint };
      const answers = [
        await api.call(method, path, { requestObject }),
        await api.call(method, path, { requestObject }),
      ];

      expect(answers).toMatchObject([{ status: 200 }, { status: 200 }]);
      expect(await list(appId)).toMatchObject({ senderList: [{ certificates: [shown(next)] }] });
    },
  );
});

describe(`${PATH}/remove`, () => {
  test.each(['POST', 'DELETE'])('by %s removes the sender and no other', async (method) => {
    const appId = await createApp();
    const client = makeClient(authority);
    for (const brandId of ['b', 'c'])
      await api.post(PATH, { appId, brandId, certificatePem: client.certPem });

    const requestObject = { appId, brandId: 'b' };
    const answers = [
      await api.call(method, `${PATH}/remove`, { requestObject }),
      await api.call(method, `${PATH}/remove`, { requestObject }),
    ];

    expect(answers).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(await list(appId)).toMatchObject({ senderList: [{ brandId: 'c' }] });
    expect(await findSenders(api.db, fingerprintOf(client))).toMatchObject([{ brandId: 'c' }]);
  });
});

test('a Basic that was stored opens for its own sender only', async () => {
  const appId = await createApp();
  const client = makeClient(authority);
  const basic = { username: 'lp', password: 'a password' };
  await api.post(PATH, { appId, brandId: 'own', certificatePem: client.certPem, basic });
  await api.db
    .updateTable('livepersonSenders')
    .set({ brandId: 'another' })
    .where('brandId', '=', 'own')
    .execute();

  await expect(passes(client, 'lp:a password')).rejects.toThrow();
});
