import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

import { insertInboxMessage, type Db } from '@heliograph/db';
import { eventually, startOwnRedis } from '@heliograph/testing';
import { sql } from 'kysely';

import { openEvents, type OpenEvents } from '../../../test/open-events.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import type { InboxMessageAnswer } from './inbox-endpoints.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const opened: OpenEvents[] = [];
afterEach(() => opened.splice(0).forEach((stream) => stream.close()));

async function createApp(): Promise<string> {
  const appId = randomUUID();
  await api.post('/admin/app/create', { appId });
  return appId;
}

interface Inbox {
  readonly userId: string;
  readonly app: string;
}

async function makeInbox(): Promise<Inbox> {
  return { userId: randomUUID(), app: await createApp() };
}

async function post(
  { userId, app }: Inbox,
  { through = api, applications = [app], subject = 'A subject' } = {},
): Promise<InboxMessageAnswer> {
  const message = { type: 'text', summary: 'A summary', body: 'A whole body' };
  const { body } = await through.post('/inbox/messages', {
    ...message,
    userId,
    subject,
    applications,
  });
  expect(body.status).toBe('OK');
  return body.responseObject as unknown as InboxMessageAnswer;
}

interface WatchOptions {
  readonly through?: TestApi;
  readonly query?: string;
  readonly lastEventId?: string | undefined;
  readonly applications?: string;
}

async function watch(
  { userId, app }: Inbox,
  { through = api, query = '', lastEventId, applications = app }: WatchOptions = {},
): Promise<OpenEvents> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const stream = await openEvents(
    `${through.url}/inbox/messages/stream?userId=${userId}&applications=${applications}${query}`,
    headers,
  );
  opened.push(stream);
  return stream;
}

const idsOf = ({ events }: OpenEvents) => events.map(({ id }) => Number(id));
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

/** As somebody else's transaction would. */
async function insert(db: Db, { userId, app }: Inbox): Promise<void> {
  const { id } = await db
    .selectFrom('apps')
    .select('id')
    .where('appId', '=', app)
    .executeTakeFirstOrThrow();
  await insertInboxMessage(db, {
    id: randomUUID(),
    userId,
    appRefs: [id],
    type: 'text',
    subject: 's'.repeat(255),
    summary: 's'.repeat(255),
    body: 'A whole body',
  });
}

