import { toDeliveryId } from '@heliograph/core';
import { oweMessage, toSentUpdate, useTestDatabase } from '@heliograph/testing';

import {
  claimDue,
  listOverdue,
  recordUpdates,
  releaseLeases,
  renewLeases,
  type DeliveryUpdate,
} from './deliveries.ts';
import { listDeliveries } from './messages.ts';
import {
  liftPause,
  NO_CREDENTIAL,
  openPause,
  startProbes,
  wakeCredentialed,
  wakeLifted,
} from './pauses.ts';

const LEASE_MS = 60_000;

const database = useTestDatabase();

const owe = (devices?: number) => oweMessage(database.db, devices);

describe('claiming', () => {
  test('brings all that is needed to send, and takes a lease', async () => {
    const { ids } = await owe();

    const [claimed] = await claimDue(database.db, ids, LEASE_MS);

    expect(claimed).toMatchObject({
      id: ids[0],
      provider: 'apns',
      attempts: 0,
      leaseEpoch: 1,
      firstAttemptAt: null,
      body: { title: 'Hello' },
      expiresAt: expect.any(Date),
      claimedAt: expect.any(Date),
      device: { activationActive: true, tokenDeactivated: false },
      credential: { version: expect.any(Number), environment: null },
      pauses: null,
    });
  });

  test('gives each delivery to one of many who ask at once', async () => {
    const { ids } = await owe(20);

    const claims = await Promise.all(
      Array.from({ length: 10 }, () => claimDue(database.db, ids, LEASE_MS)),
    );

    expect(claims.flatMap((claim) => claim.map((d) => d.id)).toSorted()).toEqual(ids);
  });

  test('passes over what is leased, final, or due later', async () => {
    const { db } = database;
    const { ids } = await owe(3);
    const [leased, final, later] = ids as [string, string, string];
    await claimDue(db, [leased], LEASE_MS);
    await claimDue(db, [final, later], LEASE_MS);
    await recordUpdates(db, [
      toSentUpdate(final, 1),
      {
        ...toSentUpdate(later, 1),
        state: 'pending',
        nextAttemptAt: new Date(Date.now() + 60_000),
      },
    ]);

    expect(await claimDue(db, ids, LEASE_MS)).toEqual([]);
  });

  test('takes over a lease that ran out, with the next epoch', async () => {
    const { ids } = await owe();
    await claimDue(database.db, ids, 0);

    const [second] = await claimDue(database.db, ids, LEASE_MS);

    expect(second?.leaseEpoch).toBe(2);
  });

  test('says when the device or the credential is gone', async () => {
    const { db } = database;
    const { ids, appRef } = await owe();
    await db.deleteFrom('devices').where('appRef', '=', appRef).execute();
    await db.deleteFrom('credentials').where('appRef', '=', appRef).execute();

    expect(await claimDue(db, ids, LEASE_MS)).toMatchObject([{ device: null, credential: null }]);
  });
});

describe('recording', () => {
  test('writes outcome, attempt and history, once', async () => {
    const { db } = database;
    const { ids, messageId } = await owe();
    const id = toDeliveryId(messageId, 1);
    await claimDue(db, ids, LEASE_MS);

    const written = await recordUpdates(db, [toSentUpdate(id, 1)]);
    const again = await recordUpdates(db, [toSentUpdate(id, 1)]);

    expect([written, again]).toEqual([[id], []]);
    expect(await listDeliveries(db, messageId)).toMatchObject([
      {
        state: 'sent',
        attempts: 1,
        providerMessageId: 'p1',
        nextAttemptAt: null,
        leaseUntil: null,
        finishedAt: expect.any(Date),
        history: [{ outcome: 'sent', endpoint: 'host' }],
      },
    ]);
  });

  test('of somebody who lost the lease changes nothing', async () => {
    const { db } = database;
    const { ids, messageId } = await owe();
    await claimDue(db, ids, 0);
    await claimDue(db, ids, LEASE_MS);

    expect(await recordUpdates(db, [toSentUpdate(ids[0] ?? '', 1)])).toEqual([]);
    expect(await listDeliveries(db, messageId)).toMatchObject([{ state: 'pending', attempts: 0 }]);
  });
});

