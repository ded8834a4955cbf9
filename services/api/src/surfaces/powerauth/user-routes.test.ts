import { randomUUID } from 'node:crypto';

import { createMessageId, createRunId } from '@heliograph/core';
import {
  continueErasure,
  freezePage,
  hashPushToken,
  insertInboxMessage,
  insertMessages,
  listOpenErasures,
  noteTokenFaults,
  requestErasure,
} from '@heliograph/db';
import {
  findAppId,
  makeApp,
  makeCallback,
  makeDevice,
  makeRun,
  toMessage,
} from '@heliograph/testing';
import { sql } from 'kysely';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextRunAt = Date.now() - 3_600_000;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

/** A user of an app who has one of everything. */
async function makeUser(userId: string = randomUUID()) {
  const { db } = api;
  const appRef = await makeApp(db);
  const appId = await findAppId(api.db, appRef);
  const device = await makeDevice(db, appRef, { userId });
  const other = await makeDevice(db, appRef);
  await db
    .insertInto('activations')
    .values([
      { activationId: device.activationId, userId, status: 'ACTIVE' },
      { activationId: randomUUID(), userId, status: 'BLOCKED' },
    ])
    .execute();
  const secret = randomUUID();
  const pending = toMessage(appRef, userId, { body: JSON.stringify({ title: secret }) });
  const expired = toMessage(appRef, userId, { expiresAt: new Date(0) });
  const others = toMessage(appRef, other.userId);
  await insertMessages(db, [pending, expired, others]);
  const inbox = { userId, appRefs: [appRef], type: 'text', subject: 's', summary: 'x' } as const;
  await insertInboxMessage(db, { ...inbox, id: randomUUID(), body: 'private' });
  const created = await api.post('/push/campaign/create', { appId, message: { title: 'x' } });
  const { id: campaignId } = created.body.responseObject;
  await api.call('PUT', `/push/campaign/${campaignId}/user/add`, {
    requestObject: [userId, other.userId],
  });
  const runId = await makeRun(db, { appRef, campaignId }, { id: createRunId((nextRunAt += 1000)) });
  while (await freezePage(db, runId));
  await db
    .insertInto('campaignExceptions')
    .values({
      runId,
      ordinal: 0,
      deviceId: device.id,
      userId,
      provider: 'apns',
      state: 'failed',
      reason: 'Unregistered',
      attempts: 1,
      ambiguousAttempts: 0,
      nextAttemptAt: null,
      providerMessageId: null,
      finishedAt: new Date(),
      history: null,
    })
    .execute();
  return {
    appRef,
    appId,
    userId,
    device,
    other,
    secret,
    pending,
    expired,
    others,
    campaignId,
    runId,
  };
}

