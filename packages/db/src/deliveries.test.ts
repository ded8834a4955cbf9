import { toDeliveryId } from '@heliograph/core';
import {
  makeApp,
  makeDevice,
  openTestDatabase,
  toMessage,
  type TestDatabase,
} from '@heliograph/testing';

import {
  claimDue,
  listOverdue,
  recordUpdates,
  releaseLeases,
  renewLeases,
  type DeliveryUpdate,
} from './deliveries.ts';
import { insertMessages, listDeliveries } from './messages.ts';
import { liftPause, openPause, startProbes, wakeLifted } from './pauses.ts';

const LEASE_MS = 60_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** A message with so many deliveries, and their ids. */
async function owe(count: number): Promise<{ messageId: string; ids: string[]; appRef: number }> {
  const { db } = database;
  const appRef = await makeApp(db);
  const { userId } = await makeDevice(db, appRef);
  for (let n = 1; n < count; n += 1) await makeDevice(db, appRef, { userId });
  const message = toMessage(appRef, userId);
  const stored = await insertMessages(db, [message]);
  return { messageId: message.id, ids: stored.map((d) => d.id).toSorted(), appRef };
}

function toSent(id: string, leaseEpoch: number): DeliveryUpdate {
  return {
    id,
    leaseEpoch,
    state: 'sent',
    reason: null,
    nextAttemptAt: null,
    pauseId: null,
    attemptBurned: true,
    ambiguous: false,
    providerMessageId: 'p1',
    attempt: {
      at: '2026-11-23T06:00:00.000Z',
      outcome: 'sent',
      endpoint: 'host',
      environment: '',
      credentialVersion: 1,
      latencyMs: 1,
    },
  };
}

describe('claiming', () => {
  test('brings all that is needed to send, and takes a lease', async () => {
    const { ids } = await owe(1);

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
      toSent(final, 1),
      {
        ...toSent(later, 1),
        state: 'pending',
        nextAttemptAt: new Date(Date.now() + 60_000),
      },
    ]);

    expect(await claimDue(db, ids, LEASE_MS)).toEqual([]);
  });

  test('takes over a lease that ran out, with the next epoch', async () => {
    const { ids } = await owe(1);
    await claimDue(database.db, ids, 0);

    const [second] = await claimDue(database.db, ids, LEASE_MS);

    expect(second?.leaseEpoch).toBe(2);
  });

  test('says when the device or the credential is gone', async () => {
    const { db } = database;
    const { ids, appRef } = await owe(1);
    await db.deleteFrom('devices').where('appRef', '=', appRef).execute();
    await db.deleteFrom('credentials').where('appRef', '=', appRef).execute();

    expect(await claimDue(db, ids, LEASE_MS)).toMatchObject([{ device: null, credential: null }]);
  });
});

describe('recording', () => {
  test('writes outcome, attempt and history, once', async () => {
    const { db } = database;
    const { ids, messageId } = await owe(1);
    const id = toDeliveryId(messageId, 1);
    await claimDue(db, ids, LEASE_MS);

    const written = await recordUpdates(db, [toSent(id, 1)]);
    const again = await recordUpdates(db, [toSent(id, 1)]);

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
    const { ids, messageId } = await owe(1);
    await claimDue(db, ids, 0);
    await claimDue(db, ids, LEASE_MS);

    expect(await recordUpdates(db, [toSent(ids[0] ?? '', 1)])).toEqual([]);
    expect(await listDeliveries(db, messageId)).toMatchObject([{ state: 'pending', attempts: 0 }]);
  });
});

describe('leases', () => {
  test('are renewed by their holder only, and only while they last', async () => {
    const { db } = database;
    const [held, lost] = [await owe(1), await owe(1)];
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
    const { ids } = await owe(1);
    await claimDue(db, ids, LEASE_MS);

    await releaseLeases(db, [{ id: ids[0] ?? '', leaseEpoch: 1 }]);

    expect(await claimDue(db, ids, LEASE_MS)).toMatchObject([{ leaseEpoch: 2 }]);
  });
});

describe('what the sweep finds', () => {
  test('is owed, due and held by nobody; a new one is left to its job for a while', async () => {
    const { db } = database;
    const [fresh, abandoned, leased] = [await owe(1), await owe(1), await owe(1)];
    await claimDue(db, abandoned.ids, 0);
    await claimDue(db, leased.ids, LEASE_MS);

    const soon = await listOverdue(db, 1000, 60_000);
    const late = await listOverdue(db, 1000, 0);

    expect(soon).toEqual(expect.arrayContaining(abandoned.ids));
    expect(soon).not.toEqual(expect.arrayContaining(fresh.ids));
    expect(late).toEqual(expect.arrayContaining([...fresh.ids, ...abandoned.ids]));
    expect(late).not.toEqual(expect.arrayContaining(leased.ids));
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
      ...toSent(d.id, 1),
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
    expect(await listOverdue(db, 1000, 0)).not.toEqual(expect.arrayContaining(ids));

    expect(await liftPause(db, pauseId)).toBe(true);
    await wakeLifted(db, 1000);

    expect(await listOverdue(db, 1000, 0)).toEqual(expect.arrayContaining(ids));
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

    expect(await listOverdue(db, 1000, 0)).toEqual(expect.arrayContaining(ids));
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
});
