import { createHash, randomUUID } from 'node:crypto';

import { Refusal, type Provider } from '@heliograph/core';
import type { Lane } from '@heliograph/queue';
import {
  eventually,
  findAppId,
  makeApp as insertApp,
  makeCallback,
  makeDevice,
  useTestDatabase,
} from '@heliograph/testing';

import { AUDIENCES, listToldTypes } from '../../test/told-callbacks.ts';
import { createMessageAcceptor } from './accept-messages.ts';
import { findMessageStatus } from './find-message-status.ts';
import { createMessageDeps, type MessageDeps } from './message-deps.ts';
import { sendMessages, type NewMessage, type SendRequest } from './send-messages.ts';

const SYNC_WAIT_MS = 700;

const database = useTestDatabase({ poolSize: 10 });
let announced: string[];
let deps: MessageDeps;

/** Stands where jobs leave for Redis. */
const lane: Lane = {
  announce: (ids) => {
    announced.push(...ids);
    return Promise.resolve(true);
  },
  room: () => Promise.resolve(1000),
  close: () => Promise.resolve(),
};

beforeEach(() => {
  announced = [];
  deps = createMessageDeps({
    db: database.db,
    lane,
    syncWaitMs: SYNC_WAIT_MS,
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(async () => {
  deps.waiter.close();
  await deps.acceptor.close();
});

async function makeApp(providers?: readonly Provider[]) {
  const id = await insertApp(database.db, providers);
  const appId = await findAppId(database.db, id);
  return { appId, id };
}

const toMessage = (userId: string, changes: Partial<NewMessage> = {}): NewMessage => ({
  userId,
  silent: false,
  personal: false,
  priority: 'HIGH',
  body: { title: 'Balance update' },
  ...changes,
});

/** What a dispatcher would do. */
async function finish(ids: readonly string[], state: 'sent' | 'failed'): Promise<void> {
  await database.db
    .updateTable('deliveries')
    .set({ state, nextAttemptAt: null, finishedAt: new Date() })
    .where('id', 'in', [...ids])
    .execute();
}

describe('sending a message', () => {
  test('asynchronously answers once it is stored, and announces what is due', async () => {
    const app = await makeApp();
    const device = await makeDevice(database.db, app.id);

    const answer = await sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage(device.userId)],
      mode: 'ASYNCHRONOUS',
    });

    const status = await findMessageStatus(deps, answer.messageIds[0] ?? '');
    expect(status).toMatchObject({
      appId: app.appId,
      userId: device.userId,
      counts: { targeted: 1, pending: 1, sent: 0 },
      deliveries: [{ platform: 'ios', state: 'pending', attempts: 0, history: [] }],
    });
    expect(announced).toEqual(status?.deliveries.map((delivery) => delivery.id));
  });

  test('synchronously answers as soon as every outcome is there', async () => {
    const app = await makeApp();
    const phone = await makeDevice(database.db, app.id);
    await makeDevice(database.db, app.id, { userId: phone.userId, provider: 'fcm' });

    const sending = sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage(phone.userId)],
      mode: 'SYNCHRONOUS',
    });
    await eventually(() => expect(announced).toHaveLength(2));
    await finish(announced.slice(0, 1), 'sent');
    await finish(announced.slice(1), 'failed');

    const { counts } = await sending;
    expect(counts).toEqual({
      apns: expect.objectContaining({ total: 1, pending: 0 }),
      fcm: expect.objectContaining({ total: 1, pending: 0 }),
    });
    expect(counts.apns.sent + counts.fcm.sent).toBe(1);
  });

  test('synchronously answers what is pending when the wait is over', async () => {
    const app = await makeApp();
    const { userId } = await makeDevice(database.db, app.id);

    const { counts } = await sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage(userId)],
      mode: 'SYNCHRONOUS',
    });

    expect(counts.apns).toEqual({ sent: 0, failed: 0, pending: 1, total: 1 });
  });

  test('to a user without devices is no error and counts nothing', async () => {
    const app = await makeApp();

    const answer = await sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage('nobody')],
      mode: 'SYNCHRONOUS',
    });

    expect(answer.counts.apns).toEqual({ sent: 0, failed: 0, pending: 0, total: 0 });
    expect(answer.messageIds).toHaveLength(1);
  });

  test('past its expiry counts as failed on the wire and as expired in the ledger', async () => {
    const app = await makeApp();
    const { userId } = await makeDevice(database.db, app.id);

    const answer = await sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage(userId, { validUntil: new Date(0) })],
      mode: 'SYNCHRONOUS',
    });

    expect(answer.counts.apns).toEqual({ sent: 0, failed: 1, pending: 0, total: 1 });
    expect(await findMessageStatus(deps, answer.messageIds[0] ?? '')).toMatchObject({
      counts: { targeted: 1, expired: 1 },
    });
    expect(announced).toEqual([]);
  });

  test.each([
    ['an unknown app', async () => ({ appId: randomUUID() }), 'no application'],
    ['an app without credentials', () => makeApp([]), 'no push credentials'],
  ])('for %s is refused', async (_name, make, reason) => {
    const { appId } = await make();

    const sending = sendMessages(deps, { appId, messages: [toMessage('u')], mode: 'ASYNCHRONOUS' });

    await expect(sending).rejects.toThrow(reason);
    await expect(sending).rejects.toBeInstanceOf(Refusal);
  });

  test('over a platform limit refuses the whole batch and names the message', async () => {
    const app = await makeApp(['apns']);
    const { userId } = await makeDevice(database.db, app.id);
    const large = toMessage(userId, { body: { body: 'ä'.repeat(2_100) } });

    const sending = sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage(userId), large],
      mode: 'ASYNCHRONOUS',
    });

    await expect(sending).rejects.toThrow(/^Message 1 of the batch: .*4096/);
    expect(announced).toEqual([]);
  });

  test('many at once keeps the answers apart', async () => {
    const app = await makeApp();
    const devices = await Promise.all(
      Array.from({ length: 50 }, () => makeDevice(database.db, app.id)),
    );

    const answers = await Promise.all(
      devices.map(({ userId }) =>
        sendMessages(deps, {
          appId: app.appId,
          messages: [toMessage(userId)],
          mode: 'ASYNCHRONOUS',
        }),
      ),
    );

    for (const [n, answer] of answers.entries())
      expect(await findMessageStatus(deps, answer.messageIds[0] ?? '')).toMatchObject({
        userId: devices[n]?.userId,
        counts: { targeted: 1 },
      });
    expect(new Set(announced).size).toBe(50);
  });

  test('that the database refuses does not refuse the messages stored with it', async () => {
    const app = await makeApp();
    const { userId } = await makeDevice(database.db, app.id);
    const send = (user: string) =>
      sendMessages(deps, { appId: app.appId, messages: [toMessage(user)], mode: 'ASYNCHRONOUS' });

    // PostgreSQL has no NUL in its texts; the surfaces refuse it before it comes this far.
    const results = await Promise.allSettled([
      send(userId),
      send('a\0b'),
      send(userId),
      send(userId),
    ]);

    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });
});