describe('recording again', () => {
  test('what was written, but whose answer got lost, counts no attempt twice', async () => {
    const { db } = database;
    const { ids, messageId } = await owe();
    await claimDue(db, ids, LEASE_MS);
    const retry: DeliveryUpdate = {
      ...toSentUpdate(ids[0] ?? '', 1),
      state: 'pending',
      reason: 'timeout',
      ambiguous: true,
      nextAttemptAt: new Date(Date.now() + 60_000),
    };

    await recordUpdates(db, [retry]);
    expect(await recordUpdates(db, [retry])).toEqual([]);

    const [delivery] = await listDeliveries(db, messageId);
    expect(delivery).toMatchObject({ attempts: 1, ambiguousAttempts: 1 });
    expect(delivery?.history).toHaveLength(1);
  });

  test('an attempt more than a small number can count is no error', async () => {
    const { db } = database;
    const { ids, messageId } = await owe();
    await db.updateTable('deliveries').set({ attempts: 32_767 }).where('id', 'in', ids).execute();
    await claimDue(db, ids, LEASE_MS);

    await recordUpdates(db, [toSentUpdate(ids[0] ?? '', 1)]);

    expect(await listDeliveries(db, messageId)).toMatchObject([
      { state: 'sent', attempts: 32_768 },
    ]);
  });
});

describe('the first attempt', () => {
  test('is the first that counted: a pause is none', async () => {
    const { db } = database;
    const { ids } = await owe();
    const [attempt] = [toSentUpdate('', 1).attempt];
    const history = JSON.stringify([
      { ...attempt, at: '2026-11-23T01:00:00.000Z', outcome: 'pause' },
      { ...attempt, at: '2026-11-23T05:00:00.000Z', outcome: 'retry' },
    ]);
    await db.updateTable('deliveries').set({ history }).where('id', 'in', ids).execute();

    expect(await claimDue(db, ids, LEASE_MS)).toMatchObject([
      { firstAttemptAt: '2026-11-23T05:00:00.000Z' },
    ]);
  });
});

describe('leases', () => {
  test('are renewed by their holder only, and only while they last', async () => {
    const { db } = database;
    const [held, lost] = [await owe(), await owe()];
    await claimDue(db, held.ids, LEASE_MS);
    await claimDue(db, lost.ids, 0);

    const renewed = await renewLeases(
      db,
      [...held.ids, ...lost.ids].map((id) => ({ id, leaseEpoch: 1 })),
      LEASE_MS,
    );
    const stranger = await renewLeases(db, [{ id: held.ids[0] ?? '', leaseEpoch: 7 }], LEASE_MS);

    expect(renewed).toEqual(held.ids);
    expect(stranger).toEqual([]);
  });

  test('given back, the delivery is due for whoever comes first', async () => {
    const { db } = database;
    const { ids } = await owe();
    await claimDue(db, ids, LEASE_MS);

    await releaseLeases(db, [{ id: ids[0] ?? '', leaseEpoch: 1 }]);

    expect(await claimDue(db, ids, LEASE_MS)).toMatchObject([{ leaseEpoch: 2 }]);
  });
});

const listOverdueIds = async (...query: Parameters<typeof listOverdue>) =>
  (await listOverdue(...query)).map(({ id }) => id);

describe('what the sweep finds', () => {
  test('is owed, due and held by nobody; a new one is left to its job for a while', async () => {
    const { db } = database;
    const [fresh, abandoned, leased] = [await owe(), await owe(), await owe()];
    await claimDue(db, abandoned.ids, 0);
    await claimDue(db, leased.ids, LEASE_MS);

    const soon = await listOverdueIds(db, 1000, 60_000);
    const late = await listOverdueIds(db, 1000, 0);

    expect(soon).toEqual(expect.arrayContaining(abandoned.ids));
    expect(soon).not.toEqual(expect.arrayContaining(fresh.ids));
    expect(late).toEqual(expect.arrayContaining([...fresh.ids, ...abandoned.ids]));
    expect(late).not.toEqual(expect.arrayContaining(leased.ids));
  });

  test('says why: nobody claimed it, its lease was lost, or it is due again', async () => {
    const { db } = database;
    const [unclaimed, lost, again] = [await owe(), await owe(), await owe()];
    await claimDue(db, lost.ids, 0);
    await claimDue(db, again.ids, LEASE_MS);
    await releaseLeases(db, [{ id: again.ids[0] ?? '', leaseEpoch: 1 }]);

    const overdue = new Map((await listOverdue(db, 1000, 0)).map(({ id, why }) => [id, why]));

    expect([unclaimed, lost, again].map(({ ids }) => overdue.get(ids[0] ?? ''))).toEqual([
      'unclaimed',
      'lease_lost',
      'due_again',
    ]);
  });
});

