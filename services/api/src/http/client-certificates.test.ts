import { request } from 'node:https';

import { createServerCertificate } from '@heliograph/sandbox';
import { makeAuthority, makeClient, type ClientIdentity } from '@heliograph/testing/live-person';

import { openTestApi, type TestApi } from '../../test/open-test-api.ts';

const authority = makeAuthority();
let api: TestApi;

beforeAll(async () => {
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  const clientCa = Buffer.from(authority.caPem);
  api = await openTestApi({
    auth: 'on',
    tls: { cert: Buffer.from(certPem), key: Buffer.from(keyPem), clientCa },
  });
});
afterAll(() => api.close());

/** The status, or why there was no answer. */
function ask(path: string, client?: ClientIdentity): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const shown = client && { cert: client.certPem, key: client.keyPem };
    request(api.url + path, { ca: authority.caPem, agent: false, ...shown }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      .end();
  });
}

describe('with an authority for clients, the api', () => {
  test('takes those who show a certificate of it, and still wants their key', async () => {
    const client = makeClient(authority);

    const statuses = [
      await ask('/push/service/status', client),
      await ask('/admin/app/list', client),
    ];

    expect(statuses).toEqual([200, 401]);
  });

  test('has no connection for anybody else', async () => {
    const outcomes = [
      await ask('/push/service/status'),
      await ask('/actuator/health'),
      await ask('/push/service/status', makeClient(makeAuthority())),
    ];

    for (const outcome of outcomes) expect(outcome).toMatch(/^E/);
  });
});