describe('an Idempotency-Key', () => {
  async function makeRequest(changes: Partial<SendRequest> = {}): Promise<SendRequest> {
    const app = await makeApp();
    const { userId } = await makeDevice(database.db, app.id);
    return {
      appId: app.appId,
      messages: [toMessage(userId)],
      mode: 'ASYNCHRONOUS',
      idempotency: {
        caller: '',
        operation: 'POST /push/message/send',
        key: randomUUID(),
        bodyHash: createHash('sha256').update('body').digest(),
      },
      ...changes,
    };
  }

  test('sends once and gives the first answer again', async () => {
    const request = await makeRequest();

    const first = await sendMessages(deps, request);
    const second = await sendMessages(deps, request);

    expect(first.replayed).toBe(false);
    expect(second).toEqual({ ...first, replayed: true });
    expect(announced).toHaveLength(1);
  });

  test('sends once though ten requests come at once, and all get the same answer', async () => {
    const request = await makeRequest({ mode: 'SYNCHRONOUS' });

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => sendMessages(deps, request)),
    );

    expect(new Set(answers.map((answer) => answer.messageIds[0])).size).toBe(1);
    expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer.counts))).size).toBe(1);
    expect(announced).toHaveLength(1);
  });

  test('with another body is refused as a conflict', async () => {
    const request = await makeRequest();
    await sendMessages(deps, request);

    const other = { ...request.idempotency!, bodyHash: createHash('sha256').update('x').digest() };

    await expect(sendMessages(deps, { ...request, idempotency: other })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('whose first request died before it answered is answered from the ledger', async () => {
    const request = await makeRequest({ mode: 'SYNCHRONOUS' });
    await sendMessages(deps, request);
    await database.db
      .updateTable('idempotencyKeys')
      .set({ answer: null })
      .where('key', '=', request.idempotency!.key)
      .execute();
    await finish(announced, 'sent');

    const again = await sendMessages(deps, request);

    expect(again).toMatchObject({ replayed: true, counts: { apns: { sent: 1, total: 1 } } });
    expect(announced).toHaveLength(1);
  });

  test.each(AUDIENCES)(
    'tells callbacks what was final from the start, %s',
    async (_name, { hasCallback, listens, isTold }) => {
      const app = await makeApp();
      const { userId } = await makeDevice(database.db, app.id);
      if (hasCallback) await makeCallback(database.db, app.id);
      const audience = { listensTo: (appRef: number) => listens && appRef === app.id };
      const acceptor = createMessageAcceptor({ db: database.db, lane, audience });
      const late = toMessage(userId, { validUntil: new Date(0) });
      const request = await makeRequest({ appId: app.appId, messages: [late] });

      await sendMessages({ ...deps, acceptor }, request);

      expect(await listToldTypes(database.db, app.id)).toEqual(isTold ? ['delivery.expired'] : []);
    },
  );

  test('of a refused request is free for the corrected one', async () => {
    const request = await makeRequest();
    const refused = { ...request, appId: 'unknown' };
    await expect(sendMessages(deps, refused)).rejects.toBeInstanceOf(Refusal);

    expect(await sendMessages(deps, request)).toMatchObject({ replayed: false });
  });
});

describe('the status of a message', () => {
  test('is found by the id of one of its deliveries too, and not by any other text', async () => {
    const app = await makeApp();
    const { userId } = await makeDevice(database.db, app.id);
    const answer = await sendMessages(deps, {
      appId: app.appId,
      messages: [toMessage(userId)],
      mode: 'ASYNCHRONOUS',
    });
    const [messageId] = answer.messageIds;

    expect(await findMessageStatus(deps, announced[0] ?? '')).toMatchObject({ id: messageId });
    expect(await findMessageStatus(deps, randomUUID())).toBeUndefined();
    expect(await findMessageStatus(deps, "'; DROP TABLE")).toBeUndefined();
  });
});
