import { once } from 'node:events';
import { constants } from 'node:http2';
import type { Answer } from '../answers/answer.ts';
import { createSandbox, type Sandbox } from '../index.ts';
import type { H2Answer } from '../test-clients/h2-client.ts';
import { openApnsClient, type ApnsClient } from '../test-clients/apns-client.ts';
import { APNS_REASONS } from './apns-reasons.ts';
import { APNS_TOKEN_FAULTS } from './apns-token-faults.ts';

let sandbox: Sandbox;
let client: ApnsClient;

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  client = await openClient();
});
afterEach(() => {
  client.close();
  sandbox.clearScripts();
});

const openClient = () => openApnsClient(sandbox.apnsUrl, sandbox.caPem, sandbox.credentials.apns);

const REFUSALS = APNS_TOKEN_FAULTS.flatMap(({ code, answer }) =>
  answer.kind === 'refuse' ? [{ code, reason: answer.reason, status: answer.status }] : [],
);
const STATUSES: Record<string, number> = APNS_REASONS;

const timestampOf = ({ body }: { body: string }) => JSON.parse(body).timestamp as unknown;

describe('a token that asks for a refusal', () => {
  test.each(REFUSALS)('fa11$code… gets $reason', async ({ code, reason, status }) => {
    const answer = await client.push({ token: `fa11${code}ab` });

    expect(answer).toMatchObject({ status: status ?? STATUSES[reason], reason });
    expect(answer.headers['content-type']).toBe('application/json');
  });

  test.each(Object.keys(APNS_REASONS))('there is one for %s', (reason) => {
    expect(REFUSALS.map((row) => row.reason)).toContain(reason);
  });

  test('with fa01 in place of fa11 gets it at the first push only', async () => {
    const token = 'fa014000ab';

    const answers = [await client.push({ token }), await client.push({ token })];

    expect(answers.map(({ status }) => status)).toEqual([400, 200]);
  });

  test('with an unknown code is an ordinary token', async () => {
    const answer = await client.push({ token: 'fa11ffff' });

    expect(answer.status).toBe(200);
  });
});

describe('the timestamp of a 410', () => {
  test.each([
    { code: '4100', age: [0, 60_000] },
    { code: '4102', age: [364 * 86_400_000, 366 * 86_400_000] },
  ])('fa11$code… died $age ms ago', async ({ code, age: [min, max] }) => {
    const timestamp = timestampOf(await client.push({ token: `fa11${code}` }));
    const ageMs = Date.now() - Number(timestamp);

    expect(ageMs).toBeGreaterThanOrEqual(min ?? 0);
    expect(ageMs).toBeLessThan(max ?? 0);
  });

  test('can be missing', async () => {
    expect(timestampOf(await client.push({ token: 'fa114103' }))).toBeUndefined();
  });
});

describe('Retry-After', () => {
  test('comes in seconds', async () => {
    const { headers } = await client.push({ token: 'fa115032' });

    expect(headers['retry-after']).toBe('2');
  });

  test('comes as an HTTP date', async () => {
    const { headers } = await client.push({ token: 'fa115033' });

    const waitMs = Date.parse(headers['retry-after'] ?? '') - Date.now();
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(2_000);
  });
});