describe('a pause', () => {
  async function hold(count: number) {
    const { db } = database;
    const owed = await owe(count);
    const claimed = await claimDue(db, owed.ids, LEASE_MS);
    const scope = {
      appRef: owed.appRef,
      provider: 'apns',
      environment: 'production',
      credentialVersion: claimed[0]?.credential?.version ?? 0,
    } as const;
    const pauseId = await openPause(db, scope, 'credential', 'InvalidProviderToken');
    const updates = claimed.map((d): DeliveryUpdate => ({
      ...toSentUpdate(d.id, 1),
      state: 'pending',
      nextAttemptAt: d.expiresAt,
      pauseId: pauseId ?? null,
      attemptBurned: false,
      providerMessageId: null,
      attempt: null,
    }));
    return { ...owed, scope, pauseId: pauseId ?? 0, updates };
  }

  test('holds its deliveries until it is lifted; then they are due', async () => {
    const { db } = database;
    const { ids, pauseId, updates, messageId } = await hold(3);
    await recordUpdates(db, updates);
    expect(await listOverdueIds(db, 1000, 0)).not.toEqual(expect.arrayContaining(ids));

    expect(await liftPause(db, pauseId)).toBe(true);
    await wakeLifted(db, 1000);

    expect(await listOverdueIds(db, 1000, 0)).toEqual(expect.arrayContaining(ids));
    expect(await listDeliveries(db, messageId)).toMatchObject([
      { pauseId: null, attempts: 0 },
      { pauseId: null, attempts: 0 },
      { pauseId: null, attempts: 0 },
    ]);
    expect(await liftPause(db, pauseId)).toBe(false);
  });

  test('that was lifted before the outcome was written holds nothing', async () => {
    const { db } = database;
    const { ids, pauseId, updates } = await hold(1);

    await liftPause(db, pauseId);
    await recordUpdates(db, updates);

    expect(await listOverdueIds(db, 1000, 0)).toEqual(expect.arrayContaining(ids));
  });

  test('is one however many ask for it, and none for a credential that was replaced', async () => {
    const { db } = database;
    const { scope, pauseId } = await hold(1);

    expect(await openPause(db, scope, 'credential', 'again')).toBe(pauseId);
    expect(
      await openPause(db, { ...scope, credentialVersion: scope.credentialVersion + 1 }, 'app', 'x'),
    ).toBeUndefined();
  });

  test('lets one delivery through when a probe is due', async () => {
    const { db } = database;
    const { ids, pauseId, updates } = await hold(3);
    await recordUpdates(db, updates);
    await db
      .updateTable('pauses')
      .set({ probeAt: new Date(0) })
      .where('id', '=', pauseId)
      .execute();

    const probes = (await startProbes(db)).filter((id) => ids.includes(id));

    expect(probes).toHaveLength(1);
    expect(await claimDue(db, ids, LEASE_MS)).toMatchObject([
      { id: probes[0], pauses: [{ id: pauseId, probeDeliveryId: probes[0] }] },
    ]);
    expect((await startProbes(db)).filter((id) => ids.includes(id))).toEqual([]);
  });

  test('waits with its probe for something to try it out on', async () => {
    const { db } = database;
    const { ids, pauseId, updates } = await hold(1);
    const probeAt = new Date(0);
    await db.updateTable('pauses').set({ probeAt }).where('id', '=', pauseId).execute();
    await startProbes(db);

    await recordUpdates(db, updates);

    expect(await startProbes(db)).toEqual(ids);
  });

  test('of one app does not keep the deliveries of another asleep', async () => {
    const { db } = database;
    const many = await hold(6);
    const few = await hold(1);
    await recordUpdates(db, [...many.updates, ...few.updates]);
    await liftPause(db, many.pauseId);
    await liftPause(db, few.pauseId);

    await wakeLifted(db, 4);

    expect(await listOverdueIds(db, 1000, 0)).toEqual(expect.arrayContaining(few.ids));
  });
});

describe('a delivery without a credential', () => {
  test('is due when there is one again, a few at a time', async () => {
    const { db } = database;
    const owed = await owe(3);
    const { appRef, ids } = owed;
    const removed = await db
      .deleteFrom('credentials')
      .where('appRef', '=', appRef)
      .returningAll()
      .execute();
    await claimDue(db, ids, LEASE_MS);
    await recordUpdates(
      db,
      ids.map((id) => ({
        ...toSentUpdate(id, 1),
        state: 'pending',
        reason: NO_CREDENTIAL,
        nextAttemptAt: new Date(Date.now() + 300_000),
        attempt: null,
      })),
    );
    expect(await wakeCredentialed(db, 1000)).toBe(0);

    for (const { version: _, settings, ...credential } of removed)
      await db
        .insertInto('credentials')
        .values({ ...credential, settings: JSON.stringify(settings) })
        .execute();

    expect(await wakeCredentialed(db, 2)).toBe(2);
    expect(await wakeCredentialed(db, 2)).toBe(1);
    expect(await listOverdueIds(db, 1000, 0)).toEqual(expect.arrayContaining(ids));
  });
});
