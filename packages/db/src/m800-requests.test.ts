import { randomUUID } from 'node:crypto';

import { createMessageId } from '@heliograph/core';
import { makeApp, makeDevice, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { insertInboxMessage } from './inbox.ts';
import {
  deleteOldNonces,
  findM800Request,
  insertM800Request,
  isKnownReceiver,
  useNonce,
} from './m800-requests.ts';

const database = useTestDatabase();
let nextKey = 1;

describe('useNonce', () => {
  const use = (developerKeyRef: number, nonce: string) =>
    useNonce(database.db, { developerKeyRef, nonce, requestId: null });

  test('takes a nonce once per developer key', async () => {
    const [key, other] = [nextKey++, nextKey++];

    const answers = [
      await use(key, 'n'),
      await use(key, 'n'),
      await use(key, 'm'),
      await use(other, 'n'),
    ];

    expect(answers).toEqual([true, false, true, true]);
  });

  test('gives a nonce back with the transaction that failed, to one that waited for it', async () => {
    const key = nextKey++;
    const lines: string[] = [];
    let second: Promise<boolean> | undefined;

    await database.db
      .transaction()
      .execute(async (tx) => {
        await useNonce(tx, { developerKeyRef: key, nonce: 'n', requestId: null });
        second = use(key, 'n').finally(() => lines.push('second'));
        await waitUntilSomebodyWaits();
        lines.push('failed');
        throw new Error('the process died here');
      })
      .catch(() => undefined);

    expect(await second).toBe(true);
    expect(lines).toEqual(['failed', 'second']);
  });

  test('refuses it to those who waited when the first has committed', async () => {
    const key = nextKey++;

    const answers = await Promise.all(Array.from({ length: 8 }, () => use(key, 'n')));

    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  /** A lock that is not granted shows in the server's own list. */
  async function waitUntilSomebodyWaits(): Promise<void> {
    for (;;) {
      const { rows } = await sql`
        SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE NOT granted AND a.datname = current_database()`.execute(database.db);
      if (rows.length > 0) return;
    }
  }
});

describe('deleteOldNonces', () => {
  test('forgets those of over three hours, and no other', async () => {
    const key = nextKey++;
    for (const nonce of ['old', 'new'])
      await useNonce(database.db, { developerKeyRef: key, nonce, requestId: null });
    await database.db
      .updateTable('developerNonces')
      .set({ createdAt: new Date(Date.now() - 3 * 3_600_000 - 60_000) })
      .where('developerKeyRef', '=', key)
      .where('nonce', '=', 'old')
      .execute();

    const gone = await deleteOldNonces(database.db, 100);

    const left = await database.db
      .selectFrom('developerNonces')
      .select('nonce')
      .where('developerKeyRef', '=', key)
      .execute();
    expect(gone).toBe(1);
    expect(left).toEqual([{ nonce: 'new' }]);
  });
});

describe('isKnownReceiver', () => {
  test('knows who has a device or a message in the app, and nobody else', async () => {
    const { db } = database;
    const [appRef, other] = [await makeApp(db), await makeApp(db)];
    const { userId: withDevice } = await makeDevice(db, appRef);
    const withMessage = randomUUID();
    await insertInboxMessage(db, {
      id: randomUUID(),
      userId: withMessage,
      appRefs: [appRef],
      type: 'text',
      subject: 's',
      summary: 's',
      body: 'b',
    });

    const known = await Promise.all([
      isKnownReceiver(db, appRef, withDevice),
      isKnownReceiver(db, appRef, withMessage),
      isKnownReceiver(db, appRef, 'nobody'),
      isKnownReceiver(db, other, withDevice),
      isKnownReceiver(db, other, withMessage),
    ]);

    expect(known).toEqual([true, true, false, false, false]);
  });
});

describe('findM800Request', () => {
  test('finds a request for the developer key that made it, in the partition of its day', async () => {
    const { db } = database;
    const [developerKeyRef, id] = [nextKey++, createMessageId(Date.now())];
    await insertM800Request(db, { id, developerKeyRef, userId: 'u', carrier: 'c', pushed: true });

    const found = await findM800Request(db, developerKeyRef, id);
    const foundByOther = await findM800Request(db, nextKey++, id);

    const { rows } = await sql`SELECT 1 FROM m800_requests_default`.execute(db);
    expect(found).toMatchObject({ id, userId: 'u', carrier: 'c', pushed: true, readAt: null });
    expect(foundByOther).toBeUndefined();
    expect(rows).toEqual([]);
  });
});
