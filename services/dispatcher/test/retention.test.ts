import { randomUUID } from 'node:crypto';

import { createMessageId } from '@heliograph/core';
import {
  createPartitions,
  insertMessages,
  openDatabase,
  purgeMessages,
  type Db,
} from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { eventually, makeApp, makeDevice, toMessage } from '@heliograph/testing';
import { sql } from 'kysely';

import { RETENTION_DEFAULTS, startRetention } from '../src/retention/retention.ts';
import { expectNothingLost, openStack } from './stack.ts';

jest.setTimeout(180_000);

const DAY_MS = 24 * 3_600_000;

/** Messages of that instant, to one device, which are over. */
async function makeOld(db: Db, at: number, count: number): Promise<void> {
  const appRef = await makeApp(db);
  const { userId } = await makeDevice(db, appRef);
  for (let left = count; left > 0; left -= 1000)
    await insertMessages(
      db,
      Array.from({ length: Math.min(left, 1000) }, () =>
        toMessage(appRef, userId, { id: createMessageId(at), expiresAt: new Date(at) }),
      ),
    );
}

/** One round of a dispatcher. */
async function runRound(db: Db): Promise<void> {
  const retention = startRetention({
    db,
    settings: RETENTION_DEFAULTS,
    log: createLogger('dispatcher', 'silent'),
    now: () => new Date(),
    everyMs: 3_600_000,
  });
  await retention.run();
  await retention.close();
}

describe('a purge while messages are accepted and sent', () => {
  test('takes what is old, and loses and repeats none of them', async () => {
    const stack = await openStack();
    const purging = openDatabase(stack.databaseUrl, 4);
    try {
      const users = await stack.makeAudience(600);
      const day = Math.floor(Date.now() / DAY_MS) * DAY_MS - 120 * DAY_MS;
      await createPartitions(stack.db, new Date(day));
      for (let n = 0; n < 4; n += 1) await makeOld(stack.db, day + n * DAY_MS, 1000);
      await makeOld(stack.db, day - 100 * DAY_MS, 3000);
      const api = await stack.startApi();
      await stack.startDispatcher();

      const posting = stack.post(api, users);
      const before = new Date(Date.now() - 90 * DAY_MS);
      // In small parts, so that it lasts; the dispatcher's own purge may be at it, too.
      await eventually(
        async () => {
          const { more, busy } = await purgeMessages(purging, before, 100);
          expect([more, busy]).toEqual([false, []]);
        },
        { timeoutMs: 60_000 },
      );
      const messageIds = await posting;

      await expectNothingLost(stack, messageIds, { maxRepeats: 0 });
      const { rows } = await sql`
        SELECT FROM messages WHERE created_at < now() - interval '90 days' OR id < ${createMessageId(before.getTime())}
        UNION ALL SELECT FROM deliveries WHERE id < ${createMessageId(before.getTime())}`.execute(
        stack.db,
      );
      expect(rows).toEqual([]);
    } finally {
      await purging.destroy();
      await stack.close();
    }
  });
});

describe('kill -9 of the api in the middle of the erasure of a user with 20,000 messages', () => {
  test('leaves it to a dispatcher, which erases the rest and counts nothing twice', async () => {
    const stack = await openStack();
    const { db } = stack;
    try {
      const appRef = await makeApp(db);
      const userId = randomUUID();
      for (let n = 0; n < 20; n += 1)
        await insertMessages(
          db,
          Array.from({ length: 1000 }, () => toMessage(appRef, userId)),
        );
      const api = await stack.startApi();
      const erasing = stack.call(api, 'POST', '/admin/user/erase', { userId }).catch(() => 'died');
      await eventually(async () => expect(await readErasure(db)).toMatchObject({ begun: true }));

      api.kill('SIGKILL');
      await api.exited;
      const answer = await erasing;
      const between = await readErasure(db);
      await sql`UPDATE user_erasures SET requested_at = requested_at - interval '1 minute'`.execute(
        db,
      );
      // Who had it under lock may not be known as dead yet.
      await eventually(async () => {
        await runRound(db);
        expect(await readErasure(db)).toMatchObject({ erased: true });
      });

      const left = await db
        .selectFrom('messages')
        .select('id')
        .where('userId', '=', userId)
        .execute();
      expect(answer).toBe('died');
      expect(between).toMatchObject({ erased: false });
      expect(await readErasure(db)).toMatchObject({ messages: 20_000 });
      expect(left).toEqual([]);
    } finally {
      await stack.close();
    }
  });
});

async function readErasure(db: Db) {
  const row = await db
    .selectFrom('userErasures')
    .select(['messages', 'erasedAt'])
    .executeTakeFirst();
  const messages = row?.messages ?? 0;
  return { begun: messages > 0, messages, erased: (row?.erasedAt ?? null) !== null };
}
