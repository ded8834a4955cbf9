import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

import { openTestApi, type TestApi, type TestApiOptions } from '../../../test/open-test-api.ts';
import {
  makeDeveloperKey,
  makeReceiver,
  pushTo,
  sendRaw,
  type TestKey,
} from '../../../test/signed-request.ts';

let api: TestApi;
let key: TestKey;
let userId: string;

beforeAll(async () => {
  api = await openTestApi();
  key = await makeDeveloperKey(api);
  userId = await makeReceiver(api, key);
});
afterAll(() => api.close());

/** Runs `use` against a replica that listens in another way. */
async function withReplica<T>(
  options: TestApiOptions,
  use: (replica: TestApi) => Promise<T>,
): Promise<T> {
  const replica = await openTestApi({ beside: api, ...options });
  try {
    return await use(replica);
  } finally {
    await replica.close();
  }
}

describe('a signed push', () => {
  test('is taken over TLS', async () => {
    const authority = createAuthority(new Date());
    const { certPem, keyPem } = createServerCertificate(authority, new Date());
    const tls = { cert: Buffer.from(certPem), key: Buffer.from(keyPem) };

    const answer = await withReplica({ tls }, ({ url }) =>
      pushTo({ url, ca: authority.caPem }, key, userId),
    );

    expect(answer.status).toBe(200);
  });

  test('is taken over plain HTTP from loopback of IPv6', async () => {
    const answer = await withReplica({ host: '::1' }, (replica) => pushTo(replica, key, userId));

    expect(answer.status).toBe(200);
  });

  test('is refused where a proxy says that it came in the clear', async () => {
    const answers = [
      await pushTo(api, key, userId, { headers: { 'X-Forwarded-Proto': 'http' } }),
      await pushTo(api, key, userId, { headers: { 'X-Forwarded-Proto': 'https' } }),
    ];

    expect(answers).toMatchObject([
      {
        status: 403,
        body: { error: { status: 403, code: 40300, message: 'This is served over https only.' } },
      },
      { status: 200 },
    ]);
  });

  test('is refused in the clear before anything else is looked at, also at unknown paths', async () => {
    const headers = { 'X-Forwarded-Proto': 'http' };

    const answers = await Promise.all(
      [
        { method: 'POST', path: '/api/1.0/push/u' },
        { method: 'GET', path: '/api/1.0/push/u' },
        { method: 'GET', path: '/api/1.0/nothing' },
      ].map((call) => sendRaw(api, { ...call, headers })),
    );

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test('alone is refused: the other surfaces are served as before', async () => {
    const answer = await sendRaw(api, {
      method: 'GET',
      path: '/push/service/status',
      headers: { 'X-Forwarded-Proto': 'http' },
    });

    expect(answer.status).toBe(200);
  });
});
