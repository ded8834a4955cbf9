import { createHash } from 'node:crypto';

import { CALLBACKS_START, toUuidFloor, type RunReason } from '@heliograph/core';
import {
  eventually,
  makeApp,
  makeCallback,
  makeCampaign,
  makeDevice,
  makeRun,
  makeScope,
  oweMessage,
  toMessage,
  toSentUpdate,
  useTestDatabase,
} from '@heliograph/testing';
import { sql } from 'kysely';

import {
  dropOldCallbackEvents,
  findEndOfOldEvents,
  insertPing,
  listCallbackEvents,
} from './callback-events.ts';
import { claimChunk } from './campaigns/chunk-leases.ts';
import { controlStoredRun } from './campaigns/control-run.ts';
import { countUsers } from './campaigns/count-users.ts';
import { finishRun, haltExpired, stopRun } from './campaigns/end-run.ts';
import { freezePage } from './campaigns/freeze-audience.ts';
import { recordCheckpoints } from './campaigns/record-checkpoints.ts';
import { openDatabase } from './database.ts';
import { claimDue, recordUpdates, type DeliveryUpdate } from './deliveries.ts';
import { insertMessages } from './messages.ts';
import { createPartitions } from './partitions.ts';
import { applyRipeFaults, noteTokenFaults } from './token-faults.ts';

const LEASE_MS = 60_000;

const database = useTestDatabase({ poolSize: 10 });

const ownedBy = (appRef: number) => ({ appRef, developerKeyRef: 0 });

const eventsOf = (appRef: number, after = CALLBACKS_START, limit = 1000) =>
  listCallbackEvents(database.db, ownedBy(appRef), after, limit);

/** How a delivery is told of, but for its ids. */
const toldAs = async (appRef: number) =>
  (await eventsOf(appRef)).map(({ type, data }) => ({ type, data }));

async function record(id: string, changes: Partial<DeliveryUpdate>, isHeard?: boolean) {
  await claimDue(database.db, [id], LEASE_MS);
  const updates = [{ ...toSentUpdate(id, 1), ...changes }];
  return recordUpdates(database.db, updates, isHeard === undefined ? {} : { isHeard });
}

