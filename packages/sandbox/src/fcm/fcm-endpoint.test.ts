import { Buffer } from 'node:buffer';
import { createSandbox, type Sandbox, type ServiceAccount } from '../index.ts';
import { mint, post, type HttpsAnswer } from '../test-clients/fcm-client.ts';
import { openH2Client } from '../test-clients/h2-client.ts';
import { FCM_REFUSALS } from './fcm-refusals.ts';
import { FCM_TOKEN_FAULTS } from './fcm-token-faults.ts';

const PROJECT = 'sandbox-project';

let sandbox: Sandbox;
let accessToken: string;
let other: ServiceAccount;

beforeAll(async () => {
  sandbox = await createSandbox();
  const json = Buffer.from(sandbox.credentials.fcm.privateKeyBase64, 'base64').toString();
  accessToken = await mint(sandbox.tokenUrl, sandbox.caPem, { json });
  other = await sandbox.addServiceAccount('other-project');
});
afterAll(() => sandbox.close());
afterEach(() => sandbox.clearScripts());

interface Send {
  readonly project?: string;
  readonly authorization?: string;
  readonly path?: string;
  readonly request?: unknown;
}

function send(message: unknown, options: Send = {}): Promise<HttpsAnswer> {
  const { project = PROJECT, authorization = `Bearer ${accessToken}` } = options;
  const { path = `/v1/projects/${project}/messages:send`, request = { message } } = options;
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
  return post(`${sandbox.fcmUrl}${path}`, sandbox.caPem, headers, JSON.stringify(request));
}

describe('POST /v1/projects/<id>/messages:send', () => {
  test('accepts a message over HTTP/1.1 and records it', async () => {
    const message = { token: 'device-1', data: { a: '1' }, notification: { title: 'Hi' } };

    const { status, body } = await send(message);

    expect(status).toBe(200);
    const name = expect.stringMatching(/^projects\/sandbox-project\/messages\/.+/);
    expect(body).toEqual({ name });
    expect(sandbox.received({ token: 'device-1' })).toMatchObject([
      { provider: 'fcm', projectId: PROJECT, body: { message }, answer: { status: 200, name } },
    ]);
  });

  test('accepts a message over HTTP/2', async () => {
    const client = await openH2Client(sandbox.fcmUrl, sandbox.caPem);

    const { status } = await client.request(
      {
        ':path': `/v1/projects/${PROJECT}/messages:send`,
        authorization: `Bearer ${accessToken}`,
      },
      JSON.stringify({ message: { token: 'device-2' } }),
    );
    client.close();

    expect(status).toBe(200);
    expect(sandbox.received({ token: 'device-2' })).toHaveLength(1);
  });

  test('records nothing for a message that is to be validated only', async () => {
    const request = { validate_only: true, message: { token: 'device-3' } };

    const { body } = await send(undefined, { request });

    expect(body).toEqual({ name: `projects/${PROJECT}/messages/fake_message_id` });
    expect(sandbox.received({ token: 'device-3' })).toEqual([]);
  });

  test.each([
    { android: { ttl: '2419200s', priority: 'HIGH' } },
    { android: { ttl: '0s', collapse_key: 'a' }, apns: { headers: { 'apns-priority': '5' } } },
    { data: { a: 'x'.repeat(4095) } },
    { token: undefined, topic: 'news' },
    { token: undefined, condition: "'a' in topics" },
    { fcm_options: { analytics_label: 'x' }, webpush: {} },
  ])('accepts %o', async (fields) => {
    const { status } = await send({ token: 'device-4', ...fields });

    expect(status).toBe(200);
  });

  test.each([
    ['message.data[0].value', { data: { a: 1 } }],
    ['message.data[1].value', { data: { a: '1', b: { c: 1 } } }],
    ['message.data', { data: 'text' }],
    ['message.data[from]', { data: { from: 'x' } }],
    ['message.data[google.x]', { data: { 'google.x': 'x' } }],
    [
      'message.android.data[gcm.notification.x]',
      { android: { data: { 'gcm.notification.x': 'x' } } },
    ],
    ['message.android.ttl', { android: { ttl: '2419201s' } }],
    ['message.android.ttl', { android: { ttl: 60 } }],
    ['message.android.ttl', { android: { ttl: '-1s' } }],
    ['message.android.priority', { android: { priority: 'LOUD' } }],
    ['message.notification.title', { notification: { title: 1 } }],
    ['message.apns.headers[0].value', { apns: { headers: { 'apns-priority': 5 } } }],
    ['message.token', { token: '' }],
    ['message', { topic: 'news' }],
    ['message', { token: undefined }],
    ['message', { tokens: ['a'] }],
    ['message.topic', { token: undefined, topic: '/topics/news' }],
  ])('refuses with a violation of %s', async (field, fields) => {
    const { status, body } = await send({ token: 'device-5', ...fields });

    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: {
        code: 400,
        status: 'INVALID_ARGUMENT',
        details: [
          { '@type': expect.stringMatching(/FcmError$/), errorCode: 'INVALID_ARGUMENT' },
          {
            '@type': expect.stringMatching(/google\.rpc\.BadRequest$/),
            fieldViolations: [{ field, description: expect.any(String) }],
          },
        ],
      },
    });
  });

  test.each([
    ['4097 bytes to a token', { token: 'device-6', data: { a: 'x'.repeat(4096) } }],
    ['2049 bytes to a topic', { topic: 'news', data: { a: 'x'.repeat(2048) } }],
  ])('refuses %s without details', async (_, message) => {
    const { status, body } = await send(message);

    expect(status).toBe(400);
    expect(body).not.toHaveProperty('error.details');
  });

  test.each([
    ['401 without an access token', { authorization: '' }, 401, 'UNAUTHENTICATED'],
    ['401 for an unknown one', { authorization: 'Bearer nonsense' }, 401, 'UNAUTHENTICATED'],
    ['403 for another project', { project: 'other-project' }, 403, 'PERMISSION_DENIED'],
    ['404 for an unknown project', { project: 'nobody' }, 404, 'NOT_FOUND'],
    ['404 for another path', { path: '/fcm/send' }, 404, 'NOT_FOUND'],
    ['400 without a message', { request: {} }, 400, 'INVALID_ARGUMENT'],
  ])('answers %s', async (_, options, status, name) => {
    const answer = await send({ token: 'device-7' }, options);

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code: status, status: name } });
    expect(answer.text).not.toContain('UNREGISTERED');
  });

  test('knows each project by its own service account', async () => {
    const authorization = `Bearer ${await mint(sandbox.tokenUrl, sandbox.caPem, other)}`;

    const own = await send({ token: 'device-8' }, { project: 'other-project', authorization });
    const foreign = await send({ token: 'device-8' }, { authorization });

    expect([own.status, foreign.status]).toEqual([200, 403]);
  });
});

