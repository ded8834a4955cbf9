import { claimDue, createCallbackAudience, listDeliveries, openDatabase } from '@heliograph/db';
import { oweMessage, toSentUpdate, useTestDatabase } from '@heliograph/testing';

import { createLeaseBook } from './lease-book.ts';
import { createRecorder } from './recorder.ts';

const database = useTestDatabase();

async function claimOne() {
  const { appRef, messageId, ids } = await oweMessage(database.db);
  const [id = ''] = ids;
  await claimDue(database.db, [id], 60_000);
  return { appRef, messageId, update: toSentUpdate(id, 1) };
}

function open(db = database.db) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const clockMs = () => performance.now();
  const leases = createLeaseBook({
    renew: () => Promise.resolve([]),
    clockMs,
    onError,
    leaseMs: 60_000,
  });
  leases.close();
  const audience = createCallbackAudience({ db, onError });
  const recorder = createRecorder({ db, leases, audience, onRecorded: () => undefined, onError });
  return { recorder, errors };
}

describe('the recorder', () => {
  test('writes everybody else’s outcomes though the database refuses one for ever', async () => {
    const { recorder, errors } = open();
    const bad = await claimOne();
    const good = await claimOne();

    // PostgreSQL takes no NUL.
    const providerMessageId = 'a\u0000b';
    await Promise.all([
      recorder.record({
        update: { ...bad.update, providerMessageId },
        appRef: bad.appRef,
        provider: 'apns',
        awaitedMessageId: undefined,
      }),
      recorder.record({ ...good, provider: 'apns', awaitedMessageId: undefined }),
    ]);

    expect(await listDeliveries(database.db, good.messageId)).toMatchObject([{ state: 'sent' }]);
    // What was sent is known to be sent, even where its details can't be written.
    expect(await listDeliveries(database.db, bad.messageId)).toMatchObject([
      { state: 'sent', attempts: 1, providerMessageId: null },
    ]);
    expect(errors.length).toBeGreaterThan(0);
    await recorder.close();
  });

  test('keeps outcomes while the database is away', async () => {
    const nobody = openDatabase('postgres://nobody@127.0.0.1:1/nothing', 1);
    const { recorder, errors } = open(nobody);
    const { update, appRef } = await claimOne();
    let recorded = false;

    void recorder
      .record({ update, appRef, provider: 'apns', awaitedMessageId: undefined })
      .then(() => (recorded = true));
    await new Promise((resolve) => setTimeout(resolve, 700));

    expect(errors.length).toBeGreaterThan(0);
    expect(recorded).toBe(false);
    await recorder.close();
    await nobody.destroy();
  });
});