describe('what is told of deliveries', () => {
  test.each([
    ['sent', null],
    ['failed', 'BadDeviceToken'],
    ['expired', 'expired'],
    ['skipped', 'device_removed'],
  ] as const)('is that one was %s', async (state, reason) => {
    const { db } = database;
    const { appRef, messageId, ids } = await oweMessage(db);
    await makeCallback(db, appRef);
    const device = await db
      .selectFrom('devices')
      .selectAll()
      .where('appRef', '=', appRef)
      .executeTakeFirstOrThrow();

    await record(ids[0] ?? '', { state, reason });

    expect(await eventsOf(appRef)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/),
        xid: expect.stringMatching(/^\d+$/),
        type: `delivery.${state}`,
        createdAt: expect.any(Date),
        data: {
          messageId,
          deliveryId: ids[0],
          platform: 'ios',
          userId: device.userId,
          activationId: device.activationId,
          reason,
          attempts: 1,
          providerMessageId: 'p1',
        },
      },
    ]);
  });

  test('is nothing while they are pending, and nothing twice', async () => {
    const { db } = database;
    const { appRef, ids } = await oweMessage(db);
    await makeCallback(db, appRef);
    const [id = ''] = ids;

    await record(id, { state: 'pending', reason: 'timeout', nextAttemptAt: new Date() });
    expect(await eventsOf(appRef)).toEqual([]);
    await claimDue(db, [id], LEASE_MS);
    await recordUpdates(db, [toSentUpdate(id, 2)]);
    await recordUpdates(db, [toSentUpdate(id, 2)]);

    expect(await eventsOf(appRef)).toHaveLength(1);
  });

  test('is what was final from the start', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    await makeCallback(db, appRef);
    const device = await makeDevice(db, appRef);
    const message = toMessage(appRef, device.userId, { expiresAt: new Date(0) });

    const stored = await insertMessages(db, [message, toMessage(appRef, device.userId)]);

    expect(stored.map(({ state }) => state).toSorted()).toEqual(['expired', 'pending']);
    expect(await toldAs(appRef)).toEqual([
      {
        type: 'delivery.expired',
        data: expect.objectContaining({ messageId: message.id, userId: device.userId }),
      },
    ]);
  });

  test('is nothing where the app has no endpoint, or one that is suspended for long', async () => {
    const { db } = database;
    const silent = await oweMessage(db);
    const suspended = await oweMessage(db);
    const callbackId = await makeCallback(db, suspended.appRef);
    await db
      .updateTable('callbackEndpoints')
      .set({ suspendedAt: new Date(Date.now() - 4 * 24 * 3_600_000), suspendedBecause: 'gone' })
      .where('id', '=', callbackId)
      .execute();

    await record(silent.ids[0] ?? '', {});
    await record(suspended.ids[0] ?? '', {});

    expect(await eventsOf(silent.appRef)).toEqual([]);
    expect(await eventsOf(suspended.appRef)).toEqual([]);
  });

  test('is for the developer key that sent the message, too, and for no other', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    await makeCallback(db, appRef);
    for (const developerKeyRef of [71, 72])
      await makeCallback(db, appRef, { developerKeyRef, callbackKey: null });
    const { userId } = await makeDevice(db, appRef);
    const signed = toMessage(appRef, userId, { developerKeyRef: 71 });
    const late = { developerKeyRef: 72, expiresAt: new Date(0) };
    const stored = await insertMessages(db, [signed, toMessage(appRef, userId, late)]);

    await record(stored.find(({ state }) => state === 'pending')?.id ?? '', {});

    const told = async (developerKeyRef: number) =>
      (await listCallbackEvents(db, { appRef, developerKeyRef }, CALLBACKS_START, 10)).map(
        ({ type }) => type,
      );
    expect(await told(0)).toEqual(['delivery.expired', 'delivery.sent']);
    expect(await told(71)).toEqual(['delivery.sent']);
    expect(await told(72)).toEqual(['delivery.expired']);
  });

  test('is one event however many endpoints the app has', async () => {
    const { db } = database;
    const { appRef, ids } = await oweMessage(db, 2);
    await makeCallback(db, appRef);
    await makeCallback(db, appRef);

    for (const id of ids) await record(id, {});

    const events = await eventsOf(appRef);
    expect(events.map(({ data }) => data['deliveryId'])).toEqual(ids);
  });

  test('is nothing where the caller knows that nobody listens, and all else is written', async () => {
    const { db } = database;
    const { appRef, ids } = await oweMessage(db);
    await makeCallback(db, appRef);

    const written = await record(ids[0] ?? '', {}, false);

    expect(written).toEqual(ids);
    expect(await eventsOf(appRef)).toEqual([]);
  });
});

describe('what is told of tokens', () => {
  test('is that one was deactivated, of each device that had it', async () => {
    const { db } = database;
    const scope = await makeScope(db);
    await makeCallback(db, scope.appRef);
    const [one, other] = [
      await makeDevice(db, scope.appRef, { pushToken: 'aa'.repeat(32) }),
      await makeDevice(db, scope.appRef, { pushToken: 'aa'.repeat(32) }),
    ];
    await noteTokenFaults(db, [
      {
        scope,
        deviceId: one.id,
        pushTokenHash: createHash('sha256').update(one.pushToken).digest(),
        reason: 'Unregistered',
        kind: 'dead',
        invalidSince: new Date(),
      },
    ]);
    await sql`UPDATE token_faults SET noted_at = now() - interval '2 minutes' WHERE app_ref = ${scope.appRef}`.execute(
      db,
    );

    expect(await applyRipeFaults(db, scope, 'dead')).toBe(2);

    const told = await toldAs(scope.appRef);
    expect(told).toEqual(
      expect.arrayContaining(
        [one, other].map((device) => ({
          type: 'device.token_deactivated',
          data: {
            deviceId: device.id,
            activationId: device.activationId,
            userId: device.userId,
            platform: 'ios',
            reason: 'Unregistered',
          },
        })),
      ),
    );
    expect(told).toHaveLength(2);
  });
});