describe('trouble with the connection', () => {
  const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL } = constants;

  test.each<[string, Partial<H2Answer>, string]>([
    ['0005', { status: undefined, rstCode: NGHTTP2_CANCEL }, 'GOAWAY, then FIN'],
    ['0006', { status: undefined, rstCode: NGHTTP2_CANCEL, errorCode: undefined }, 'FIN'],
    ['0007', { status: undefined, errorCode: 'ECONNRESET' }, 'TCP reset'],
    ['0008', { status: undefined, rstCode: NGHTTP2_INTERNAL_ERROR }, 'RST_STREAM'],
    ['0009', { status: undefined, rstCode: NGHTTP2_REFUSED_STREAM }, 'RST_STREAM refused'],
    ['5020', { status: 502 }, 'HTML'],
    ['0001', { status: 200 }, '2 s late'],
  ])('fa11%s…: the client sees %o (%s)', async (code, seen) => {
    const token = `fa11${code}`;

    const answer = await client.push({ token });

    expect(answer).toMatchObject(seen);
    expect(sandbox.received({ token })).toHaveLength(1);
  });

  test('silence leaves the connection usable for others', async () => {
    await client.push({ token: 'ab20' });

    const silent = client.push({ token: 'fa110000' }).then(() => 'answered');
    const answer = await client.push({ token: 'ab20' });

    expect(answer.status).toBe(200);
    expect(await Promise.race([silent, Promise.resolve('silent')])).toBe('silent');
  });

  test('GOAWAY without refusals: this push is answered, and the connection ends', async () => {
    const closed = once(client.session, 'close');

    const answer = await client.push({ token: 'fa110003' });
    await closed;

    expect(answer.status).toBe(200);
    expect(client.goaways.length).toBeGreaterThan(0);
  });

  test('GOAWAY with a reason refuses this push and later ones, and lets earlier ones finish', async () => {
    await client.push({ token: 'ab21' });
    sandbox.script('apns', 'ab22', [{ kind: 'accept', delayMs: 100 }]);

    const [earlier, refused, later] = await Promise.all(
      ['ab22', 'fa110004', 'ab23'].map((token) => client.push({ token })),
    );

    expect(earlier?.status).toBe(200);
    expect(refused).toMatchObject({ status: undefined, rstCode: NGHTTP2_REFUSED_STREAM });
    expect(later).toMatchObject({ status: undefined, rstCode: NGHTTP2_REFUSED_STREAM });
    expect(client.goaways[0]).toBe('{"reason":"Shutdown"}');
    expect(sandbox.received({ token: 'ab23' })).toEqual([]);
  });

  test('GOAWAY at the very first push of a connection refuses that one', async () => {
    const answer = await client.push({ token: 'fa110004' });

    expect(answer).toMatchObject({ status: undefined, rstCode: NGHTTP2_REFUSED_STREAM });
    expect(client.goaways[0]).toBe('{"reason":"Shutdown"}');
  });

  test('the stream limit can drop to 1 and rises with the next accepted push', async () => {
    const limits: (number | undefined)[] = [];
    client.session.on('remoteSettings', (s) => limits.push(s.maxConcurrentStreams));

    await client.push({ token: 'fa11000a' });
    const raised = once(client.session, 'remoteSettings');
    await client.push({ token: 'ab24' });
    await raised;

    expect(limits).toEqual([1, 1000]);
  });
});

describe('a script', () => {
  const ACCEPTED: Answer = { kind: 'accept' };

  test.each(Object.entries(APNS_REASONS))('can answer %s (%i)', async (reason, status) => {
    sandbox.script('apns', 'ab30', [{ kind: 'refuse', reason }]);

    const answer = await client.push({ token: 'ab30' });

    expect(answer).toMatchObject({ reason, status });
  });

  test('gives its answers in order, then leaves the push to the rules', async () => {
    const unavailable: Answer = { kind: 'refuse', reason: 'ServiceUnavailable', times: 2 };
    sandbox.script('apns', 'AB31', [unavailable, ACCEPTED, { kind: 'raw', status: 502 }]);

    const statuses = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await client.push({ token: 'ab31' })).status);

    expect(statuses).toEqual([503, 503, 200, 502, 200]);
  });

  test('holds for one topic, with an exception for one token', async () => {
    const key = sandbox.addApnsKey();
    const other = await openApnsClient(sandbox.apnsUrl, sandbox.caPem, {
      ...key,
      bundle: 'com.example.other',
    });
    const bad: Answer = { kind: 'refuse', reason: 'BadDeviceToken', times: 'always' };
    sandbox.script('apns', { apnsTopic: 'com.example.other' }, [bad]);
    sandbox.script('apns', 'ab32', [ACCEPTED]);

    const answers = [
      await other.push({ token: 'ab32' }),
      await other.push({ token: 'ab32' }),
      await other.push({ token: 'ab33' }),
      await client.push({ token: 'ab33' }),
    ];
    other.close();

    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 200]);
  });

  test('does not hide a real mistake', async () => {
    sandbox.script('apns', 'ab34', [ACCEPTED]);

    const answer = await client.push({ token: 'ab34', body: '' });

    expect(answer.reason).toBe('PayloadEmpty');
  });
});