describe('a token that asks for a refusal', () => {
  const refusals = FCM_TOKEN_FAULTS.flatMap(({ code, answer }) =>
    answer.kind === 'refuse' ? [{ code, reason: answer.reason, status: answer.status }] : [],
  );

  test.each(refusals)('fault-$code-… gets it', async ({ code, reason, status }) => {
    const answer = await send({ token: `fault-${code}-1` });

    const known = FCM_REFUSALS.get(reason);
    expect(answer.status).toBe(status ?? known?.code);
    expect(answer.body).toMatchObject({ error: known ?? { details: [{ errorCode: reason }] } });
  });

  test('with fault-once- gets it at the first push only', async () => {
    const token = 'fault-once-UNREGISTERED-1';

    const answers = [await send({ token }), await send({ token })];

    expect(answers.map(({ status }) => status)).toEqual([404, 200]);
  });

  test('gets Retry-After in seconds or as a date', async () => {
    const seconds = await send({ token: 'fault-QUOTA_EXCEEDED_WAIT-1' });
    const date = await send({ token: 'fault-QUOTA_EXCEEDED_WAIT_DATE-1' });

    expect(seconds.headers['retry-after']).toBe('2');
    expect(Date.parse(date.headers['retry-after'] ?? '')).toBeGreaterThan(Date.now() - 1_000);
  });

  test.each(['HTML_502', 'HTML_504'])('fault-%s-… gets a page', async (code) => {
    const { status, headers, text } = await send({ token: `fault-${code}-1` });

    expect(status).toBe(Number(code.slice(-3)));
    expect(headers['content-type']).toContain('text/html');
    expect(text).toContain('<html>');
  });
});

describe('trouble with the connection', () => {
  test.each(['FIN', 'TCP_RESET', 'RST_STREAM', 'REFUSED_STREAM', 'GOAWAY_REFUSED'])(
    'fault-%s-… over HTTP/1.1 hangs up',
    async (code) => {
      const answer = send({ token: `fault-${code}-1` });

      await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    },
  );

  test.each([
    ['FIN', { status: undefined, rstCode: 8 }],
    ['TCP_RESET', { status: undefined, errorCode: 'ECONNRESET' }],
    ['RST_STREAM', { status: undefined, rstCode: 2 }],
    ['REFUSED_STREAM', { status: undefined, rstCode: 7 }],
    ['GOAWAY_REFUSED', { status: undefined, rstCode: 7 }],
    ['GOAWAY', { status: 200 }],
    ['SLOW', { status: 200 }],
  ])('fault-%s-… over HTTP/2: the client sees %o', async (code, seen) => {
    const client = await openH2Client(sandbox.fcmUrl, sandbox.caPem);

    const answer = await client.request(
      {
        ':path': `/v1/projects/${PROJECT}/messages:send`,
        authorization: `Bearer ${accessToken}`,
      },
      JSON.stringify({ message: { token: `fault-${code}-1` } }),
    );
    client.close();

    expect(answer).toMatchObject(seen);
  });

  test('fault-GOAWAY-… over HTTP/1.1 answers and closes', async () => {
    expect((await send({ token: 'fault-GOAWAY-1' })).status).toBe(200);
  });
});

describe('a script', () => {
  test.each([...FCM_REFUSALS])('can answer %s', async (reason, { code }) => {
    sandbox.script('fcm', 'device-9', [{ kind: 'refuse', reason }]);

    expect((await send({ token: 'device-9' })).status).toBe(code);
  });

  test('holds for one project', async () => {
    sandbox.script('fcm', { projectId: PROJECT }, [
      { kind: 'refuse', reason: 'UNAVAILABLE', times: 'always' },
    ]);
    const authorization = `Bearer ${await mint(sandbox.tokenUrl, sandbox.caPem, other)}`;

    const down = await send({ token: 'device-10' });
    const up = await send({ token: 'device-10' }, { project: 'other-project', authorization });

    expect([down.status, up.status]).toEqual([503, 200]);
  });
});