describe('what is told of runs', () => {
  async function makeRunOf(users: number, changes = {}) {
    const { db } = database;
    const appRef = await makeApp(db);
    await makeCallback(db, appRef);
    const userIds = [];
    for (let n = 0; n < users; n += 1) userIds.push((await makeDevice(db, appRef)).userId);
    const runId = await makeRun(db, await makeCampaign(db, appRef, userIds), changes);
    return { appRef, runId };
  }

  async function sendAll(runId: string): Promise<void> {
    const { db } = database;
    while (await freezePage(db, runId, 1));
    await countUsers(db, runId);
    for (;;) {
      const chunk = await claimChunk(db, runId, LEASE_MS);
      if (chunk === undefined) return;
      const devices = chunk.outcomes.length;
      const outcomes = Buffer.alloc(devices, 1);
      const changes = new Map([[1, devices]]);
      const done = {
        ...chunk,
        outcomes,
        changes,
        exceptions: [],
        release: { kind: 'done' },
      } as const;
      await recordCheckpoints(db, [done], 0);
    }
  }

  test('are its start and its end, with the counts', async () => {
    const { appRef, runId } = await makeRunOf(3);

    await sendAll(runId);
    await finishRun(database.db, runId);
    await finishRun(database.db, runId);

    const [started, completed, ...more] = await toldAs(appRef);
    expect(started).toMatchObject({ type: 'run.started', data: { runId, counts: {} } });
    expect(completed).toEqual({
      type: 'run.completed',
      data: {
        runId,
        campaignId: expect.any(Number),
        state: 'completed',
        reason: null,
        dryRun: false,
        counts: {
          ios: {
            targeted: 3,
            sent: 3,
            failed: 0,
            expired: 0,
            skipped: 0,
            pending: 0,
            ambiguous: 0,
          },
        },
      },
    });
    expect(more).toEqual([]);
  });

  test('are what operators do, and the end of what was cancelled', async () => {
    const { appRef, runId } = await makeRunOf(0);

    for (const verb of ['pause', 'rate', 'resume', 'cancel'] as const)
      await controlStoredRun(database.db, runId, verb, null);
    await finishRun(database.db, runId);

    expect((await toldAs(appRef)).map(({ type, data }) => [type, data['state']])).toEqual([
      ['run.started', 'materialising'],
      ['run.paused', 'paused'],
      ['run.resumed', 'materialising'],
      ['run.cancelled', 'cancelled'],
      ['run.settled', 'cancelled'],
    ]);
  });

  test('are in the order in which they happened, though the end waited for a control', async () => {
    const { db } = database;
    const { appRef, runId } = await makeRunOf(0);
    while (await freezePage(db, runId, 1));
    await countUsers(db, runId);
    const controlling = await db.startTransaction().execute();
    await sql`SELECT FROM campaign_runs WHERE id = ${runId} FOR NO KEY UPDATE`.execute(controlling);
    const finishing = finishRun(db, runId);

    const waiting = await eventually(async () => {
      const { rows } = await sql<{ backendXid: string | null }>`
        SELECT backend_xid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
      expect(rows).toHaveLength(1);
      return rows;
    });
    await controlling.commit().execute();
    await finishing;

    // What waits has no number yet, so its event stands behind those of whom it waits for.
    expect(waiting).toEqual([{ backendXid: null }]);
    expect((await toldAs(appRef)).at(-1)).toMatchObject({ type: 'run.completed' });
  });

  test.each<['paused' | 'halted', RunReason]>([
    ['paused', 'canary'],
    ['halted', 'failure_rate'],
  ])('are that it was %s by itself', async (state, reason) => {
    const { appRef, runId } = await makeRunOf(0);

    await stopRun(database.db, runId, state, reason);
    await stopRun(database.db, runId, state, reason);

    expect((await toldAs(appRef)).slice(1)).toMatchObject([
      { type: `run.${state}`, data: { state, reason } },
    ]);
  });

  test('are that its time was over while it was paused', async () => {
    const { appRef, runId } = await makeRunOf(0, { validUntil: new Date(0) });
    await controlStoredRun(database.db, runId, 'pause');

    await haltExpired(database.db, runId);

    expect((await toldAs(appRef)).at(-1)).toMatchObject({
      type: 'run.halted',
      data: { state: 'halted', reason: 'expired' },
    });
  });
});

describe('reading', () => {
  test('passes over nothing that is committed late', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    const first = openDatabase(database.url, 1);
    const late = await first.startTransaction().execute();
    await insertPing(late, ownedBy(appRef), 1);

    await insertPing(db, ownedBy(appRef), 2);
    const before = await eventsOf(appRef);
    await late.commit().execute();
    const after = await eventsOf(appRef);

    // The second one is committed, and kept back all the same: the first stands before it.
    expect(before).toEqual([]);
    expect(after.map(({ data }) => data['callbackId'])).toEqual([1, 2]);
    await first.destroy();
  });

  test('goes on behind the last event of the page before', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    for (let n = 0; n < 5; n += 1) await insertPing(db, ownedBy(appRef), n);

    const first = await eventsOf(appRef, CALLBACKS_START, 2);
    const rest = await eventsOf(appRef, first.at(-1));

    expect([...first, ...rest].map(({ data }) => data['callbackId'])).toEqual([0, 1, 2, 3, 4]);
    expect(await eventsOf(appRef, rest.at(-1))).toEqual([]);
  });

  test('finds where those end that are too old', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    for (let n = 0; n < 5; n += 1) await insertPing(db, ownedBy(appRef), n);
    const events = await eventsOf(appRef);
    const oldIds = events.slice(0, 3).map(({ id }) => id);
    await sql`UPDATE callback_events SET created_at = now() - interval '1 day' WHERE id = ANY (${oldIds}::uuid[])`.execute(
      db,
    );
    const find = (limit: number) =>
      findEndOfOldEvents(
        db,
        ownedBy(appRef),
        CALLBACKS_START,
        new Date(Date.now() - 3_600_000),
        limit,
      );

    const [third] = events.slice(2);
    expect(await find(100)).toMatchObject({ xid: third?.xid, id: third?.id, count: 3 });
    expect(await find(2)).toMatchObject({ count: 2 });
    expect(
      await findEndOfOldEvents(db, ownedBy(appRef), third ?? CALLBACKS_START, new Date(0), 100),
    ).toBeUndefined();
  });
});

describe('retention', () => {
  test('drops the days that are over, and old rows of the default partition', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    const longAgo = new Date('2020-01-10T12:00:00Z');
    await createPartitions(db, longAgo);
    await insertPing(db, ownedBy(appRef), 1);
    for (const at of ['2020-01-10T13:00:00Z', '2019-06-01T00:00:00Z'])
      await db
        .insertInto('callbackEvents')
        .values({
          ...ownedBy(appRef),
          id: toUuidFloor(Date.parse(at)),
          type: 'ping',
          data: '{}',
          createdAt: new Date(at),
        })
        .execute();

    const dropped = await dropOldCallbackEvents(db, new Date(), 1000);

    // Yesterday's of then and those of the week after.
    expect(dropped).toBe(9);
    expect((await eventsOf(appRef)).map(({ data }) => data)).toEqual([{ callbackId: 1 }]);
    expect(await dropOldCallbackEvents(db, new Date(), 1000)).toBe(0);
  });
});
