import { randomUUID } from 'node:crypto';

import { makeDevice } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import {
  callSigned,
  makeDeveloperKey,
  makeReceiver,
  pushTo,
  type SignedOptions,
  type TestKey,
} from '../../../test/signed-request.ts';

let api: TestApi;
let key: TestKey;

beforeAll(async () => {
  api = await openTestApi();
  key = await makeDeveloperKey(api);
});
afterAll(() => api.close());

function ask(requestId: string, options: Partial<SignedOptions> = {}, asker = key) {
  const path = `/api/1.0/push/requests/${requestId}`;
  return callSigned(api, asker, { method: 'GET', path, ...options });
}

function error(status: number, code: number) {
  return { status, body: { error: { status, code, message: expect.any(String) } } };
}

describe('GET /api/1.0/push/requests/{requestId}', () => {
  test('says what became of a push', async () => {
    const userId = await makeReceiver(api, key);
    await makeDevice(api.db, key.appRef, { userId, provider: 'apns' });
    const { requestId } = (await pushTo(api, key, userId)).body;

    const { status, body } = await ask(requestId);

    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        requestId,
        createdAt: instant,
        receiver: `${userId}@acme.com`,
        inbox: { id: requestId, read: false },
        push: {
          targeted: 2,
          sent: 0,
          failed: 0,
          expired: 0,
          skipped: 1,
          pending: 1,
          ambiguous: 0,
          expiresAt: instant,
          deliveries: [
            {
              id: expect.any(String),
              platform: 'android',
              state: 'pending',
              attempts: 0,
              nextAttemptAt: instant,
            },
            {
              id: expect.any(String),
              platform: 'ios',
              state: 'skipped',
              reason: 'not_configured',
              attempts: 0,
              finishedAt: instant,
            },
          ],
        },
      },
    });
  });

  test('says nothing of a push that was not asked for, and when the message was read', async () => {
    const userId = await makeReceiver(api, key);
    const { requestId } = (
      await pushTo(api, key, userId, { body: { appMessage: { content: 'x' } } })
    ).body;
    await api.db
      .updateTable('inboxMessages')
      .set({ readAt: new Date() })
      .where('id', '=', requestId)
      .execute();

    const { body } = await ask(requestId.toUpperCase());

    expect(body).toEqual({
      requestId,
      createdAt: expect.any(String),
      receiver: `${userId}@acme.com`,
      inbox: { id: requestId, read: true },
    });
  });

  test("gets 404 for another key's request, an unknown one, and what is no id", async () => {
    const userId = await makeReceiver(api, key);
    const other = await makeDeveloperKey(api);
    const { requestId } = (await pushTo(api, key, userId)).body;

    const answers = await Promise.all([
      ask(requestId, {}, other),
      ask(randomUUID()),
      ask('7'),
      ask('%zz'),
    ]);

    expect(answers).toMatchObject(answers.map(() => error(404, 40402)));
  });

  test('is signed: gets 401 otherwise, also with the signature of a body', async () => {
    const answers = await Promise.all([
      ask(randomUUID(), { signed: { secret: 'wrong' } }),
      ask(randomUUID(), { signed: { method: 'POST' } }),
      ask(randomUUID(), { signed: { body: '{}' } }),
      ask(randomUUID(), { method: 'HEAD', signed: { method: 'GET' } }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  });

  test('takes a HEAD that is signed as one', async () => {
    const userId = await makeReceiver(api, key);
    const { requestId } = (await pushTo(api, key, userId)).body;

    const answer = await ask(requestId, { method: 'HEAD' });

    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  test('uses its nonce up, as pushes do', async () => {
    const userId = await makeReceiver(api, key);
    const { requestId } = (await pushTo(api, key, userId, { nonce: 'of a push' })).body;
    const nonce = randomUUID();

    const answers = [
      await ask(requestId, { nonce }),
      await ask(requestId, { nonce }),
      await pushTo(api, key, userId, { nonce }),
      await ask(requestId, { nonce: 'of a push' }),
    ];

    expect(answers).toMatchObject([{ status: 200 }, ...[1, 2, 3].map(() => error(401, 40106))]);
  });

  test('in parallel is answered once', async () => {
    const nonce = randomUUID();

    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ask(randomUUID(), { nonce })),
    );

    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 404]);
  });
});
