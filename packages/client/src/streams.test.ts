import { createClient, HeliographError, type InboxEvent, type RetryNotice } from './index.ts';
import {
  cut,
  html,
  openTestServer,
  refuse,
  silence,
  type Answerer,
  type TestServer,
} from './test-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const INBOX = { userId: 'alice', applications: 'app' };

/** A stream of these blocks that ends, breaks off or stays open. */
function stream(then: 'end' | 'cut' | 'open', ...blocks: readonly string[]): Answerer {
  return (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = blocks.map((block) => `${block}\n\n`).join('');
    if (then === 'end') return void res.end(text);
    res.write(text, () => (then === 'cut' ? res.destroy() : undefined));
  };
}

const message = (id: number) => `event: message\nid: ${id}\ndata: {"id":"m${id}"}`;
const progress = (state: string) => `event: progress\nid: 1\ndata: {"state":"${state}"}`;
/** Or it would be a second. */
const SOON = 'retry: 1';

async function open(...answers: readonly Answerer[]) {
  const server = await openTestServer(...answers);
  servers.push(server);
  const notices: RetryNotice[] = [];
  const onRetry = (notice: RetryNotice) => notices.push(notice);
  return { server, client: createClient({ baseUrl: server.url, apiKey: 'k', onRetry }), notices };
}

async function take(events: AsyncIterable<InboxEvent>, count: number): Promise<InboxEvent[]> {
  const taken: InboxEvent[] = [];
  for await (const event of events) if (taken.push(event) === count) break;
  return taken;
}

describe('the stream of an inbox', () => {
  test.each<[string, Answerer]>([
    ['ended', stream('end', SOON, message(1), message(2))],
    ['was cut off', stream('cut', SOON, message(1), message(2))],
    [
      'was cut off within an event',
      (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        const half = 'event: message\nid: 3\ndata: {"id"';
        res.write(`${SOON}\n\n${message(1)}\n\n${message(2)}\n\n${half}`, () => res.destroy());
      },
    ],
  ])('goes on after the last number when it %s', async (_, first) => {
    const { client, server } = await open(first, cut, html(502), stream('open', message(3)));

    const taken = await take(client.inbox.stream(INBOX), 3);

    expect(taken.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(taken[2]?.message).toEqual({ id: 'm3' });
    expect(server.received.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      '2',
      '2',
      '2',
    ]);
    expect(server.received[0]).toMatchObject({
      url: '/inbox/messages/stream?userId=alice&applications=app',
      headers: { authorization: 'Bearer k', accept: 'text/event-stream' },
    });
  });

  test('goes on from its first block, where nothing came', async () => {
    const { client, server } = await open(
      stream('end', `${SOON}\nid: 41`),
      stream('open', message(42)),
    );

    expect(await take(client.inbox.stream(INBOX), 1)).toHaveLength(1);

    expect(server.received[1]?.headers['last-event-id']).toBe('41');
  });

  test('begins where the caller says', async () => {
    const { client, server } = await open(stream('open', message(1)));

    await take(client.inbox.stream(INBOX, { lastEventId: 0 }), 1);

    expect(server.received[0]?.headers['last-event-id']).toBe('0');
  });

  test('takes a connection that is silent for lost', async () => {
    const { client, server } = await open(
      stream('open', SOON, message(1)),
      silence,
      stream('open', message(2)),
    );

    const taken = await take(client.inbox.stream(INBOX, { idleTimeoutMs: 2000 }), 2);

    expect(taken.map(({ id }) => id)).toEqual([1, 2]);
    expect(server.received.length).toBeGreaterThanOrEqual(3);
  });

  test.each<[string, Answerer, object]>([
    ['401', refuse(401, 'ERROR_GENERIC'), { status: 401, code: 'ERROR_GENERIC' }],
    ['a page', html(200), { status: 200, code: 'answer' }],
    ['a redirect', (res) => res.writeHead(302, { location: '/' }).end(), { code: 'redirect' }],
  ])('rejects on %s', async (_, answer, expected) => {
    const { client, server } = await open(stream('end', SOON, message(1)), answer);

    const failed = take(client.inbox.stream(INBOX), 2);

    await expect(failed).rejects.toBeInstanceOf(HeliographError);
    await expect(failed).rejects.toMatchObject(expected);
    expect(server.received).toHaveLength(2);
  });

  test('comes again after 503, and says so', async () => {
    const { client, notices } = await open(
      refuse(503, 'ERROR_DATABASE'),
      refuse(429, 'ERROR_GENERIC'),
      stream('open', message(1)),
    );

    expect(await take(client.inbox.stream(INBOX), 1)).toHaveLength(1);

    expect(notices).toMatchObject([
      { call: 'GET /inbox/messages/stream', attempts: 1, status: 503, code: 'ERROR_DATABASE' },
      { call: 'GET /inbox/messages/stream', attempts: 2, status: 429, code: 'ERROR_GENERIC' },
    ]);
  });

  test('rejects with the reason of the signal, whatever it waits for', async () => {
    for (const answer of [stream('open', message(1)), stream('end', message(1))]) {
      const { client } = await open(answer, silence);
      const aborter = new AbortController();

      const failed = (async () => {
        for await (const _ of client.inbox.stream(INBOX, { signal: aborter.signal }))
          setImmediate(() => aborter.abort(new Error('enough')));
      })();

      await expect(failed).rejects.toThrow('enough');
    }
  });

  test('closes its connection when nobody goes through it any more', async () => {
    let closed: Promise<unknown> | undefined;
    const { client } = await open((res, req) => {
      closed = new Promise((resolve) => res.once('close', resolve));
      return stream('open', message(1))(res, req);
    });

    await take(client.inbox.stream(INBOX), 1);

    await closed;
  });
});

describe('the events of a run', () => {
  test('are its progress until it is over, over any number of connections', async () => {
    const { client, server } = await open(
      stream('cut', SOON, progress('running')),
      stream('open', progress('completed'), 'event: end\ndata: {}'),
    );
    const states: string[] = [];

    for await (const { state } of client.runs.events(7, { runId: 'r' })) states.push(state);

    expect(states).toEqual(['running', 'completed']);
    expect(server.received.map(({ url }) => url)).toEqual([
      '/push/campaign/7/run/events?runId=r',
      '/push/campaign/7/run/events?runId=r',
    ]);
    expect(server.received[1]?.headers).not.toHaveProperty('last-event-id');
  });
});