describe('GET /inbox/messages/stream', () => {
  test('tells each message as it comes, as the list shows it, under its number', async () => {
    const inbox = await makeInbox();
    await post(inbox);
    const stream = await watch(inbox);

    const { userId: _, body: __, applications: ___, ...second } = await post(inbox);
    const { userId: ____, body: _____, applications: ______, ...third } = await post(inbox);

    await eventually(() =>
      expect(stream.events).toEqual([
        { event: 'message', id: '2', data: second },
        { event: 'message', id: '3', data: third },
      ]),
    );
    expect(stream.blocks[0]).toBe('retry: 2000\nid: 1');
  });

  test.each([
    ['the header', (id: string) => ({ lastEventId: id })],
    ['the parameter', (id: string) => ({ query: `&lastEventId=${id}` })],
    [
      'the header before the parameter',
      (id: string) => ({ query: '&lastEventId=3', lastEventId: id }),
    ],
  ])('goes on after what %s names, and then as it comes', async (_name, toOptions) => {
    const inbox = await makeInbox();
    for (let n = 0; n < 4; n += 1) await post(inbox);

    const stream = await watch(inbox, toOptions('2'));
    await eventually(() => expect(idsOf(stream)).toEqual([3, 4]));
    await post(inbox);

    await eventually(() => expect(idsOf(stream)).toEqual([3, 4, 5]));
  });

  test('tells all that there is from 0 on, however much, and that it was read', async () => {
    const inbox = await makeInbox();
    const { id } = await post(inbox);
    await api.post('/inbox/messages/read', { inboxId: id });
    for (let n = 1; n < 130; n += 1) await insert(api.db, inbox);

    const stream = await watch(inbox, { query: '&lastEventId=0' });

    await eventually(() => expect(idsOf(stream)).toEqual(upTo(130)));
    expect(stream.events.slice(0, 2).map(({ data }) => data)).toMatchObject([
      { id, read: true },
      { read: false },
    ]);
  });

  test('loses nothing for one who was cut off before anything came', async () => {
    const inbox = await makeInbox();
    await post(inbox);
    const first = await watch(inbox);
    await eventually(() => expect(first.lastEventId()).toBe('1'));
    first.close();
    await post(inbox);

    const second = await watch(inbox, { lastEventId: first.lastEventId() });

    await eventually(() => expect(idsOf(second)).toEqual([2]));
  });

  test('shows what is for any of the apps, once, and moves on past the rest', async () => {
    const inbox = await makeInbox();
    const [second, other] = [await createApp(), await createApp()];
    const { app } = inbox;
    await post(inbox, { applications: [app, second, other] });
    await post(inbox, { applications: [other] });
    await post(inbox, { applications: [second] });
    await post(inbox, { applications: [other] });

    const stream = await watch(inbox, {
      query: '&lastEventId=0',
      applications: `${app},${second}`,
    });

    await eventually(() => expect(stream.lastEventId()).toBe('4'));
    expect(idsOf(stream)).toEqual([1, 3]);
  });

  test('tells nothing of another user, whose id looks alike', async () => {
    const inbox = await makeInbox();
    const stream = await watch(inbox);

    await post({ ...inbox, userId: inbox.userId.toUpperCase() });
    await post({ ...inbox, userId: `${inbox.userId} ` });
    await post(inbox);

    await eventually(() => expect(idsOf(stream)).toEqual([1]));
  });

  test('does not wait for numbers that a restored database has not given out yet', async () => {
    const inbox = await makeInbox();
    await post(inbox);

    const stream = await watch(inbox, { lastEventId: '1000' });
    await eventually(() => expect(stream.lastEventId()).toBe('1'));
    await post(inbox);

    await eventually(() => expect(idsOf(stream)).toEqual([2]));
  });

  test.each([
    ['userId=&applications=APP', 'ERROR_GENERIC', 'userId'],
    ['applications=APP', 'ERROR_GENERIC', 'userId'],
    ['userId=u', 'ERROR_GENERIC', 'applications'],
    ['userId=u&applications=APP,unknown', 'ERROR_APP_NOT_FOUND', 'unknown'],
    ['userId=u&applications=APP,APP', 'ERROR_APP_NOT_FOUND', 'once'],
    ['userId=u&applications=APP&lastEventId=-1', 'ERROR_GENERIC', 'lastEventId'],
    ['userId=u&applications=APP&lastEventId=x', 'ERROR_GENERIC', 'lastEventId'],
    ['userId=u&applications=APP&lastEventId=99999999999999999999', 'ERROR_GENERIC', 'lastEventId'],
  ])('refuses ?%s', async (query, code, named) => {
    const app = await createApp();

    const answer = await api.get(`/inbox/messages/stream?${query.replaceAll('APP', app)}`);

    expect(answer).toMatchObject({
      status: 400,
      body: {
        status: 'ERROR',
        responseObject: { code, message: expect.stringContaining(named) },
      },
    });
  });

  test('refuses a Last-Event-ID that is none of ours', async () => {
    const inbox = await makeInbox();

    const stream = await watch(inbox, { lastEventId: 'abc' });

    expect(stream.status).toBe(400);
  });

  test('is over for HEAD with its headers', async () => {
    const { userId, app } = await makeInbox();
    const path = `/inbox/messages/stream?userId=${userId}&applications=${app}`;

    const answer = await api.call('HEAD', path);

    expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([
      200,
      'text/event-stream',
      '',
    ]);
  });
});