/** Where the text stands in the database, as table names. */
async function findEverywhere(text: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT oid::regclass::text AS name FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`.execute(api.db);
  const found: string[] = [];
  for (const { name } of rows) {
    const hits = await sql`
      SELECT FROM ${sql.raw(name)} t WHERE strpos(t::text, ${text}) > 0 LIMIT 1`.execute(api.db);
    if (hits.rows.length > 0) found.push(name);
  }
  return found;
}

interface Exported {
  readonly devices: readonly unknown[];
  readonly messages: readonly { readonly id: string }[];
  readonly inbox: readonly unknown[];
  readonly campaigns: readonly unknown[];
}

const exportOf = async (requestObject: object) => {
  const answer = await fetch(`${api.url}/admin/user/export`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requestObject }),
  });
  const { responseObject } = (await answer.json()) as { responseObject: Exported };
  return responseObject;
};

describe('POST /admin/user/export', () => {
  test('answers all that is kept about the user, and nothing about others', async () => {
    const user = await makeUser();

    const answer = await exportOf({ userId: user.userId });

    expect(answer).toMatchObject({
      userId: user.userId,
      devices: [{ appId: user.appId, platform: 'ios', pushToken: user.device.pushToken }],
      activations: expect.arrayContaining([
        expect.objectContaining({ activationId: user.device.activationId, status: 'ACTIVE' }),
      ]),
      inbox: [{ body: 'private', sequence: 1, applications: [user.appId] }],
      campaigns: [{ id: user.campaignId }],
      campaignDeliveries: [{ runId: user.runId, deviceId: user.device.id, userId: user.userId }],
    });
    expect(answer.messages).toHaveLength(2);
    expect(answer.messages).toContainEqual(
      expect.objectContaining({
        id: user.pending.id,
        body: { title: user.secret },
        deliveries: [expect.objectContaining({ state: 'pending', deviceId: user.device.id })],
      }),
    );
    expect(JSON.stringify(answer)).not.toContain(user.other.userId);
  });

  test('shows with an application what is of that one alone', async () => {
    const user = await makeUser();
    const elsewhere = await makeUser(user.userId);
    await insertInboxMessage(api.db, {
      id: randomUUID(),
      userId: user.userId,
      appRefs: [user.appRef, elsewhere.appRef],
      type: 'text',
      subject: 'for both',
      summary: 'x',
      body: 'y',
    });

    const answer = await exportOf({ userId: user.userId, appId: user.appId });

    expect(answer).toMatchObject({
      devices: [{ appId: user.appId }],
      activations: [{ activationId: user.device.activationId }],
      inbox: [{ subject: 's' }, { subject: 'for both', applications: [user.appId] }],
      campaigns: [{ id: user.campaignId }],
    });
    expect(JSON.stringify(answer)).not.toContain(elsewhere.appId);
    expect(JSON.stringify(answer)).not.toContain(elsewhere.device.activationId);
  });

  test('goes through more than a page of messages', async () => {
    const appRef = await makeApp(api.db);
    const userId = randomUUID();
    const messages = Array.from({ length: 1203 }, () => toMessage(appRef, userId));
    await insertMessages(api.db, messages);

    const answer = await exportOf({ userId });

    expect(answer.messages.map((one) => one.id)).toEqual(messages.map(({ id }) => id).toSorted());
  });

  test('cuts the connection where it fails in the middle: half of it must not look whole', async () => {
    const user = await makeUser();
    await sql`ALTER TABLE inbox_messages RENAME TO inbox_away`.execute(api.db);
    try {
      const answer = exportOf({ userId: user.userId });

      await expect(answer).rejects.toThrow('terminated');
    } finally {
      await sql`ALTER TABLE inbox_away RENAME TO inbox_messages`.execute(api.db);
    }
  });

  test.each([{}, { userId: '' }, { userId: 'u', appId: 'nobody knows it' }])(
    'refuses %j',
    async (input) => {
      const answer = await api.post('/admin/user/export', input);

      expect(answer.status).toBe(400);
    },
  );
});

describe('POST /admin/user/erase', () => {
  test('leaves nothing that leads to the user, and counts that add up', async () => {
    const user = await makeUser();
    const before = await api.get(`/push/message/${user.pending.id}`);

    const answer = await api.post('/admin/user/erase', { userId: user.userId });

    const after = await api.get(`/push/message/${user.pending.id}`);
    const traced = await api.get(`/push/delivery/list?userId=${user.userId}`);
    const run = await api.get(`/push/campaign/${user.campaignId}/run`);
    expect(answer.body.responseObject).toMatchObject({
      erased: true,
      devices: 1,
      messages: 2,
      skipped: 1,
      inboxMessages: 1,
      campaigns: 1,
      campaignDeliveries: 1,
    });
    // Until the last look, ten minutes later.
    expect(await findEverywhere(user.userId)).toEqual(['user_erasures']);
    expect(await findEverywhere(user.secret)).toEqual([]);
    expect(await findEverywhere(user.device.pushToken)).toEqual([]);
    expect(before.body.responseObject).toMatchObject({ counts: { targeted: 1, pending: 1 } });
    expect(after.body.responseObject).toMatchObject({
      userId: expect.stringMatching(/^erased:/),
      counts: { targeted: 1, pending: 0, skipped: 1 },
      deliveries: [{ state: 'skipped', reason: 'user_erased' }],
    });
    expect(traced.body.responseObject.deliveries).toEqual([]);
    expect(run.body.responseObject).toMatchObject({ counts: { total: { targeted: 2 } } });
    expect(await findEverywhere(user.other.userId)).toEqual(
      expect.arrayContaining(['devices', 'campaign_users']),
    );
  });

  test('leaves no hash of the user in the audiences of runs', async () => {
    const user = await makeUser();

    await api.post('/admin/user/erase', { userId: user.userId });

    const { rows } = await sql`
      SELECT FROM campaign_chunks
      WHERE hashtextextended(${user.userId}, 0) = ANY (user_hashes)`.execute(api.db);
    expect(rows).toEqual([]);
  });

  test('remembers that an activation is blocked, and not whose it was', async () => {
    const user = await makeUser();

    await api.post('/admin/user/erase', { userId: user.userId });

    const left = await api.db
      .selectFrom('activations')
      .select(['userId', 'status'])
      .where('status', '=', 'BLOCKED')
      .orderBy('createdAt', 'desc')
      .limit(1)
      .execute();
    expect(left).toEqual([{ userId: null, status: 'BLOCKED' }]);
  });

  test('forgets what is held against the push tokens', async () => {
    const user = await makeUser();
    const faultOf = async (device: { readonly id: number; readonly pushToken: string }) => {
      await noteTokenFaults(api.db, [
        {
          scope: {
            appRef: user.appRef,
            provider: 'apns',
            environment: 'production',
            credentialVersion: 1,
          },
          deviceId: device.id,
          pushTokenHash: hashPushToken(device.pushToken),
          reason: 'Unregistered',
          kind: 'dead',
          invalidSince: new Date(),
        },
      ]);
    };
    await faultOf(user.device);
    await faultOf(user.other);

    await api.post('/admin/user/erase', { userId: user.userId });

    const faults = await api.db
      .selectFrom('tokenFaults')
      .select('deviceId')
      .where('appRef', '=', user.appRef)
      .execute();
    expect(faults).toEqual([{ deviceId: user.other.id }]);
  });

  test('may be asked for again, also of a user who was never there', async () => {
    const user = await makeUser();
    await api.post('/admin/user/erase', { userId: user.userId });

    const again = await api.post('/admin/user/erase', { userId: user.userId });
    const nobody = await api.post('/admin/user/erase', { userId: randomUUID() });

    expect(again.body.responseObject).toMatchObject({ erased: true, messages: 2 });
    expect(nobody.body.responseObject).toMatchObject({ erased: true, messages: 0 });
  });

  test('forgets the user in one application only where one is named', async () => {
    const user = await makeUser();
    const elsewhere = await makeUser(user.userId);

    await api.post('/admin/user/erase', { userId: user.userId, appId: user.appId });

    const { devices, messages, inbox, campaigns } = await exportOf({ userId: user.userId });
    expect(devices).toMatchObject([{ appId: elsewhere.appId }]);
    expect(messages).toHaveLength(2);
    expect(inbox).toMatchObject([{ applications: [elsewhere.appId] }]);
    expect(campaigns).toMatchObject([{ id: elsewhere.campaignId }]);
  });

  test('takes an application out of messages in the inbox that others show, too', async () => {
    const user = await makeUser();
    const second = await makeApp(api.db);
    const shared = {
      userId: user.userId,
      appRefs: [user.appRef, second],
      type: 'text',
      subject: 'for both',
      summary: 'x',
      body: 'y',
    } as const;
    await insertInboxMessage(api.db, { ...shared, id: randomUUID() });

    await api.post('/admin/user/erase', { userId: user.userId, appId: user.appId });

    const { inbox } = await exportOf({ userId: user.userId });
    expect(inbox).toMatchObject([
      { subject: 'for both', applications: [await findAppId(api.db, second)] },
    ]);
  });

  test('leaves what is being sent right now to who sends it', async () => {
    const user = await makeUser();
    const [id = ''] = (
      await api.db
        .updateTable('deliveries')
        .set({ leaseUntil: new Date(Date.now() + 60_000), leaseEpoch: 1 })
        .where('messageId', '=', user.pending.id)
        .returning('id')
        .execute()
    ).map((row) => row.id);

    const answer = await api.post('/admin/user/erase', { userId: user.userId });

    const delivery = await api.db
      .selectFrom('deliveries')
      .select(['state', 'leaseEpoch'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(answer.body.responseObject).toMatchObject({ erased: true, messages: 2, skipped: 0 });
    expect(delivery).toEqual({ state: 'pending', leaseEpoch: 1 });
    expect(await findEverywhere(user.secret)).toEqual([]);
  });

  test('tells callbacks what was skipped, and not of whom', async () => {
    const user = await makeUser();
    await makeCallback(api.db, user.appRef);

    await api.post('/admin/user/erase', { userId: user.userId });

    const events = await api.db
      .selectFrom('callbackEvents')
      .select(['type', 'data'])
      .where('appRef', '=', user.appRef)
      .execute();
    expect(events).toMatchObject([
      {
        type: 'delivery.skipped',
        data: { messageId: user.pending.id, userId: null, reason: 'user_erased' },
      },
    ]);
  });

  test('is finished after a last look for what was under way, and forgets the name as well', async () => {
    const user = await makeUser();
    await api.post('/admin/user/erase', { userId: user.userId });
    // Accepted by a transaction that was not committed yet, and a younger one of somebody who came back.
    const [late, younger] = [
      toMessage(user.appRef, user.userId, { id: createMessageId(Date.now() - 60_000) }),
      toMessage(user.appRef, user.userId),
    ];
    await insertMessages(api.db, [late, younger]);
    await api.db
      .updateTable('messages')
      .set({ createdAt: new Date(Date.now() - 60_000) })
      .where('id', '=', late.id)
      .execute();
    const noneYet = await listOpenErasures(api.db);
    await sql`
      UPDATE user_erasures SET erased_at = now() - interval '11 minutes', requested_at = now() - interval '12 minutes'
      WHERE user_id = ${user.userId}`.execute(api.db);
    await api.db
      .updateTable('messages')
      .set({ createdAt: new Date(Date.now() - 12 * 60_000) })
      .where('id', '=', late.id)
      .execute();

    const due = await listOpenErasures(api.db);
    for (const { id } of due) await continueErasure(api.db, id, () => false);

    const users = await api.db
      .selectFrom('messages')
      .select('userId')
      .where('id', 'in', [late.id, younger.id])
      .orderBy('id')
      .execute();
    expect(noneYet.map(({ userId }) => userId)).not.toContain(user.userId);
    expect(due.map(({ userId }) => userId)).toContain(user.userId);
    expect(users).toEqual([{ userId: expect.stringMatching(/^erased:/) }, { userId: user.userId }]);
    expect(await findEverywhere(user.userId)).not.toContain('user_erasures');
  });

  test('goes on where it was stopped, and counts nothing twice', async () => {
    const appRef = await makeApp(api.db);
    const userId = randomUUID();
    await insertMessages(
      api.db,
      Array.from({ length: 1200 }, () => toMessage(appRef, userId)),
    );
    const { id } = await requestErasure(api.db, userId, null);

    const stopped = await continueErasure(api.db, id, () => true);
    const answer = await api.post('/admin/user/erase', { userId });

    expect(stopped).toMatchObject({ erasedAt: null, messages: 500 });
    expect(answer.body.responseObject).toMatchObject({
      erasureId: id,
      erased: true,
      messages: 1200,
    });
  });
});
