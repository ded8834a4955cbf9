import { createSandbox, type Sandbox } from './index.ts';
import { callProxy } from './test-clients/proxy-client.ts';
import { openApnsClient, type ApnsClient } from './test-clients/apns-client.ts';

let sandbox: Sandbox;
let client: ApnsClient;

beforeAll(async () => {
  sandbox = await createSandbox({ controlPort: 0 });
  const { apnsUrl, caPem, credentials } = sandbox;
  client = await openApnsClient(apnsUrl, caPem, credentials.apns);
});
afterAll(async () => {
  client.close();
  await sandbox.close();
});
beforeEach(() => {
  sandbox.clear();
  sandbox.clearScripts();
});

async function call(method: string, path: string, body?: unknown) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${sandbox.controlUrl}${path}`, init);
  return { status: response.status, body: (await response.json()) as unknown };
}

describe('GET /received', () => {
  test('lists what arrived per provider, with counts', async () => {
    await client.push({ token: 'ab01' });
    await client.push({ token: 'fa114100' });

    const { body } = await call('GET', '/received');

    expect(body).toMatchObject({
      apns: {
        count: 2,
        accepted: 1,
        duplicates: 0,
        pushes: [
          { token: 'ab01', accepted: true, body: { aps: { alert: 'Hello' } } },
          { token: 'fa114100', accepted: false, answer: { status: 410, reason: 'Unregistered' } },
        ],
      },
      fcm: { count: 0, pushes: [] },
      proxy: { count: 0, pushes: [] },
    });
  });

  test('takes provider, token and limit', async () => {
    for (const token of ['ab02', 'ab03', 'ab02']) await client.push({ token });

    const { body } = await call('GET', '/received?provider=apns&token=ab02&limit=1');

    expect(body).toMatchObject({ apns: { count: 2, accepted: 2, pushes: [{ token: 'ab02' }] } });
    expect(body).not.toHaveProperty('fcm');
  });
});

describe('DELETE /received', () => {
  test('forgets what arrived', async () => {
    await client.push({ token: 'ab04' });

    await call('DELETE', '/received');

    expect(sandbox.totals('apns').count).toBe(0);
  });
});

describe('POST /script', () => {
  test('puts down answers that DELETE /script takes away', async () => {
    const answers = [{ kind: 'refuse', reason: 'ServiceUnavailable', times: 'always' }];

    const made = await call('POST', '/script', { provider: 'apns', token: 'ab05', answers });
    const scripted = await client.push({ token: 'ab05' });
    await call('DELETE', '/script');
    const normal = await client.push({ token: 'ab05' });

    expect(made.status).toBe(200);
    expect([scripted.status, normal.status]).toEqual([503, 200]);
  });

  test.each([
    [[], 'JSON object'],
    [{ provider: 'wns', answers: [] }, '`provider`'],
    [{ provider: 'apns' }, '`answers`'],
    [{ provider: 'apns', token: 1, answers: [] }, '`token`'],
    [{ provider: 'apns', answers: [{ kind: 'explode' }] }, 'Unknown kind'],
  ])('refuses %o', async (script, message) => {
    const { status, body } = await call('POST', '/script', script);

    expect(status).toBe(400);
    expect(body).toEqual({ error: expect.stringContaining(message) });
  });
});

describe('callbacks', () => {
  test('POST /callbacks/keys and GET /callbacks tell what a key has sent', async () => {
    const made = await call('POST', '/callbacks/keys', { key: 'k', secret: 's' });
    const headers = { authorization: 'MAAIISDK10 key="k", nonce="1", signature="00"' };
    await callProxy(sandbox.callbackUrl, { ca: sandbox.caPem, headers, body: '{}' });

    const { body } = await call('GET', '/callbacks?key=k');

    expect(made.status).toBe(200);
    expect(body).toEqual({
      k: {
        calls: 1,
        acceptedCalls: 0,
        refusedCalls: 1,
        refusals: ['X-M-Date is no IMF-fixdate.'],
        duplicates: 0,
        contradictions: [],
        orderViolations: [],
        count: 0,
        events: [],
      },
    });
  });

  test('POST /callbacks/keys refuses what is no key', async () => {
    const { status, body } = await call('POST', '/callbacks/keys', { key: 'k' });

    expect(status).toBe(400);
    expect(body).toEqual({ error: expect.stringContaining('`secret`') });
  });
});

test('GET /health says that it is up, and an unknown path is 404', async () => {
  expect(await call('GET', '/health')).toEqual({ status: 200, body: { status: 'ok' } });
  expect((await call('GET', '/nothing')).status).toBe(404);
});