describe('a stream of an inbox into which many write', () => {
  test('shows nothing before its commit, and all in the order of the commits', async () => {
    const inbox = await makeInbox();
    const stream = await watch(inbox);
    let beforeCommit: OpenEvents | undefined;

    await api.db.transaction().execute(async (early) => {
      // It has begun before the other, and stores after it.
      await sql`SELECT now()`.execute(early);
      await post(inbox);
      await eventually(() => expect(idsOf(stream)).toEqual([1]));
      await insert(early, inbox);
      beforeCommit = await watch(inbox, { query: '&lastEventId=0' });
      await eventually(() => expect(beforeCommit?.events).toHaveLength(1));
    });
    await post(inbox);

    for (const one of [stream, beforeCommit])
      await eventually(() => expect(one === undefined ? [] : idsOf(one)).toEqual([1, 2, 3]));
    const dates = stream.events.map(({ data }) => (data as InboxMessageAnswer).timestampCreated);
    expect(dates).toEqual(dates.toSorted());
  });

  test('has neither gap nor repeat, also for one who is cut off again and again and goes on', async () => {
    // Nobody tells them: what is hinted and what is polled meet.
    const one = await openTestApi({ inbox: { pollMs: 10 } });
    const other = await openTestApi({ beside: one, inbox: { pollMs: 10 } });
    const inbox = { userId: randomUUID(), app: 'app-1' };
    await one.post('/admin/app/create', { appId: inbox.app });
    const steady = await watch(inbox, { through: one });

    /** A quarter of them fail at their end, and give their number back. */
    const write = async (writer: number) => {
      for (let n = 0; n < 40; n += 1) {
        const writing = one.db.transaction().execute(async (tx) => {
          await insert(tx, inbox);
          await sql`SELECT pg_sleep(random() / 500)`.execute(tx);
          if ((n + writer) % 4 === 0) throw new Error('at its end');
        });
        await writing.catch((error: Error) => expect(error.message).toBe('at its end'));
      }
    };
    const all: number[] = [];
    const read = async () => {
      let lastEventId: string | undefined = '0';
      for (let turn = 0; all.length < 90; turn += 1) {
        const through = turn % 2 === 0 ? one : other;
        const stream: OpenEvents = await watch(inbox, { through, lastEventId });
        await eventually(() => expect(stream.events).not.toEqual([]));
        stream.close();
        all.push(...idsOf(stream));
        lastEventId = stream.lastEventId();
      }
    };
    await Promise.all([write(1), write(2), write(3), read()]);

    expect(all).toEqual(upTo(90));
    await eventually(() => expect(idsOf(steady)).toEqual(upTo(90)));
    await other.close();
    await one.close();
  });
});

describe('streams of several replicas', () => {
  test('tell what any of them took, once', async () => {
    const replica = await openTestApi({ beside: api });
    const inbox = await makeInbox();
    const streams = [await watch(inbox), await watch(inbox, { through: replica })];

    await post(inbox);
    await post(inbox, { through: replica });

    for (const stream of streams) await eventually(() => expect(idsOf(stream)).toEqual([1, 2]));
    await replica.close();
  });

  test('are found by a poll while Redis is away, and by hints again once it is back', async () => {
    const server = await startOwnRedis();
    const redis = { url: server.url, prefix: 'x' };
    const polling = await openTestApi({ redis, inbox: { pollMs: 50 } });
    const hinted = await openTestApi({ beside: polling });
    const inbox = { userId: randomUUID(), app: 'app-1' };
    await polling.post('/admin/app/create', { appId: inbox.app });
    const stream = await watch(inbox, { through: polling });
    const other = await watch(inbox, { through: hinted });
    await post(inbox, { through: polling });
    for (const one of [stream, other]) await eventually(() => expect(idsOf(one)).toEqual([1]));

    await server.kill();
    await post(inbox, { through: polling });
    await eventually(() => expect(idsOf(stream)).toEqual([1, 2]));
    expect(idsOf(other)).toEqual([1]);
    await server.start();

    // The connections come back one after the other; until then hints get lost.
    await eventually(async () => {
      await post(inbox, { through: polling });
      expect(idsOf(other).slice(0, 3)).toEqual([1, 2, 3]);
    });
    await hinted.close();
    await polling.close();
    await server.stop();
  });
});

