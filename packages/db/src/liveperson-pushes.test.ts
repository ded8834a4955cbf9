import { randomBytes } from 'node:crypto';

import { createMessageId } from '@heliograph/core';
import { eventually, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { claimPush, deleteOldPushes, type PushClaim } from './liveperson-pushes.ts';

const database = useTestDatabase();

const toClaim = (changes: Partial<PushClaim> = {}): PushClaim => ({
  key: randomBytes(32),
  messageId: createMessageId(Date.now()),
  windowMs: 60_000,
  ...changes,
});

/** As if it had been claimed long ago. */
async function age(key: Buffer): Promise<void> {
  await database.db
    .updateTable('livepersonPushes')
    .set({ until: new Date(Date.now() - 1) })
    .where('key', '=', key)
    .execute();
}

describe('claiming a push', () => {
  test('answers the message of the first one to all that come within its window', async () => {
    const first = toClaim();

    expect(await claimPush(database.db, first)).toBeUndefined();
    expect(await claimPush(database.db, toClaim({ key: first.key }))).toBe(first.messageId);
    expect(await claimPush(database.db, toClaim({ key: first.key }))).toBe(first.messageId);
  });

  test('is new again when the window is over', async () => {
    const first = toClaim();
    await claimPush(database.db, first);
    await age(first.key);
    const second = toClaim({ key: first.key });

    expect(await claimPush(database.db, second)).toBeUndefined();
    expect(await claimPush(database.db, toClaim({ key: first.key }))).toBe(second.messageId);
  });

  test('waits for the first one, and takes its place where that fails', async () => {
    const { db } = database;
    const first = toClaim();
    const second = toClaim({ key: first.key });
    let settled = false;
    let claiming: Promise<string | undefined> | undefined;

    const failing = db.transaction().execute(async (tx) => {
      await claimPush(tx, first);
      claiming = claimPush(db, second).finally(() => (settled = true));
      await eventually(async () => {
        const { rows } = await waitingForLocks();
        expect(rows).toHaveLength(1);
      });
      expect(settled).toBe(false);
      throw new Error('the message was refused');
    });
    await expect(failing).rejects.toThrow('refused');

    expect(await claiming).toBeUndefined();
  });
});

const waitingForLocks = () =>
  sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
    database.db,
  );

describe('forgetting pushes', () => {
  test('takes those whose window is over, so many at most', async () => {
    const { db } = database;
    await db.deleteFrom('livepersonPushes').execute();
    const [kept, ...old] = [toClaim(), toClaim(), toClaim(), toClaim()];
    for (const claim of [kept, ...old]) await claimPush(db, claim);
    for (const { key } of old) await age(key);

    const gone = [await deleteOldPushes(db, 2), await deleteOldPushes(db, 2)];

    expect(gone).toEqual([2, 1]);
    expect(await db.selectFrom('livepersonPushes').select('messageId').execute()).toEqual([
      { messageId: kept.messageId },
    ]);
  });
});
