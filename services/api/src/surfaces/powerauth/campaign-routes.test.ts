import { randomUUID } from 'node:crypto';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 1;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const OK = { status: 'OK' };
const MISSING = 999_999;
const NO_SUCH_CAMPAIGN = 'Campaign with entered ID does not exist';
const DATE = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);

/** The message of the reference's examples. */
const MESSAGE = {
  title: 'Balance update',
  body: 'Your balance is now $745.00',
  badge: 3,
  sound: 'default',
  icon: 'custom-icon',
  category: 'balance-update',
  collapseKey: 'balance-update',
  validUntil: '2016-10-12T11:20:04Z',
  extras: { _comment: 'Any custom data.' },
};

async function createApp(credentials: readonly ('ios' | 'android')[] = []): Promise<number> {
  const appId = nextApp++;
  const privateKeyBase64 = Buffer.from('a key').toString('base64');
  const settings = {
    ios: { bundle: 'b', keyId: 'k', teamId: 't' },
    android: { projectId: 'p' },
  };
  await api.post('/admin/app/create', { appId });
  for (const platform of credentials)
    await api.post(`/admin/app/${platform}/update`, {
      appId,
      privateKeyBase64,
      ...settings[platform],
    });
  return appId;
}

async function createCampaign(appId: unknown, message: unknown = MESSAGE): Promise<number> {
  const { body } = await api.post('/push/campaign/create', { appId, message });
  return body.responseObject.id;
}

async function campaignOf(id: number) {
  return (await api.get(`/push/campaign/${id}/detail`)).body.responseObject;
}

async function listed(query: string): Promise<readonly unknown[]> {
  const { body } = await api.get(`/push/campaign/list${query}`);
  return body.responseObject as unknown as readonly unknown[];
}

/** What the live send will do. */
async function markSent(id: number): Promise<void> {
  const at = new Date('2026-01-02T03:04:05.678Z');
  await api.db
    .updateTable('campaigns')
    .set({ sent: true, sentAt: at, completedAt: at })
    .where('id', '=', id)
    .execute();
}

async function createDevice(appId: number, userId: string): Promise<void> {
  const device = { activationId: randomUUID(), token: randomUUID(), platform: 'ios' };
  await api.post('/push/device/create', { appId, userId, ...device });
}

function messagesTo(userId: string) {
  return api.db.selectFrom('messages').selectAll().where('userId', '=', userId).execute();
}

function refusal(message: unknown = expect.any(String)) {
  return { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } };
}

describe('POST /push/campaign/create', () => {
  test('takes the request of the reference and answers a number', async () => {
    const appId = await createApp();

    const answer = await api.post('/push/campaign/create', {
      appId: String(appId),
      message: MESSAGE,
    });

    const { id } = answer.body.responseObject;
    expect(answer).toMatchObject({ status: 200, body: { status: 'OK', responseObject: { id } } });
    expect(Number.isSafeInteger(id)).toBe(true);
    expect(await campaignOf(id)).toEqual({
      id,
      appId,
      sent: false,
      message: MESSAGE,
      timestampCreated: DATE,
      timestampSent: null,
      timestampCompleted: null,
    });
  });

  test('gives ids that count up and are not used again', async () => {
    const appId = await createApp();

    const first = await createCampaign(appId);
    await api.post(`/push/campaign/${first}/delete`, undefined);
    const second = await createCampaign(appId);

    expect(second).toBeGreaterThan(first);
  });

  test('keeps an app id that is no number', async () => {
    await api.post('/admin/app/create', { appId: 'mobile' });

    const id = await createCampaign('mobile', {});

    expect(await campaignOf(id)).toMatchObject({ appId: 'mobile', message: {} });
  });

  test.each([
    [1623402036.1234567, '2021-06-11T09:00:36.123Z'],
    ['2021-06-11T11:00:36.5+0200', '2021-06-11T09:00:36.500Z'],
    [null, undefined],
  ])('takes validUntil %j, and answers it as an instant', async (validUntil, expected) => {
    const id = await createCampaign(await createApp(), { title: 'x', body: null, validUntil });

    const { message } = await campaignOf(id);
    const until = expected === undefined ? {} : { validUntil: expected };
    expect(message).toEqual({ title: 'x', ...until });
  });

  test('leaves nulls inside extras, and the order of their keys', async () => {
    const extras = { z: null, a: { deep: [1, null, 'x'] } };

    const id = await createCampaign(await createApp(), { extras });

    expect(JSON.stringify((await campaignOf(id)).message)).toBe(JSON.stringify({ extras }));
  });

  test.each([
    [{ message: MESSAGE }, 'appId'],
    [{ appId: 0, message: MESSAGE }, 'appId'],
    [{ appId: 'nobody knows it', message: MESSAGE }, 'no such application'],
    [{ appId: 1 }, 'message'],
    [{ appId: 1, message: null }, 'message'],
    [{ appId: 1, message: 'text' }, 'message'],
    [{ appId: 1, message: { badge: 'three' } }, 'badge'],
    [{ appId: 1, message: { validUntil: 'tomorrow' } }, 'validUntil'],
    [{ appId: 1, message: { title: '\0' } }, 'title'],
    [null, 'requestObject'],
  ])('refuses %j', async (request, named) => {
    await createApp();
    const before = await listed('?all=true');

    const answer = await api.post('/push/campaign/create', request);

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining(named)) });
    expect(await listed('?all=true')).toHaveLength(before.length);
  });

  test.each([
    [['ios'], 'APNs'],
    [['android'], 'FCM'],
    [[], 'APNs'],
  ] as const)('with credentials for %j refuses a payload that is too large', async (on, name) => {
    const appId = await createApp(on);

    const request = { appId, message: { body: 'x'.repeat(4097) } };
    const answer = await api.post('/push/campaign/create', request);

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining(name)) });
  });

  test('asks only the platforms that are configured whether they take it', async () => {
    const message = { extras: { aps: 'a word of APNs' } };

    const answers = [
      await api.post('/push/campaign/create', { appId: await createApp(['android']), message }),
      await api.post('/push/campaign/create', { appId: await createApp(['ios']), message }),
    ];

    expect(answers.map((answer) => answer.status)).toEqual([200, 400]);
  });
});