describe('a stream whose reader is slow', () => {
  test('holds up nobody, is not read for meanwhile, and gets all once it reads', async () => {
    const [slowInbox, quickInbox] = [await makeInbox(), await makeInbox()];
    const count = 12_000;
    for (const { userId, app } of [slowInbox, quickInbox])
      await sql`
        WITH numbered AS (
          INSERT INTO inbox_users (user_id, last_sequence) VALUES (${userId}, ${count})
        )
        INSERT INTO inbox_messages (id, user_id, sequence, app_refs, type, subject, summary, body, created_at)
        SELECT gen_random_uuid(), ${userId}, n, ARRAY[apps.id], 'text', repeat('€', 255), repeat('€', 255), 'b', now()
        FROM apps, generate_series(1, ${count}::integer) n WHERE app_id = ${app}`.execute(api.db);
    const { hostname, port } = new URL(api.url);
    const slow = connect(Number(port), hostname);
    slow.pause();
    const query = `userId=${slowInbox.userId}&applications=${slowInbox.app}&lastEventId=0`;
    slow.write(`GET /inbox/messages/stream?${query} HTTP/1.1\r\nHost: test\r\n\r\n`);
    const positions = () =>
      api.inboxReads.flat().filter(({ userId }) => userId === slowInbox.userId);
    await eventually(() => expect(positions()).not.toEqual([]));

    const quick = await watch(quickInbox, { query: '&lastEventId=0' });
    await eventually(() => expect(quick.events).toHaveLength(count));

    // 20 MB are owed to the other one, more than its sockets take.
    expect(Math.max(...positions().map(({ after }) => after))).toBeLessThan(count);
    const parts: string[] = [];
    let tail = '';
    slow.setEncoding('utf8');
    slow.on('data', (part: string) => {
      parts.push(part);
      tail = (tail + part).slice(-2000);
    });
    slow.resume();
    await eventually(() => expect(tail).toContain(`\nid: ${count}\n`));
    const ids = Array.from(parts.join('').matchAll(/^id: (\d+)\ndata/gm), ([, id]) => Number(id));
    expect(ids).toEqual(upTo(count));
    slow.destroy();
  });
});

describe('streams of a server', () => {
  test('are bounded, in all and for one user, and make place when they end', async () => {
    const small = await openTestApi({ inbox: { maxStreams: 3, maxStreamsPerUser: 2 } });
    await small.post('/admin/app/create', { appId: 'app-1' });
    const open = (userId: string) => watch({ userId, app: 'app-1' }, { through: small });

    const first = await open('a');
    const statuses = [await open('a'), await open('a'), await open('b'), await open('c')].map(
      ({ status }) => status,
    );
    // Nothing is looked up for it, or a crowd that comes again and again would keep the database busy.
    const unknown = await watch({ userId: 'c', app: 'unknown' }, { through: small });
    first.close();

    expect([...statuses, unknown.status]).toEqual([200, 503, 200, 503, 503]);
    await eventually(async () => expect((await open('a')).status).toBe(200));
    await small.close();
  });

  test('end when it drains, with a hint when to come back; new ones are refused', async () => {
    const draining = await openTestApi();
    const inbox = { userId: 'u', app: 'app-1' };
    await draining.post('/admin/app/create', { appId: inbox.app });
    const stream = await watch(inbox, { through: draining });

    await draining.close();
    await stream.ended;

    expect(stream.blocks).toEqual(['retry: 2000\nid: 0', 'retry: 2750']);
  });

  test('show that they live', async () => {
    const lively = await openTestApi({ heartbeatMs: 5 });
    await lively.post('/admin/app/create', { appId: 'app-1' });

    const stream = await watch({ userId: 'u', app: 'app-1' }, { through: lively });

    await eventually(() => expect(stream.blocks).toContain(':'));
    await lively.close();
  });
});
