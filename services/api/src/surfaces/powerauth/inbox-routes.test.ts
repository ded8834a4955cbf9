import { randomUUID } from 'node:crypto';

import { openTestApi, type Answer, type TestApi } from '../../../test/open-test-api.ts';
import type { InboxMessageAnswer } from './inbox-endpoints.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const OK = { status: 'OK' };
const DATE = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
const UUID = expect.stringMatching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
);

async function createApp(appId: string | number = randomUUID()): Promise<string> {
  await api.post('/admin/app/create', { appId });
  return `${appId}`;
}

async function toMessage(changes: object = {}) {
  return {
    userId: randomUUID(),
    type: 'text',
    subject: 'A subject',
    summary: 'A summary',
    body: 'A whole body',
    applications: 'applications' in changes ? changes.applications : [await createApp()],
    ...changes,
  };
}

/** The answer's message. */
function messageOf({ body }: Answer): InboxMessageAnswer {
  expect(body.status).toBe('OK');
  return body.responseObject as unknown as InboxMessageAnswer;
}

async function postMessage(changes: object = {}): Promise<InboxMessageAnswer> {
  return messageOf(await api.post('/inbox/messages', await toMessage(changes)));
}

function find(verb: string, query: Readonly<Record<string, string | number | boolean>>) {
  const text = Object.entries(query).map(([name, value]): [string, string] => [name, `${value}`]);
  return api.get(`/inbox/messages/${verb}?${new URLSearchParams(text)}`);
}

async function list(query: Parameters<typeof find>[1]) {
  const { body } = await find('list', query);
  return body.responseObject as unknown as readonly InboxMessageAnswer[];
}

/** Of all users. */
async function countRows(): Promise<number> {
  return (await api.db.selectFrom('inboxMessages').select('id').execute()).length;
}

function refusal(code: string, message: unknown = expect.any(String)) {
  return { status: 400, body: { status: 'ERROR', responseObject: { code, message } } };
}

function violationOf(fieldName: string) {
  return {
    status: 400,
    body: {
      status: 'ERROR',
      responseObject: {
        code: 'ERROR_REQUEST',
        violations: [expect.objectContaining({ fieldName, hint: expect.any(String) })],
      },
    },
  };
}

