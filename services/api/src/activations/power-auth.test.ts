import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { pino } from 'pino';

import { openTestApi, type TestApi } from '../../test/open-test-api.ts';

interface Call {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly correlationId: unknown;
  readonly body: unknown;
}

type Script = (call: Call) => { status?: number; body?: unknown; text?: string } | 'silence';

/** A PowerAuth Server of which a test says what it answers. */
let server: Server;
let script: Script;
const calls: Call[] = [];
const lines: unknown[] = [];

let api: TestApi;

beforeAll(async () => {
  server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const call = {
        url: req.url ?? '',
        authorization: req.headers.authorization,
        correlationId: req.headers['x-correlation-id'],
        body,
      };
      calls.push(call);
      const answer = script(call);
      if (answer === 'silence') return;
      res.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
      res.end(answer.text ?? JSON.stringify({ status: 'OK', responseObject: answer.body }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  api = await openTestApi({
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
    powerAuth: {
      url: `http://127.0.0.1:${port}/rest`,
      credentials: { clientToken: 'me', clientSecret: 'secret' },
      timeoutMs: 500,
      acceptInvalidTls: false,
    },
  });
  await api.post('/admin/app/create', { appId: 1 });
});
afterAll(async () => {
  await api.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  calls.length = 0;
});

const answerStatus =
  (activationStatus: unknown, userId: unknown = 'of-the-server') =>
  () => ({
    body: { activationStatus, userId },
  });

function create(activationId: string, more: Record<string, unknown> = {}) {
  const device = { appId: 1, platform: 'ios', token: activationId, activationId, ...more };
  return api.post('/push/device/create', device);
}

function devicesOf(...activationIds: string[]) {
  return api.db
    .selectFrom('devices')
    .select(['activationId', 'userId', 'activationActive'])
    .where('activationId', 'in', activationIds)
    .execute();
}

describe('registration with a PowerAuth Server', () => {
  test('asks it with the client token, and takes the user from it alone', async () => {
    const activationId = randomUUID();
    script = answerStatus('ACTIVE');

    const answer = await create(activationId, { userId: 'of-the-caller' });

    expect(answer.status).toBe(200);
    expect(calls).toEqual([
      {
        url: '/rest/v3/activation/status',
        authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`,
        body: { requestObject: { activationId } },
      },
    ]);
    expect(await devicesOf(activationId)).toEqual([
      { activationId, userId: 'of-the-server', activationActive: true },
    ]);
  });

  test.each(['CREATED', 'PENDING_COMMIT', 'BLOCKED'])(
    'stores a %s activation as not active',
    async (activationStatus) => {
      const activationId = randomUUID();
      script = answerStatus(activationStatus);

      await create(activationId);

      expect(await devicesOf(activationId)).toMatchObject([{ activationActive: false }]);
    },
  );

  test.each<[string, Script]>([
    ['says REMOVED', answerStatus('REMOVED')],
    ['says nothing', answerStatus(null)],
    ['says something new', answerStatus('UNHEARD_OF')],
    ['fails', () => ({ status: 500, text: '{}' })],
    ['answers an error', () => ({ text: '{"status":"ERROR","responseObject":{}}' })],
    ['answers no JSON', () => ({ text: '<html>' })],
    ['does not answer in time', () => 'silence'],
  ])('refuses when it %s, and stores nothing', async (_what, scripted) => {
    const activationId = randomUUID();
    script = scripted;

    const answer = await create(activationId);

    expect(answer).toMatchObject({ status: 400, body: { status: 'ERROR' } });
    expect(await devicesOf(activationId)).toEqual([]);
  });

  test('saves the activations that it could ask for, and is then refused', async () => {
    const [good, bad] = [randomUUID(), randomUUID()];
    script = ({ body }) =>
      JSON.stringify(body).includes(bad) ? { status: 503 } : answerStatus('ACTIVE')();

    const answer = await api.post('/push/device/create/multi', {
      appId: 1,
      platform: 'ios',
      token: 'shared',
      activationIds: [bad, good],
    });

    expect(answer.status).toBe(400);
    expect(await devicesOf(good, bad)).toMatchObject([{ activationId: good }]);
  });
});

function update(body: unknown) {
  return api.call('POST', '/push/device/status/update', body);
}

describe('POST /push/device/status/update with a PowerAuth Server', () => {
  test('believes a status that it is told, and asks for one that it is not', async () => {
    const activationId = randomUUID();
    script = answerStatus('ACTIVE');
    await create(activationId);
    calls.length = 0;

    await update({ activationId, activationStatus: 'BLOCKED' });
    const [told, callsThen] = [await devicesOf(activationId), calls.length];
    await update({ activationId, activationStatus: null });

    expect(told).toMatchObject([{ activationActive: false }]);
    expect(callsThen).toBe(0);
    expect(calls).toHaveLength(1);
    expect(await devicesOf(activationId)).toMatchObject([{ activationActive: true }]);
  });

  test('is refused when it cannot be asked', async () => {
    script = () => ({ status: 401 });

    const answer = await update({ activationId: randomUUID() });

    expect(answer.status).toBe(400);
  });
});

describe('applications of a PowerAuth Server', () => {
  test.each([
    [
      'names',
      [
        { id: 1, applicationName: 'one' },
        { id: 2, applicationName: 'two' },
      ],
    ],
    ['ids alone', [{ applicationId: '1' }, { applicationId: '2' }]],
  ])(
    'are listed as unconfigured unless they exist here, given by %s',
    async (_what, applications) => {
      script = () => ({ body: { applications } });

      const { body } = await api.get('/admin/app/unconfigured/list');

      expect(calls).toMatchObject([{ url: '/rest/v3/application/list' }]);
      expect(body.responseObject.applicationList).toMatchObject([{ id: 2, appId: null }]);
    },
  );

  test('lend their names to the list and the detail', async () => {
    script = () => ({ body: { applications: [{ id: 1, applicationName: 'one' }] } });

    const list = await api.get('/admin/app/list');
    const detail = await api.post('/admin/app/detail', { appId: 1 });

    expect(list.body.responseObject.applicationList).toMatchObject([{ appId: 1, appName: 'one' }]);
    expect(detail.body.responseObject.application).toMatchObject({ appId: 1, appName: 'one' });
  });

  test('are asked for under the id of the request, which is told on no other call', async () => {
    script = ({ url }) => ({
      body: url.includes('application')
        ? { applications: [] }
        : { activationStatus: 'ACTIVE', userId: 'u' },
    });
    const headers = { 'X-Correlation-ID': 'asked-by-the-caller' };

    await api.call('GET', '/admin/app/list', undefined, headers);
    await api.call('POST', '/push/device/status/update', { activationId: 'a' }, headers);

    expect(calls.map(({ url, correlationId }) => [url, correlationId])).toEqual([
      ['/rest/v3/application/list', 'asked-by-the-caller'],
      ['/rest/v3/activation/status', undefined],
    ]);
  });

  test('that are not answered are in the log under the id of the request', async () => {
    script = () => ({ status: 500 });
    lines.length = 0;

    await api.call(
      'POST',
      '/push/device/status/update',
      { activationId: 'a' },
      {
        'X-Correlation-ID': 'asked-by-the-caller',
      },
    );

    expect(lines).toMatchObject([
      { msg: 'powerauth server call failed', requestId: 'asked-by-the-caller' },
    ]);
  });

  test('cannot be listed while it is away', async () => {
    script = () => ({ status: 500 });

    const answers = [
      await api.get('/admin/app/list'),
      await api.get('/admin/app/unconfigured/list'),
    ];

    expect(answers.map((answer) => answer.status)).toEqual([400, 400]);
  });
});
