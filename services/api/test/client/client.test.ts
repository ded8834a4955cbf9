import { randomUUID } from 'node:crypto';

import {
  createClient,
  HeliographError,
  type ClientOptions,
  type HeliographClient,
  type RetryNotice,
} from '@heliograph/client';
import { createM800Client } from '@heliograph/client/m800';
import { freezePage } from '@heliograph/db';
import { makeApp, makeCampaign, makeDevice, makeRun } from '@heliograph/testing';

import { makeKey } from '../access/world.ts';
import { openTestApi, type TestApi } from '../open-test-api.ts';
import { makeDeveloperKey, makeReceiver } from '../signed-request.ts';
import { openCuttingProxy, type CuttingProxy } from './cutting-proxy.ts';

let api: TestApi;
let proxy: CuttingProxy;
let apiKey: string;
let client: HeliographClient;
const notices: RetryNotice[] = [];

beforeAll(async () => {
  api = await openTestApi({ auth: 'on', campaignBodyLimitBytes: 20_000 });
  proxy = await openCuttingProxy(api.url);
  apiKey = (await makeKey(api.db)).text;
  client = connect();
});
afterAll(async () => {
  await proxy.close();
  await api.close();
});
afterEach(() => void notices.splice(0));

function connect(options: Partial<ClientOptions> = {}): HeliographClient {
  const onRetry = (notice: RetryNotice) => notices.push(notice);
  return createClient({ baseUrl: proxy.url, apiKey, onRetry, ...options });
}

/** An app with a credential of no use, and a user with a device of it. */
async function makeAudience() {
  const appId = randomUUID();
  const { id } = await client.apps.create({ appId });
  const privateKeyBase64 = Buffer.from('a key').toString('base64');
  await client.apps.saveFcm({ appId, projectId: 'p', privateKeyBase64 });
  const { userId } = await makeDevice(api.db, id, { provider: 'fcm' });
  return { appId, appRef: id, userId };
}

/** The latest requests to a path. */
function passedTo(path: string, count: number) {
  return proxy.passed.filter(({ url }) => url === path).slice(-count);
}