describe('POST /push/campaign/{id}/delete', () => {
  test.each(['POST', 'DELETE'])('as %s deletes the campaign with its users', async (method) => {
    const id = await createCampaign(await createApp());
    await api.post(`/push/campaign/${id}/user/add`, ['u1', 'u2']);

    const answers = [
      await api.call(method, `/push/campaign/${id}/delete`, {}),
      await api.call(method, `/push/campaign/${id}/delete`, {}),
    ];

    expect(answers).toMatchObject([
      { status: 200, body: { status: 'OK', responseObject: { deleted: true } } },
      { status: 200, body: { status: 'OK', responseObject: { deleted: false } } },
    ]);
    expect((await api.get(`/push/campaign/${id}/detail`)).status).toBe(400);
    const left = api.db.selectFrom('campaignUsers').selectAll().where('campaignId', '=', id);
    expect(await left.execute()).toEqual([]);
  });

  test.each([
    { method: 'POST' },
    { method: 'DELETE' },
    { method: 'POST', headers: { 'content-type': 'application/json' } },
    { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: '' },
  ])('needs no body: %j', async (init) => {
    const id = await createCampaign(await createApp());

    const answer = await fetch(`${api.url}/push/campaign/${id}/delete/`, init);

    expect(await answer.json()).toEqual({ status: 'OK', responseObject: { deleted: true } });
  });

  test('deletes a sent campaign, and leaves all others with their users', async () => {
    const appId = await createApp();
    const [sent, other] = [await createCampaign(appId), await createCampaign(appId)];
    await markSent(sent);
    await api.post(`/push/campaign/${other}/user/add`, ['u1']);

    const { body } = await api.call('POST', `/push/campaign/${sent}/delete`);

    expect(body).toEqual({ status: 'OK', responseObject: { deleted: true } });
    expect(await campaignOf(other)).toMatchObject({ id: other });
    const users = await api.get(`/push/campaign/${other}/user/list`);
    expect(users.body.responseObject).toMatchObject({ users: ['u1'] });
  });
});

describe('GET /push/campaign/{id}/detail', () => {
  test('says when the campaign was sent', async () => {
    const id = await createCampaign(await createApp());
    await markSent(id);

    expect(await campaignOf(id)).toMatchObject({
      sent: true,
      timestampSent: '2026-01-02T03:04:05.678+00:00',
      timestampCompleted: '2026-01-02T03:04:05.678+00:00',
    });
  });

  test.each([MISSING, 0, -1])('refuses the missing campaign %s in the known words', async (id) => {
    const answer = await api.get(`/push/campaign/${id}/detail`);

    expect(answer).toMatchObject({ status: 400, body: refusal(NO_SUCH_CAMPAIGN) });
  });
});

describe('GET /push/campaign/list', () => {
  test.each(['', '?all=false', '?all='])('%s lists what is not sent yet', async (query) => {
    const appId = await createApp();
    const [sent, unsent] = [await createCampaign(appId), await createCampaign(appId)];
    await markSent(sent);

    const ids = (await listed(query)).map((campaign) => (campaign as { id: number }).id);

    expect(ids).toContain(unsent);
    expect(ids).not.toContain(sent);
  });

  test('?all=true lists every campaign as its detail says it, the oldest first', async () => {
    const appId = await createApp();
    const [sent, unsent] = [await createCampaign(appId), await createCampaign(appId, {})];
    await markSent(sent);

    const campaigns = await listed('?all=true');

    expect(campaigns.slice(-2)).toEqual([await campaignOf(sent), await campaignOf(unsent)]);
  });

  test.each(['?all=perhaps', '?all=true&all=false'])('refuses %s', async (query) => {
    expect(await api.get(`/push/campaign/list${query}`)).toMatchObject({
      status: 400,
      body: refusal(expect.stringContaining('all')),
    });
  });
});

