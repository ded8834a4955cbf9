import { randomUUID } from 'node:crypto';

import { createMessageId } from '@heliograph/core';
import { makeApp, makeDevice, toMessage, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { findLastInboxSequence } from './inbox-news.ts';
import { findInboxMessage, insertInboxMessage } from './inbox.ts';
import {
  deleteOldNonces,
  findM800Request,
  insertM800Push,
  useNonce,
  type NewM800Push,
} from './m800-requests.ts';

const database = useTestDatabase();
let nextKey = 1;

describe('useNonce', () => {
  const use = (developerKeyRef: number, nonce: string) =>
    useNonce(database.db, { developerKeyRef, nonce });

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

  test('refuses it to those who waited when the first has committed', async () => {
    const key = nextKey++;

    const answers = await Promise.all(Array.from({ length: 8 }, () => use(key, 'n')));

    expect(answers.filter(Boolean)).toHaveLength(1);
  });
});

describe('deleteOldNonces', () => {
  test('forgets those of over three hours, and no other', async () => {
    const key = nextKey++;
    for (const nonce of ['old', 'new'])
      await useNonce(database.db, { developerKeyRef: key, nonce });
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

describe('insertM800Push', () => {
  test('stores the push under the nonce, and answers its deliveries', async () => {
    const { db } = database;
    const push = await toPush();

    const stored = await insertM800Push(db, push);

    const { id, developerKeyRef, nonce, userId } = push;
    const deliveries = await db
      .selectFrom('deliveries')
      .select(['id', 'messageId', 'provider', 'state'])
      .where('messageId', '=', id)
      .execute();
    expect(deliveries).toHaveLength(1);
    expect(stored).toEqual({ kind: 'stored', deliveries });
    expect(await findInboxMessage(db, id)).toMatchObject({ userId, sequence: 1 });
    expect(await findM800Request(db, developerKeyRef, id)).toMatchObject({ userId, pushed: true });
    expect(await noncesOf(developerKeyRef)).toEqual([{ nonce, requestId: id }]);
  });

  test('stores a message for the inbox alone, where nothing is to be pushed', async () => {
    const push = { ...(await toPush()), messages: [] };

    const stored = await insertM800Push(database.db, push);

    expect(stored).toEqual({ kind: 'stored', deliveries: [] });
    expect(await storedOf(push)).toEqual({ messages: 0, inbox: 1, requests: 1 });
  });

  test('stores nothing of a push whose nonce was used', async () => {
    const push = await toPush();
    const again = toRepeat(push);

    await insertM800Push(database.db, push);
    const stored = await insertM800Push(database.db, again);

    expect(stored).toEqual({ kind: 'nonce_used' });
    expect(await storedOf(again)).toEqual({ messages: 0, inbox: 0, requests: 0 });
    expect(await findLastInboxSequence(database.db, push.userId)).toBe(1);
  });

  test('knows who has a device or a message in the app, and uses no nonce for anybody else', async () => {
    const { db } = database;
    const push = { ...(await toPush()), messages: [] };
    const other = await makeApp(db);
    const withMessage = randomUUID();
    const appRefs = [push.appRef];
    await insertInboxMessage(db, {
      ...push.inboxMessage,
      id: randomUUID(),
      userId: withMessage,
      appRefs,
    });
    const to = (userId: string, appRef = push.appRef) =>
      insertM800Push(db, {
        ...toRepeat(push),
        nonce: randomUUID(),
        appRef,
        userId,
        inboxMessage: { ...push.inboxMessage, id: randomUUID(), userId },
      });

    const answers = [
      await to(push.userId),
      await to(withMessage),
      await to('nobody'),
      await to(push.userId, other),
      await to(withMessage, other),
    ];

    expect(answers.map(({ kind }) => kind)).toEqual([
      'stored',
      'stored',
      'unknown_receiver',
      'unknown_receiver',
      'unknown_receiver',
    ]);
    expect(await noncesOf(push.developerKeyRef)).toHaveLength(2);
  });

  test('gives a nonce back with the transaction that failed, to one that waited for it', async () => {
    const push = await toPush();
    const again = toRepeat(push);
    const lines: string[] = [];
    let second: Promise<unknown> | undefined;

    await database.db
      .transaction()
      .execute(async (tx) => {
        await insertM800Push(tx, push);
        second = insertM800Push(database.db, again).finally(() => lines.push('second'));
        await waitUntilSomebodyWaits();
        lines.push('failed');
        throw new Error('the process died here');
      })
      .catch(() => undefined);

    expect(await second).toMatchObject({ kind: 'stored' });
    expect(lines).toEqual(['failed', 'second']);
    expect(await storedOf(push)).toEqual({ messages: 0, inbox: 0, requests: 0 });
    expect(await storedOf(again)).toEqual({ messages: 1, inbox: 1, requests: 1 });
  });

  test('stores one of those that come with the same nonce at once', async () => {
    const push = await toPush();
    const pushes = Array.from({ length: 8 }, () => toRepeat(push));

    const answers = await Promise.all(pushes.map((one) => insertM800Push(database.db, one)));

    expect(answers.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
    expect(await findLastInboxSequence(database.db, push.userId)).toBe(1);
  });

  test('numbers those to one user, sent at once, without gap', async () => {
    const push = await toPush();
    const pushes = Array.from({ length: 8 }, () => ({ ...toRepeat(push), nonce: randomUUID() }));

    const answers = await Promise.all(pushes.map((one) => insertM800Push(database.db, one)));

    expect(answers.filter(({ kind }) => kind === 'stored')).toHaveLength(8);
    expect(await findLastInboxSequence(database.db, push.userId)).toBe(8);
  });

  /** To a user with one device. */
  async function toPush(): Promise<NewM800Push> {
    const appRef = await makeApp(database.db);
    const { userId } = await makeDevice(database.db, appRef);
    const id = createMessageId(Date.now());
    return {
      id,
      developerKeyRef: nextKey++,
      nonce: 'n',
      appRef,
      userId,
      carrier: 'c',
      messages: [{ ...toMessage(appRef, userId), id }],
      isHeard: false,
      inboxMessage: {
        id,
        userId,
        appRefs: [appRef],
        type: 'text',
        subject: 's',
        summary: 's',
        body: 'b',
      },
    };
  }

  /** The same request once more: with the same nonce, and an id of its own. */
  function toRepeat(push: NewM800Push): NewM800Push {
    const id = createMessageId(Date.now());
    return {
      ...push,
      id,
      messages: push.messages.map((message) => ({ ...message, id })),
      inboxMessage: { ...push.inboxMessage, id },
    };
  }

  async function storedOf({ id }: NewM800Push) {
    const { rows } = await sql<{ messages: number; inbox: number; requests: number }>`
      SELECT (SELECT count(*)::integer FROM messages WHERE id = ${id}::uuid) AS messages,
        (SELECT count(*)::integer FROM inbox_messages WHERE id = ${id}::uuid) AS inbox,
        (SELECT count(*)::integer FROM m800_requests WHERE id = ${id}::uuid) AS requests`.execute(
      database.db,
    );
    return rows[0];
  }

  function noncesOf(developerKeyRef: number) {
    return database.db
      .selectFrom('developerNonces')
      .select(['nonce', 'requestId'])
      .where('developerKeyRef', '=', developerKeyRef)
      .execute();
  }

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

describe('findM800Request', () => {
  test('finds a request for the developer key that made it, in the partition of its day', async () => {
    const { db } = database;
    const [developerKeyRef, id] = [nextKey++, createMessageId(Date.now())];
    await db
      .insertInto('m800Requests')
      .values({ id, developerKeyRef, userId: 'u', carrier: 'c', pushed: true })
      .execute();

    const found = await findM800Request(db, developerKeyRef, id);
    const foundByOther = await findM800Request(db, nextKey++, id);

    const { rows } = await sql`SELECT 1 FROM m800_requests_default`.execute(db);
    expect(found).toMatchObject({ id, userId: 'u', carrier: 'c', pushed: true, readAt: null });
    expect(foundByOther).toBeUndefined();
    expect(rows).toEqual([]);
  });
});