describe('POST /inbox/messages', () => {
  test('stores a message, answers it whole, and sends nothing', async () => {
    const applications = [await createApp('zebra_App-1'), await createApp('123')];
    const message = await toMessage({ type: 'html', applications });

    const answer = await api.post('/inbox/messages', message);

    expect(answer).toMatchObject({ status: 200, body: OK });
    expect(messageOf(answer)).toEqual({
      ...message,
      id: UUID,
      read: false,
      timestampCreated: DATE,
    });
    expect(await api.db.selectFrom('messages').select('id').execute()).toEqual([]);
  });

  test.each([
    ['text', 'text'],
    ['TEXT', 'text'],
    ['Html', 'html'],
  ])('takes the type %s and answers %s', async (given, answered) => {
    const message = await postMessage({ type: given });

    const [listed] = await list({
      userId: message.userId,
      applications: message.applications.join(','),
    });
    expect([message.type, listed?.type]).toEqual([answered, answered]);
  });

  test('takes the shortest and the longest of everything, in characters', async () => {
    const app = await createApp('abc');
    const long = await createApp('x'.repeat(255));
    const shortest = { userId: 'u', subject: 's'.repeat(8), summary: 'ä'.repeat(8) };
    const longest = {
      userId: 'ü'.repeat(255),
      subject: '😀'.repeat(255),
      summary: 'z'.repeat(255),
    };

    const short = await postMessage({ ...shortest, body: 'b'.repeat(8), applications: [app] });
    const full = await postMessage({
      ...longest,
      body: '\n"\\'.repeat(21_845) + '€',
      applications: [long],
    });

    expect(short).toMatchObject(shortest);
    expect(full).toMatchObject({ ...longest, body: '\n"\\'.repeat(21_845) + '€' });
  });

  test('reads numbers as texts, as everywhere', async () => {
    const app = await createApp(4711);

    const message = await postMessage({
      userId: 12,
      subject: 12_345_678,
      summary: 12_345_678,
      body: 12_345_678,
      applications: [Number(app)],
    });

    expect(message).toMatchObject({
      userId: '12',
      subject: '12345678',
      summary: '12345678',
      body: '12345678',
      applications: ['4711'],
    });
  });

  test.each([
    [{ userId: undefined }, 'userId'],
    [{ userId: null }, 'userId'],
    [{ userId: '' }, 'userId'],
    [{ userId: 'u'.repeat(256) }, 'userId'],
    [{ userId: 'nul\0' }, 'userId'],
    [{ type: undefined }, 'type'],
    [{ type: 'markdown' }, 'type'],
    [{ subject: undefined }, 'subject'],
    [{ subject: 's'.repeat(7) }, 'subject'],
    [{ subject: 's'.repeat(256) }, 'subject'],
    [{ summary: undefined }, 'summary'],
    [{ summary: 's'.repeat(7) }, 'summary'],
    [{ summary: 's'.repeat(256) }, 'summary'],
    [{ body: undefined }, 'body'],
    [{ body: 'b'.repeat(7) }, 'body'],
    [{ body: 'b'.repeat(65_537) }, 'body'],
    [{ body: 'a lone \ud800 half' }, 'body'],
    [{ applications: null }, 'applications'],
    [{ applications: [] }, 'applications'],
    [{ applications: 'a-text' }, 'applications'],
    [{ applications: ['ab'] }, 'applications[0]'],
    [{ applications: ['a'.repeat(256)] }, 'applications[0]'],
    [{ applications: ['an app'] }, 'applications[0]'],
    [{ applications: ['app\n'] }, 'applications[0]'],
    [{ applications: [{}] }, 'applications[0]'],
  ])('refuses %j, names the field, and stores nothing', async (changes, field) => {
    const message = await toMessage(changes);
    const before = await countRows();

    const answer = await api.post('/inbox/messages', message);

    expect(answer).toMatchObject(violationOf(`requestObject.${field}`));
    expect(await countRows()).toBe(before);
  });

  test('names every field that is wrong, and a request object that is missing', async () => {
    const all = await api.post('/inbox/messages', {});
    const none = await api.post('/inbox/messages', null);
    const empty = await api.call('POST', '/inbox/messages');

    expect(all.body.responseObject.violations).toHaveLength(6);
    for (const answer of [none, empty]) expect(answer).toMatchObject(violationOf('requestObject'));
  });

  test.each(['ab', 'an app', 'ä'.repeat(3)])(
    'tells what an app may be called: not %j',
    async (app) => {
      const { body } = await api.post('/inbox/messages', await toMessage({ applications: [app] }));

      expect(body.responseObject.message).toBe(
        'requestObject.applications[0] must be 3 to 255 letters, digits, underscores and hyphens.',
      );
    },
  );

  test('tells how long a text must be', async () => {
    const { body } = await api.post('/inbox/messages', await toMessage({ subject: 'short' }));

    expect(body.responseObject.message).toBe(
      'requestObject.subject must have at least 8 characters.',
    );
  });

  test('refuses an app that does not exist, and one that is named twice', async () => {
    const app = await createApp();
    const before = await countRows();

    const [unknown, twice] = [
      await api.post('/inbox/messages', await toMessage({ applications: [app, 'unknown'] })),
      await api.post('/inbox/messages', await toMessage({ applications: [app, app] })),
    ];

    expect(unknown).toMatchObject(
      refusal('ERROR_APP_NOT_FOUND', 'There is no application unknown.'),
    );
    expect(twice).toMatchObject(refusal('ERROR_APP_NOT_FOUND', expect.stringContaining('once')));
    expect(await countRows()).toBe(before);
  });

  test('refuses malformed JSON with 400, and other methods with 405', async () => {
    const malformed = await api.raw('/inbox/messages', '{');
    const put = await api.call('PUT', '/inbox/messages', {});

    expect(malformed).toMatchObject(refusal('ERROR_GENERIC'));
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('POST /inbox/messages with an Idempotency-Key', () => {
  const post = (requestObject: unknown, key: string) =>
    api.call('POST', '/inbox/messages', { requestObject }, { 'idempotency-key': key });

  test('stores once what comes twice, and gives the first answer again, though it was read since', async () => {
    const message = await toMessage();
    const key = randomUUID();
    const before = await countRows();

    const first = await post(message, key);
    await api.post('/inbox/messages/read', { inboxId: messageOf(first).id });
    const second = await post(message, key);

    expect(second.body).toEqual(first.body);
    expect([first, second].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([
      null,
      'true',
    ]);
    expect(await countRows()).toBe(before + 1);
  });

  test('stores once what comes many times at once', async () => {
    const message = await toMessage();
    const key = randomUUID();
    const before = await countRows();

    const answers = await Promise.all(Array.from({ length: 8 }, () => post(message, key)));

    expect(new Set(answers.map((answer) => messageOf(answer).id)).size).toBe(1);
    expect(await countRows()).toBe(before + 1);
  });

  test('refuses the key with another body, and keeps none of a refused request', async () => {
    const [key, other] = [randomUUID(), randomUUID()];
    const message = await toMessage();
    const before = await countRows();
    await post(message, key);
    await post({ ...message, applications: ['unknown'] }, other);

    const changed = await post({ ...message, subject: 'Another subject' }, key);
    const mended = await post(message, other);

    expect(changed).toMatchObject({
      status: 409,
      body: { responseObject: { code: 'ERROR_DATA_INTEGRITY' } },
    });
    expect(mended.status).toBe(200);
    expect(await countRows()).toBe(before + 2);
  });

  test('is another key than the same one of another endpoint', async () => {
    const message = await toMessage();
    const key = randomUUID();
    await api.call(
      'POST',
      '/push/campaign/send/test/1',
      { requestObject: { userId: 'u' } },
      { 'idempotency-key': key },
    );

    expect((await post(message, key)).status).toBe(200);
  });
});

describe('GET /inbox/messages/list', () => {
  test('answers what the list shows, the newest first, with page and size beside it', async () => {
    const [app, other] = [await createApp(), await createApp()];
    const userId = randomUUID();
    const first = await postMessage({ userId, applications: [app, other] });
    const second = await postMessage({ userId, applications: [other] });
    await postMessage({ applications: [app] });
    await api.post('/inbox/messages/read', { inboxId: first.id });

    const { status, body } = await find('list', { userId, applications: `${app},${other}` });

    const toSummary = ({ id, type, subject, summary, timestampCreated }: InboxMessageAnswer) => ({
      id,
      type,
      subject,
      summary,
      timestampCreated,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'OK',
      responseObject: [
        { ...toSummary(second), read: false },
        { ...toSummary(first), read: true },
      ],
      page: 0,
      size: 20,
    });
  });

  test('keeps to the apps, the user, and what is unread', async () => {
    const [app, other] = [await createApp(), await createApp()];
    const userId = randomUUID();
    const inBoth = await postMessage({ userId, applications: [app, other] });
    const inOther = await postMessage({ userId, applications: [other] });
    await api.post('/inbox/messages/read', { inboxId: inBoth.id });
    const idsOf = async (query: object) =>
      (await list({ userId, applications: other, ...query })).map(({ id }) => id);

    expect(await idsOf({})).toEqual([inOther.id, inBoth.id]);
    expect(await idsOf({ applications: app })).toEqual([inBoth.id]);
    expect(await idsOf({ onlyUnread: true })).toEqual([inOther.id]);
    expect(await idsOf({ onlyUnread: 'false' })).toEqual([inOther.id, inBoth.id]);
    expect(await idsOf({ applications: app, onlyUnread: true })).toEqual([]);
    expect(await idsOf({ userId: randomUUID() })).toEqual([]);
  });

  test('gives pages that come to an end', async () => {
    const app = await createApp();
    const userId = randomUUID();
    const ids: string[] = [];
    for (let n = 0; n < 25; n += 1)
      ids.unshift((await postMessage({ userId, applications: [app] })).id);
    const query = { userId, applications: app };

    const pages = [{}, { page: 1 }, { page: 2 }, { page: 1, size: 10 }, { size: 100 }];
    const found = await Promise.all(pages.map((page) => list({ ...query, ...page })));

    expect(found.map((page) => page.map(({ id }) => id))).toEqual([
      ids.slice(0, 20),
      ids.slice(20),
      [],
      ids.slice(10, 20),
      ids,
    ]);
  });

  test.each([
    [
      { page: -1, size: 0 },
      { page: 0, size: 20 },
    ],
    [
      { page: 'x', size: 'null' },
      { page: 0, size: 20 },
    ],
    [
      { page: '', size: '' },
      { page: 0, size: 20 },
    ],
    [
      { page: 3, size: 5000 },
      { page: 3, size: 2000 },
    ],
    [
      { page: 9_999_999_999, size: 2000 },
      { page: 2 ** 31 - 1, size: 2000 },
    ],
  ])('takes %j as %j', async (query, effective) => {
    const { status, body } = await find('list', {
      userId: 'u',
      applications: await createApp(),
      ...query,
    });

    expect([status, body]).toEqual([200, { status: 'OK', responseObject: [], ...effective }]);
  });

  test.each([
    [{ userId: undefined }, 'userId'],
    [{ userId: '' }, 'userId'],
    [{ userId: 'u'.repeat(256) }, 'userId'],
    [{ applications: undefined }, 'applications'],
    [{ applications: '' }, 'applications'],
    [{ applications: 'a'.repeat(256) }, 'applications'],
    [{ onlyUnread: 'perhaps' }, 'onlyUnread'],
  ])('refuses %j with 400', async (changes, field) => {
    const query = { userId: 'u', applications: await createApp(), ...changes };
    const given = Object.entries(query).filter(([, value]) => value !== undefined);

    const answer = await find('list', Object.fromEntries(given) as Record<string, string>);

    expect(answer).toMatchObject(refusal('ERROR_GENERIC', expect.stringContaining(field)));
  });

  test('refuses an app that does not exist, one that is named twice, and spaces around one', async () => {
    const app = await createApp();

    for (const applications of [
      `${app},unknown`,
      `${app},${app}`,
      `${app}, ${app}`,
      `${app},`,
      ',',
    ])
      expect(await find('list', { userId: 'u', applications })).toMatchObject(
        refusal('ERROR_APP_NOT_FOUND'),
      );
  });
});

describe('GET /inbox/messages/count', () => {
  test('counts what is unread in the app', async () => {
    const [app, other] = [await createApp(), await createApp()];
    const userId = randomUUID();
    const read = await postMessage({ userId, applications: [app, other] });
    await postMessage({ userId, applications: [app, other] });
    await postMessage({ userId, applications: [other] });
    await postMessage({ applications: [app] });
    await api.post('/inbox/messages/read', { inboxId: read.id });

    const counts = [
      await find('count', { userId, appId: app }),
      await find('count', { userId, appId: other }),
      await find('count', { userId: randomUUID(), appId: app }),
    ];

    expect(counts.map(({ body }) => body)).toEqual(
      [1, 2, 0].map((countUnread) => ({ status: 'OK', responseObject: { countUnread } })),
    );
  });

  test('refuses an unknown app, and what is missing', async () => {
    const appId = await createApp();

    expect(await find('count', { userId: 'u', appId: 'unknown' })).toMatchObject(
      refusal('ERROR_APP_NOT_FOUND'),
    );
    expect(await find('count', { userId: 'u' })).toMatchObject(refusal('ERROR_GENERIC'));
    expect(await find('count', { appId })).toMatchObject(refusal('ERROR_GENERIC'));
  });
});

describe('GET /inbox/messages/detail', () => {
  test.each(['id', 'messageId'])('answers the whole message by its %s', async (name) => {
    const message = await postMessage();

    const { status, body } = await find('detail', { [name]: message.id });

    expect([status, body]).toEqual([200, { status: 'OK', responseObject: message }]);
  });

  test.each(['not-a-uuid', randomUUID(), 'x'.repeat(300).slice(0, 255)])(
    'refuses the unknown id %s',
    async (id) => {
      expect(await find('detail', { id })).toMatchObject(refusal('ERROR_MESSAGE_NOT_FOUND'));
    },
  );

  test('refuses no id at all', async () => {
    expect(await find('detail', {})).toMatchObject(refusal('ERROR_GENERIC'));
  });
});

describe('/inbox/messages/read', () => {
  const ways: readonly [string, (id: string) => Promise<Answer>][] = [
    ['POST', (inboxId) => api.post('/inbox/messages/read', { inboxId })],
    ['PUT', (inboxId) => api.call('PUT', '/inbox/messages/read', { requestObject: { inboxId } })],
    ['PUT ?inboxId=', (id) => api.call('PUT', `/inbox/messages/read?inboxId=${id}`)],
    ['PUT ?messageId=', (id) => api.call('PUT', `/inbox/messages/read?messageId=${id}`)],
  ];

  test.each(ways)('as %s marks the message as read, and answers it', async (_name, read) => {
    const message = await postMessage();

    const answer = await read(message.id);

    const after = { ...message, read: true, timestampRead: DATE };
    expect(messageOf(answer)).toEqual(after);
    expect(messageOf(await find('detail', { id: message.id }))).toEqual(after);
  });

  test('changes nothing the second time', async () => {
    const { id } = await postMessage();

    const first = await api.post('/inbox/messages/read', { inboxId: id });
    const second = await api.call('PUT', `/inbox/messages/read?inboxId=${id}`);

    expect(second.body).toEqual(first.body);
  });

  test.each(ways)('as %s refuses an unknown message', async (_name, read) => {
    expect(await read(randomUUID())).toMatchObject(refusal('ERROR_MESSAGE_NOT_FOUND'));
    expect(await read('nonsense')).toMatchObject(refusal('ERROR_MESSAGE_NOT_FOUND'));
  });

  test.each(ways)('as %s names the id that is too long', async (_name, read) => {
    expect(await read('x'.repeat(256))).toMatchObject(
      violationOf(expect.stringMatching(/^(?:requestObject\.)?inboxId$/) as unknown as string),
    );
  });

  test('names what is missing', async () => {
    expect(await api.post('/inbox/messages/read', {})).toMatchObject(
      violationOf('requestObject.inboxId'),
    );
    expect(await api.call('POST', '/inbox/messages/read')).toMatchObject(
      violationOf('requestObject'),
    );
    expect(await api.call('PUT', '/inbox/messages/read')).toMatchObject(violationOf('inboxId'));
  });
});

describe('/inbox/messages/read-all', () => {
  const ways: readonly [string, (request: Record<string, string>) => Promise<Answer>][] = [
    ['POST', (request) => api.post('/inbox/messages/read-all', request)],
    ['PUT', (requestObject) => api.call('PUT', '/inbox/messages/read-all', { requestObject })],
    [
      'PUT with a query',
      (request) => api.call('PUT', `/inbox/messages/read-all?${new URLSearchParams(request)}`),
    ],
  ];

  test.each(ways)('as %s marks what is unread, in that app only', async (_name, readAll) => {
    const [app, other] = [await createApp(), await createApp()];
    const userId = randomUUID();
    const earlier = await postMessage({ userId, applications: [app] });
    const read = messageOf(await api.post('/inbox/messages/read', { inboxId: earlier.id }));
    const inBoth = await postMessage({ userId, applications: [other, app] });
    const inOther = await postMessage({ userId, applications: [other] });
    const ofAnother = await postMessage({ applications: [app] });

    const answer = await readAll({ userId, appId: app });

    expect([answer.status, answer.body]).toEqual([200, OK]);
    const now = await Promise.all(
      [earlier, inBoth, inOther, ofAnother].map(async ({ id }) =>
        messageOf(await find('detail', { id })),
      ),
    );
    expect(now).toEqual([read, { ...inBoth, read: true, timestampRead: DATE }, inOther, ofAnother]);
  });

  test.each(ways)(
    'as %s is fine with nothing to do, and refuses an unknown app',
    async (_name, readAll) => {
      const nothing = await readAll({ userId: randomUUID(), appId: await createApp() });
      const unknown = await readAll({ userId: 'u', appId: 'unknown' });

      expect([nothing.status, nothing.body]).toEqual([200, OK]);
      expect(unknown).toMatchObject(refusal('ERROR_APP_NOT_FOUND'));
    },
  );

  test.each(ways)('as %s names what is wrong', async (_name, readAll) => {
    const answers = [
      await readAll({ userId: '', appId: 'app' }),
      await readAll({ userId: 'u', appId: 'x'.repeat(256) }),
    ];

    expect(answers.map(({ status, body }) => [status, body.responseObject.code])).toEqual([
      [400, 'ERROR_REQUEST'],
      [400, 'ERROR_REQUEST'],
    ]);
  });
});