function messagesOf(appRef: number): Promise<{ readonly id: string }[]> {
  return api.db.selectFrom('messages').select('id').where('appRef', '=', appRef).execute();
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function errorOf(call: Promise<unknown>): Promise<HeliographError> {
  const error = await call.then(() => undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HeliographError);
  return error as HeliographError;
}

describe('a message whose answer gets lost', () => {
  test('is repeated, and there is one', async () => {
    const { appId, appRef, userId } = await makeAudience();
    proxy.loseAnswers(2);

    const { messageIds } = await client.messages.send({
      appId,
      mode: 'ASYNCHRONOUS',
      message: { userId, body: { title: 'Hello' } },
    });

    expect(await messagesOf(appRef)).toEqual([{ id: messageIds[0] }]);
    const passed = passedTo('/push/message/send', 3);
    expect(new Set(passed.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(passed.map(({ answerHeaders }) => answerHeaders['idempotency-replayed'])).toEqual([
      undefined,
      'true',
      'true',
    ]);
  });

  test('is one, too, where the call ended before, and is made again with its key', async () => {
    const { appId, appRef, userId } = await makeAudience();
    const request = { appId, message: { userId, body: { title: 'Hello' } } };
    proxy.loseAnswers(1);

    const error = await errorOf(client.messages.send(request, { maxAttempts: 1 }));
    const { idempotencyKey } = error;
    const { messageIds } = await client.messages.send(request, { idempotencyKey });

    expect(error).toMatchObject({ code: 'connection', mayBeDone: true, mayRetry: true });
    expect(await messagesOf(appRef)).toEqual([{ id: messageIds[0] }]);
  });

  test('is waited for by whoever comes after an attempt that took too long', async () => {
    // One server that waits for ever, and a replica that doesn't.
    const patient = await openTestApi({ beside: api, auth: 'on', syncWaitMs: 3_600_000 });
    const { appId, appRef, userId } = await makeAudience();
    const request = { appId, message: { userId, body: { title: 'Hello' } } };
    const own = connect({ baseUrl: patient.url, maxAttempts: 1, attemptTimeoutMs: 2000 });

    const error = await errorOf(own.messages.send(request));
    const { idempotencyKey } = error;
    const { messageIds } = await client.messages.send(request, { idempotencyKey });

    expect(error).toMatchObject({ code: 'timeout', mayBeDone: true, mayRetry: true });
    expect(await messagesOf(appRef)).toEqual([{ id: messageIds[0] }]);
    await patient.close();
  });

  test('is refused with another text under its key', async () => {
    const { appId, userId } = await makeAudience();
    const send = (title: string) =>
      client.messages.send(
        { appId, mode: 'ASYNCHRONOUS', message: { userId, body: { title } } },
        { idempotencyKey: `key-of-${userId}` },
      );
    await send('Hello');

    expect(await errorOf(send('Goodbye'))).toMatchObject({
      status: 409,
      code: 'ERROR_DATA_INTEGRITY',
      correlationId: expect.any(String),
      mayRetry: false,
      mayBeDone: false,
    });
  });
});

describe('what else is done once', () => {
  test('is a batch, a test of a campaign, and a message of an inbox', async () => {
    const { appId, appRef, userId } = await makeAudience();
    const message = { userId, body: { title: 'Hello' } };
    const { id } = await client.campaigns.create({ appId, message: { title: 'Hello' } });

    proxy.loseAnswers(1);
    await client.messages.sendBatch({ appId, mode: 'ASYNCHRONOUS', batch: [message, message] });
    proxy.loseAnswers(1);
    await client.campaigns.sendTest(id, { userId });
    proxy.loseAnswers(1);
    const stored = await client.inbox.post({
      userId,
      type: 'text',
      subject: 'A subject',
      summary: 'A summary',
      body: 'A whole body',
      applications: [appId],
    });

    expect(notices).toHaveLength(3);
    expect(await messagesOf(appRef)).toHaveLength(3);
    const list = await listOf(client.inbox.list({ userId, applications: appId }));
    expect(list.map((one) => one.id)).toEqual([stored.id]);
  });

  test('is a run, also one that sends again', async () => {
    const { appId, userId } = await makeAudience();
    const { id } = await client.campaigns.create({ appId, message: { title: 'Hello' } });
    await client.campaigns.addUsers(id, [userId]);

    proxy.loseAnswers(1);
    const first = await client.campaigns.sendLive(id);
    await api.db
      .updateTable('campaignRuns')
      .set({ state: 'completed', finishedAt: new Date() })
      .where('campaignId', '=', id)
      .execute();
    proxy.loseAnswers(1);
    const second = await client.campaigns.sendLive(id, { resend: true });

    const runs = await listOf(client.runs.list(id));
    expect(runs.map(({ runId }) => runId)).toEqual([second.runId, first.runId]);
  });
});

describe('what would be done again', () => {
  test('is not repeated when its answer gets lost', async () => {
    const { appId, appRef } = await makeAudience();
    const before = proxy.passed.length;
    proxy.loseAnswers(1);

    const error = await errorOf(client.campaigns.create({ appId, message: { title: 'Hello' } }));

    expect(error).toMatchObject({ code: 'connection', mayBeDone: true, mayRetry: false });
    expect(proxy.passed).toHaveLength(before + 1);
    const campaigns = await api.db
      .selectFrom('campaigns')
      .select('id')
      .where('appRef', '=', appRef)
      .execute();
    expect(campaigns).toHaveLength(1);
  });
});

describe('a key', () => {
  test('is taken as Basic, too', async () => {
    const [, username = '', password = ''] = /^hg_([^_]+)_(.+)$/.exec(apiKey) ?? [];
    const own = connect({ apiKey: undefined, basic: { username, password } });

    expect((await own.apps.list()).applicationList).toEqual(expect.any(Array));
  });

  test('that is wrong is refused at once', async () => {
    expect(await errorOf(connect({ apiKey: 'hg_wrong' }).apps.list())).toMatchObject({
      status: 401,
      code: 'ERROR_GENERIC',
      attempts: 1,
      mayRetry: false,
    });
  });

  test('that asks too often is told when to come again, and gets through then', async () => {
    const { text } = await makeKey(api.db, { ratePerSecond: 1 });
    const own = connect({ apiKey: text });
    let error: unknown;
    while (error === undefined)
      await own.apps.list({ maxAttempts: 1 }).catch((reason: unknown) => (error = reason));

    await own.apps.list({ maxAttempts: 20 });

    expect(error).toMatchObject({
      status: 429,
      retryAfterMs: 1000,
      mayBeDone: false,
      mayRetry: true,
    });
  });
});

describe('lists', () => {
  test('of users go in requests that the server takes, and come back whole', async () => {
    const { appId } = await makeAudience();
    const { id } = await client.campaigns.create({ appId, message: { title: 'Hello' } });
    const users = Array.from({ length: 2500 }, (_, n) => `user-of-${id}-${n}`);

    await client.campaigns.addUsers(id, users);
    await client.campaigns.removeUsers(id, users.slice(0, 1400));

    expect(await listOf(client.campaigns.listUsers(id))).toEqual(users.slice(1400));
    expect(passedTo(`/push/campaign/${id}/user/add`, 100).map(({ status }) => status)).toEqual(
      expect.arrayContaining([413, 200]),
    );
  });

  test('of the devices of a run go from cursor to cursor', async () => {
    const appRef = await makeApp(api.db);
    const userIds: string[] = [];
    for (let n = 0; n < 5; n += 1) userIds.push((await makeDevice(api.db, appRef)).userId);
    const campaign = await makeCampaign(api.db, appRef, userIds);
    const { campaignId } = campaign;
    const runId = await makeRun(api.db, campaign);
    while (await freezePage(api.db, runId, 1));

    const query = { runId, state: 'pending', size: 2 } as const;
    const pages = await listOf(client.runs.devices(campaignId, query).pages());
    const devices = await listOf(client.runs.devices(campaignId, query));

    expect(pages.map((page) => page.devices.length)).toEqual([2, 2, 1]);
    expect(new Set(devices.map(({ userId }) => userId))).toEqual(new Set(userIds));
  });

  test('of the audit go back to the first entry', async () => {
    const { appId } = await makeAudience();
    for (let n = 0; n < 4; n += 1)
      await client.campaigns.create({ appId, message: { title: 'Hello' } });

    const entries = await listOf(client.audit.list({ appId, limit: 2 }));

    expect(entries.length).toBeGreaterThanOrEqual(5);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  });
});

describe('the stream of an inbox', () => {
  test('gives each message once over connections that break', async () => {
    const { appId, userId } = await makeAudience();
    const inbox = { userId, applications: appId };
    const post = (subject: string) =>
      client.inbox.post({
        userId,
        type: 'text',
        subject,
        summary: 'A summary',
        body: 'A whole body',
        applications: [appId],
      });
    const came: string[] = [];
    await post('Subject 1');

    for await (const { id, message } of client.inbox.stream(inbox, { lastEventId: 0 })) {
      came.push(`${id} ${message.subject}`);
      if (came.length === 4) break;
      proxy.cut();
      await post(`Subject ${came.length + 1}`);
    }

    expect(came).toEqual(['1 Subject 1', '2 Subject 2', '3 Subject 3', '4 Subject 4']);
    const streams = proxy.passed.filter(
      ({ url = '' }) => url.includes(userId) && url.includes('stream'),
    );
    expect(streams.length).toBeGreaterThan(1);
  });
});

describe('a signed push whose answer gets lost', () => {
  test('is repeated, and there is one', async () => {
    const { appRef, appId, developerKey, secret } = await openKey();
    const receiver = await makeReceiver(openApi(), { appRef, appId, developerKey, secret });
    const own = createM800Client({ baseUrl: proxy.url, developerKey, secret });
    const push = { appMessage: { content: 'Hello' }, push: { content: 'Hello' } };

    proxy.loseAnswers(1);
    const lost = await own.push(`${receiver}@acme.com`, push);
    const one = await messagesOf(appRef);
    const heard = await own.push(receiver, push);

    expect(lost).toEqual({ requestId: undefined });
    expect(one).toHaveLength(1);
    expect(await messagesOf(appRef)).toHaveLength(2);
    expect(await own.getRequest(heard.requestId ?? '')).toMatchObject({
      requestId: heard.requestId,
      push: { targeted: 1 },
    });
  });

  test('is refused with a secret that is none', async () => {
    const { developerKey } = await openKey();
    const own = createM800Client({ baseUrl: proxy.url, developerKey, secret: 'wrong' });

    expect(await errorOf(own.push('john', { appMessage: { content: 'Hello' } }))).toMatchObject({
      status: 401,
      code: '40105',
      mayRetry: false,
    });
  });

  const openKey = () => makeDeveloperKey(openApi());

  /** As those see it who show the key. */
  function openApi(): TestApi {
    const authorization = `Bearer ${apiKey}`;
    return {
      ...api,
      post: (path, requestObject) => api.call('POST', path, { requestObject }, { authorization }),
    };
  }
});
