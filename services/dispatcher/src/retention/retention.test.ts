import { createMessageId } from '@heliograph/core';
import {
  approveHeldStale,
  claimRetentionRound,
  createPartitions,
  insertInboxMessage,
  insertMessages,
  inRegistration,
  saveDevice,
  type Db,
} from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { makeApp, makeCallback, makeDevice, toMessage, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { RETENTION_DEFAULTS, startRetention, type RetentionSettings } from './retention.ts';

const DAY_MS = 24 * 3_600_000;
const database = useTestDatabase({ poolSize: 10 });
let db: Db;

beforeAll(() => {
  db = database.db;
});

/** One round of a dispatcher with these settings. */
async function run(changes: Partial<RetentionSettings> = {}): Promise<void> {
  const retention = startRetention({
    db,
    settings: { ...RETENTION_DEFAULTS, ...changes },
    log: createLogger('dispatcher', 'silent'),
    now: () => new Date(),
    everyMs: 3_600_000,
  });
  await retention.run();
  await retention.close();
}

const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);

describe('what is kept', () => {
  test('ends after its days, of messages, inboxes, the audit log and token faults; 0 days are for ever', async () => {
    const appRef = await makeApp(db);
    const { userId } = await makeDevice(db, appRef);
    await createPartitions(db, daysAgo(100));
    const messages = [100, 80].map((days) =>
      toMessage(appRef, userId, {
        id: createMessageId(daysAgo(days).getTime()),
        expiresAt: new Date(0),
      }),
    );
    await insertMessages(db, messages);
    for (const days of [400, 300]) {
      const { id } = await insertInboxMessage(db, {
        id: createMessageId(Date.now()),
        userId,
        appRefs: [appRef],
        type: 'text',
        subject: `${days} days ago`,
        summary: '',
        body: '',
      });
      await db
        .updateTable('inboxMessages')
        .set({ createdAt: daysAgo(days) })
        .where('id', '=', id)
        .execute();
    }
    await db
      .insertInto('auditLog')
      .values([740, 720].map((days) => toAuditEntry(userId, days)))
      .execute();
    const forEver = { messages: 0, campaignDevices: 0, campaignRuns: 0, inbox: 0, audit: 0 };

    await run({ days: forEver });
    const before = await readKept(userId);
    await run();
    const after = await readKept(userId);

    expect(before).toEqual({
      messages: messages.map(({ id }) => id),
      inbox: ['400 days ago', '300 days ago'],
      audit: ['740 days ago', '720 days ago'],
    });
    expect(after).toEqual({
      messages: [messages[1]?.id],
      inbox: ['300 days ago'],
      audit: ['720 days ago'],
    });
  });

  test('is purged by one dispatcher at a time', async () => {
    const userId = 'of many messages';
    const appRef = await makeApp(db);
    await insertInboxMessage(db, {
      id: createMessageId(Date.now()),
      userId,
      appRefs: [appRef],
      type: 'text',
      subject: '',
      summary: '',
      body: '',
    });
    await sql`
      INSERT INTO inbox_messages (id, user_id, sequence, app_refs, type, subject, summary, body, created_at)
      SELECT gen_random_uuid(), ${userId}, n, ${[appRef]}::bigint[], 'text', '', '', '', now() - interval '400 days'
      FROM generate_series(2, 12000) n`.execute(db);

    await Promise.all([run(), run(), run()]);

    const left = await db
      .selectFrom('inboxMessages')
      .select('sequence')
      .where('userId', '=', userId)
      .execute();
    expect(left).toEqual([{ sequence: 1 }]);
  });
});

async function readKept(userId: string) {
  const messages = await db
    .selectFrom('messages')
    .select('id')
    .where('userId', '=', userId)
    .orderBy('id')
    .execute();
  const inbox = await db
    .selectFrom('inboxMessages')
    .select('subject')
    .where('userId', '=', userId)
    .orderBy('sequence')
    .execute();
  const audit = await db
    .selectFrom('auditLog')
    .select('action')
    .where('actor', '=', userId)
    .orderBy('id')
    .execute();
  return {
    messages: messages.map(({ id }) => id),
    inbox: inbox.map(({ subject }) => subject),
    audit: audit.map(({ action }) => action),
  };
}

function toAuditEntry(actor: string, days: number) {
  return {
    id: createMessageId(daysAgo(days).getTime()),
    keyId: null,
    actor,
    requestId: null,
    action: `${days} days ago`,
    appRef: null,
    objects: '{}',
    outcome: 'ok',
    finishedAt: null,
  };
}

test('of all dispatchers one has a turn in a while', async () => {
  const first = await Promise.all([1, 2, 3].map(() => claimRetentionRound(db, 60_000)));
  const soon = await claimRetentionRound(db, 60_000);
  const later = await claimRetentionRound(db, 0);

  expect(first.filter((isMine) => isMine)).toHaveLength(1);
  expect([soon, later]).toEqual([false, true]);
});