describe('POST /push/campaign/send/test/{id}', () => {
  test('sends the message to the user, who need not be in the campaign, and tells the campaign nothing', async () => {
    const [appId, userId] = [await createApp(['ios']), randomUUID()];
    await createDevice(appId, userId);
    const validUntil = '2099-12-31T23:59:59Z';
    const id = await createCampaign(appId, { ...MESSAGE, validUntil });
    const before = await campaignOf(id);

    const answers = [
      await api.post(`/push/campaign/send/test/${id}`, { userId }),
      await api.post(`/push/campaign/send/test/${id}`, { userId }),
    ];

    expect(answers).toMatchObject([
      { status: 200, body: OK },
      { status: 200, body: OK },
    ]);
    expect(answers[0]?.body).toEqual(OK);
    const { validUntil: _, ...shown } = MESSAGE;
    const message = {
      body: shown,
      silent: false,
      personal: false,
      priority: 'HIGH',
      awaited: true,
      expiresAt: new Date(validUntil),
    };
    expect(await messagesTo(userId)).toMatchObject([message, message]);
    expect(await campaignOf(id)).toEqual(before);
    const { body } = await api.get(`/push/campaign/${id}/user/list`);
    expect(body.responseObject).toMatchObject({ users: [] });
  });

  test('answers OK when the user has no device, and when the campaign is past its time', async () => {
    const [appId, userId] = [await createApp(['ios']), randomUUID()];
    await createDevice(appId, userId);
    const id = await createCampaign(appId);

    const answers = [
      await api.post(`/push/campaign/send/test/${id}`, { userId: '1234567890' }),
      await api.post(`/push/campaign/send/test/${id}`, { userId }),
    ];

    expect(answers.map(({ body }) => body)).toEqual([OK, OK]);
    const deliveries = await api.db
      .selectFrom('deliveries')
      .innerJoin('messages', 'messages.id', 'deliveries.messageId')
      .select('state')
      .where('userId', '=', userId)
      .execute();
    expect(deliveries).toEqual([{ state: 'expired' }]);
  });

  test('sends once for one Idempotency-Key', async () => {
    const [appId, userId, key] = [await createApp(['ios']), randomUUID(), randomUUID()];
    const id = await createCampaign(appId);
    const send = () =>
      api.call(
        'POST',
        `/push/campaign/send/test/${id}`,
        { requestObject: { userId } },
        { 'idempotency-key': key },
      );

    const answers = [await send(), await send()];

    expect(answers.map(({ body }) => body)).toEqual([OK, OK]);
    expect(answers.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([
      null,
      'true',
    ]);
    expect(await messagesTo(userId)).toHaveLength(1);
  });

  test('refuses a campaign that is missing, an app without credentials, and a request without user', async () => {
    const [bare, id] = [
      await createCampaign(await createApp()),
      await createCampaign(await createApp(['ios'])),
    ];

    const answers = [
      await api.post(`/push/campaign/send/test/${MISSING}`, { userId: 'u' }),
      await api.post(`/push/campaign/send/test/${bare}`, { userId: 'u' }),
      await api.post(`/push/campaign/send/test/${id}`, null),
      await api.post(`/push/campaign/send/test/${id}`, { userId: null }),
      await api.post(`/push/campaign/send/test/${id}`, { userId: '' }),
    ];

    expect(answers.map(({ status, body }) => [status, body.responseObject.message])).toEqual([
      [400, NO_SUCH_CAMPAIGN],
      [400, expect.stringContaining('credentials')],
      [400, expect.stringContaining('requestObject')],
      [400, expect.stringContaining('userId')],
      [400, expect.stringContaining('userId')],
    ]);
  });
});

const USERS = { requestObject: ['u1'] };

describe('the id of a campaign', () => {
  const paths = [
    ['POST', 'ID/delete', undefined],
    ['DELETE', 'ID/delete', undefined],
    ['GET', 'ID/detail', undefined],
    ['PUT', 'ID/user/add', USERS],
    ['POST', 'ID/user/add', USERS],
    ['GET', 'ID/user/list', undefined],
    ['POST', 'ID/user/delete', USERS],
    ['DELETE', 'ID/user/delete', USERS],
    ['POST', 'send/test/ID', { requestObject: { userId: 'u1' } }],
  ] as const;

  test.each(paths)(
    'may have zeros before it in %s /push/campaign/%s',
    async (method, path, body) => {
      const id = await createCampaign(await createApp(['ios']));

      const answer = await api.call(
        method,
        `/push/campaign/${path.replace('ID', `00${id}`)}`,
        body,
      );

      expect(answer).toMatchObject({ status: 200, body: OK });
    },
  );

  test.each(paths)('has to be a number in %s /push/campaign/%s', async (method, path, body) => {
    const strange = ['x', '1.5', '1e3', '0x1', '%20', '١', '9007199254740993', '9'.repeat(30)];
    const answers = await Promise.all(
      strange.map((id) => api.call(method, `/push/campaign/${path.replace('ID', id)}`, body)),
    );

    for (const answer of answers)
      expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining('id')) });
  });
});
