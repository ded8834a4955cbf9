import { createHash, createHmac, randomUUID } from 'node:crypto';
import { createSandbox, type Sandbox } from '../index.ts';
import { callProxy } from '../test-clients/proxy-client.ts';

let sandbox: Sandbox;
let key: string;

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.close());
beforeEach(() => {
  key = randomUUID();
  sandbox.addCallbackKey(key, `secret of ${key}`);
});

interface Call {
  readonly nonce?: string;
  readonly secret?: string;
  readonly body?: string;
}

/** Signed by hand: nothing of the receiver's is used. */
async function call(events: unknown, options: Call = {}) {
  const { nonce = randomUUID(), secret = `secret of ${key}` } = options;
  const { body = JSON.stringify({ events }) } = options;
  const { pathname } = new URL(sandbox.callbackUrl);
  const date = new Date().toUTCString();
  const md5 = createHash('md5').update(body).digest('hex');
  const text = ['POST', pathname, md5, 'application/json', date, nonce].join('\n');
  const signature = createHmac('sha256', secret).update(text).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-m-date': date,
    authorization: `MAAIISDK10 key="${key}", nonce="${nonce}", signature="${signature}"`,
  };
  const answer = await callProxy(sandbox.callbackUrl, { ca: sandbox.caPem, headers, body });
  return answer.status;
}

const event = (id: string, data: object = {}, second = 1) => ({
  id,
  type: 'delivery.sent',
  at: `2026-01-01T00:00:0${second}.000Z`,
  data,
});

describe('the receiver of callbacks', () => {
  test('takes what is signed with a key it knows', async () => {
    const events = [event('1', { deliveryId: 'd-1' }), event('2', { runId: 'r-1' }), event('3')];

    const status = await call(events);

    expect(status).toBe(200);
    expect(sandbox.callbacks(key)).toEqual({
      calls: 1,
      acceptedCalls: 1,
      refusedCalls: 0,
      events: [
        { id: '1', subject: 'd-1', at: expect.any(String), content: events[0] },
        { id: '2', subject: 'r-1', at: expect.any(String), content: events[1] },
        { id: '3', at: expect.any(String), content: events[2] },
      ],
      duplicates: 0,
      contradictions: [],
      orderViolations: [],
    });
  });

  test('refuses a wrong signature, a nonce that was used, and what holds no events', async () => {
    const nonce = randomUUID();

    const statuses = [
      await call([event('1')], { secret: 'wrong' }),
      await call([event('1')], { nonce }),
      await call([event('1')], { nonce }),
      await call([]),
      await call([event('1'), { id: '2' }]),
      await call([{ ...event('1'), at: 'now' }]),
      await call(undefined, { body: 'events' }),
    ];

    expect(statuses).toEqual([401, 200, 401, 400, 400, 400, 400]);
    expect(sandbox.callbacks(key)).toMatchObject({ calls: 7, acceptedCalls: 1, refusedCalls: 6 });
    expect(sandbox.callbackCalls(key).flatMap(({ refusal }) => refusal ?? [])).toEqual([
      'The signature is wrong.',
      'The nonce was used before.',
      ...Array(4).fill('The body holds no events.'),
    ]);
  });

  test('answers as a script says; what it has not taken is no repeat later', async () => {
    sandbox.script('callback', key, [{ kind: 'refuse', reason: '503', times: 2 }]);

    const statuses = [await call([event('1')]), await call([event('1')]), await call([event('1')])];

    expect(statuses).toEqual([503, 503, 200]);
    expect(sandbox.callbacks(key)).toMatchObject({ acceptedCalls: 1, duplicates: 0 });
  });

  test('reports repeats, and an id that comes back with another content', async () => {
    await call([event('1'), event('2')]);
    await call([event('2'), event('1', { reason: 'another' })]);

    expect(sandbox.callbacks(key)).toMatchObject({ duplicates: 2, contradictions: ['1'] });
  });

  test('reports an event after a later one of its delivery or run, and no repeat as such', async () => {
    const [delivery, run] = [{ deliveryId: 'd-1' }, { runId: 'r-1' }];
    await call([event('1', delivery, 1), event('2', delivery, 3), event('3', run, 4)]);
    await call([event('1', delivery, 1), event('4', delivery, 2), event('5', run, 4)]);

    expect(sandbox.callbacks(key).orderViolations).toEqual(['4']);
  });

  test('waits for what is still to come', async () => {
    const waiting = sandbox.waitForCallbacks(key, ({ events }) => events.length === 2);
    await call([event('1')]);
    await call([event('2')]);

    expect((await waiting).calls).toBe(2);
    await expect(sandbox.waitForCallbacks(key, () => false, 5)).rejects.toThrow('2 calls');
  });

  test('forgets what came when it is cleared, but not the keys', async () => {
    await call([event('1')]);

    sandbox.clear();

    expect(sandbox.callbacks(key).calls).toBe(0);
    expect(await call([event('1')])).toBe(200);
  });

  test('resets the connection before it has read the call', async () => {
    sandbox.script('callback', {}, [{ kind: 'reset-unread' }]);

    await expect(call([event('1')])).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|EPIPE/),
    });

    expect(sandbox.callbacks(key).calls).toBe(0);
  });
});
