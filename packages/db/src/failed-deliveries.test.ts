import { oweMessage, planOf, toSentUpdate, useTestDatabase } from '@heliograph/testing';

import { claimDue, recordUpdates } from './deliveries.ts';
import {
  listFailedDeliveries,
  listReplayable,
  replayDeliveries,
  type FailedQuery,
} from './failed-deliveries.ts';
import { countOutcomes, listDeliveries } from './messages.ts';

const database = useTestDatabase({ poolSize: 10 });

const LEASE_MS = 60_000;

/** A message to so many devices; every delivery of it has failed after two attempts, one of which was never answered. */
async function fail(devices = 1) {
  const { db } = database;
  const message = await oweMessage(db, devices);
  const claimed = await claimDue(db, message.ids, LEASE_MS);
  await recordUpdates(
    db,
    claimed.map(({ id, leaseEpoch }) => ({
      ...toSentUpdate(id, leaseEpoch),
      state: 'pending',
      reason: 'timeout',
      nextAttemptAt: new Date(0),
      ambiguous: true,
      providerMessageId: null,
    })),
  );
  const again = await claimDue(db, message.ids, LEASE_MS);
  await recordUpdates(
    db,
    again.map(({ id, leaseEpoch }) => ({
      ...toSentUpdate(id, leaseEpoch),
      state: 'failed',
      reason: 'PayloadTooLarge',
      providerMessageId: null,
    })),
  );
  return message;
}

function queryOf(appRef: number): FailedQuery {
  return {
    cause: { appRef, provider: 'apns', state: 'failed', reason: 'PayloadTooLarge' },
    since: new Date(0),
    until: new Date('2100-01-01T00:00:00Z'),
    after: undefined,
    limit: 100,
  };
}

async function replay(appRef: number) {
  const terms = { includeAmbiguous: true, validUntil: undefined };
  const found = await listReplayable(database.db, queryOf(appRef), terms);
  return replayDeliveries(database.db, found, undefined);
}

describe('a delivery that is put back', () => {
  test('is judged anew, and its attempts go on counting', async () => {
    const { db } = database;
    const { appRef, ids, messageId } = await fail();

    await replay(appRef);
    const [claimed] = await claimDue(db, ids, LEASE_MS);
    await recordUpdates(db, [toSentUpdate(claimed?.id ?? '', claimed?.leaseEpoch ?? 0)]);

    expect(claimed).toMatchObject({ attempts: 0, ambiguousAttempts: 0, firstAttemptAt: null });
    expect(await listDeliveries(db, messageId)).toMatchObject([
      { state: 'sent', attempts: 3, ambiguousAttempts: 1, history: [{}, {}, {}] },
    ]);
  });

  test('has its first attempt after that', async () => {
    const { db } = database;
    const { appRef, ids } = await fail();
    await replay(appRef);
    const [claimed] = await claimDue(db, ids, LEASE_MS);
    const sent = toSentUpdate(claimed?.id ?? '', claimed?.leaseEpoch ?? 0);
    const at = new Date(Date.now() + 1000).toISOString();
    await recordUpdates(db, [
      {
        ...sent,
        state: 'pending',
        reason: 'ServiceUnavailable',
        nextAttemptAt: new Date(0),
        providerMessageId: null,
        attempt: sent.attempt && { ...sent.attempt, at, outcome: 'retry' },
      },
    ]);

    const [again] = await claimDue(db, ids, LEASE_MS);

    expect(again).toMatchObject({ attempts: 1, firstAttemptAt: at });
  });

  test('is in one state at every moment, while others replay and others send', async () => {
    const { db } = database;
    const { appRef, ids, messageId } = await fail(8);
    const send = async () => {
      const claimed = await claimDue(db, ids, LEASE_MS);
      await recordUpdates(
        db,
        claimed.map(({ id, leaseEpoch }) => toSentUpdate(id, leaseEpoch)),
      );
      return claimed.length;
    };

    const replays = Array.from({ length: 10 }, () => replay(appRef));
    const sums = Array.from({ length: 10 }, () => countOutcomes(db, [messageId]));
    const replayed = (await Promise.all(replays)).flat();
    let sent = 0;
    for (let more = await send(); more > 0; more = await send()) sent += more;

    for (const counts of await Promise.all(sums))
      expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(8);
    expect([replayed.length, new Set(replayed).size, sent]).toEqual([8, 8, 8]);
  });
});

test('those of a cause are found by the index of failures, and by nothing else', async () => {
  const { appRef } = await fail();

  const plan = await planOf(database.db, (db) => listFailedDeliveries(db, queryOf(appRef)));

  expect(plan).toContain('app_ref_provider_state_reason_finished');
  expect(plan).not.toMatch(/Seq Scan on deliveries_p/);
});