describe('stale devices', () => {
  const stale = { days: 270, maxPercent: 20 };

  /** An app with so many devices that registered lately, and so many that did not for 300 days. */
  async function makeFleet(fresh: number, old: number) {
    const appRef = await makeApp(db);
    for (let n = 0; n < fresh; n += 1)
      await makeDevice(db, appRef, { lastRegisteredAt: daysAgo(1) });
    const olds = [];
    for (let n = 0; n < old; n += 1)
      olds.push(await makeDevice(db, appRef, { lastRegisteredAt: daysAgo(300) }));
    return { appRef, olds };
  }

  async function listDeactivated(appRef: number) {
    return db
      .selectFrom('devices')
      .select(['id', 'tokenDeactivatedReason as reason'])
      .where('appRef', '=', appRef)
      .where('tokenDeactivatedAt', 'is not', null)
      .orderBy('id')
      .execute();
  }

  /** As if the last look was a day ago. */
  const forgetLooks = () =>
    db
      .updateTable('staleChecks')
      .set({ checkedAt: daysAgo(2) })
      .execute();

  test('lose their push tokens, and callbacks hear of it; a new registration brings one back', async () => {
    const { appRef, olds } = await makeFleet(9, 1);
    await makeCallback(db, appRef);

    await run({ stale });
    const deactivated = await listDeactivated(appRef);
    const [old] = olds;
    if (old === undefined) throw new Error('there is an old one');
    await inRegistration(db, { pushToken: old.pushToken }, (tx) =>
      saveDevice(
        tx,
        {
          appRef,
          activationId: old.activationId,
          userId: old.userId,
          pushToken: old.pushToken,
          provider: 'apns',
          environment: null,
          activationActive: true,
        },
        { kind: 'refuse' },
      ),
    );

    const events = await db
      .selectFrom('callbackEvents')
      .select(['type', 'data'])
      .where('appRef', '=', appRef)
      .execute();
    expect(deactivated).toEqual([{ id: old.id, reason: 'stale' }]);
    expect(events).toMatchObject([
      { type: 'device.token_deactivated', data: { deviceId: old.id, reason: 'stale' } },
    ]);
    expect(await listDeactivated(appRef)).toEqual([]);
  });

  test('stay as they are unless there is a number of days', async () => {
    const { appRef } = await makeFleet(9, 1);

    await run();

    expect(await listDeactivated(appRef)).toEqual([]);
  });

  test('are held where they are too many, until an operator lets them go', async () => {
    const { appRef, olds } = await makeFleet(7, 3);

    await run({ stale });
    const held = await listDeactivated(appRef);
    const approved = await approveHeldStale(db, appRef, 'apns');
    await run({ stale });
    const gone = await listDeactivated(appRef);
    // What went by an operator's word does not count the next day.
    const [fresh] = await db
      .updateTable('devices')
      .set({ lastRegisteredAt: daysAgo(271) })
      .where('id', '=', sql<number>`(SELECT min(id) FROM devices WHERE app_ref = ${appRef})`)
      .returning('id')
      .execute();
    await forgetLooks();
    await run({ stale });

    expect(held).toEqual([]);
    expect(approved).toBe(3);
    expect(gone).toEqual(olds.map(({ id }) => ({ id, reason: 'stale' })));
    expect(await listDeactivated(appRef)).toEqual([{ id: fresh?.id, reason: 'stale' }, ...gone]);
  });

  test('are held where a few go every day until it would be too many', async () => {
    const { appRef } = await makeFleet(8, 2);
    await run({ stale });
    const first = await listDeactivated(appRef);
    await db
      .updateTable('devices')
      .set({ lastRegisteredAt: daysAgo(271) })
      .where('id', '=', sql<number>`(SELECT min(id) FROM devices WHERE app_ref = ${appRef})`)
      .execute();
    await forgetLooks();

    await run({ stale });

    expect(first).toHaveLength(2);
    expect(await listDeactivated(appRef)).toEqual(first);
  });

  test('are held where nobody registered for a week: the client forgot how to, or all are gone', async () => {
    const { appRef } = await makeFleet(19, 1);
    await db
      .updateTable('devices')
      .set({ lastRegisteredAt: daysAgo(8) })
      .where('appRef', '=', appRef)
      .where('lastRegisteredAt', '>', daysAgo(10))
      .execute();

    await run({ stale });

    const look = await db
      .selectFrom('staleChecks')
      .select(['devices', 'stale', 'heldBecause'])
      .where('appRef', '=', appRef)
      .where('provider', '=', 'apns')
      .execute();
    expect(await listDeactivated(appRef)).toEqual([]);
    expect(look).toEqual([{ devices: 20, stale: 1, heldBecause: 'no_registrations' }]);
  });

  test('are looked for once a day', async () => {
    const { appRef } = await makeFleet(9, 0);
    await run({ stale });
    await makeDevice(db, appRef, { lastRegisteredAt: daysAgo(300) });

    await run({ stale });

    expect(await listDeactivated(appRef)).toEqual([]);
  });
});
