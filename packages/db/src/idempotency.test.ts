import { randomUUID } from 'node:crypto';

import { useTestDatabase } from '@heliograph/testing';

import {
  claimIdempotencyKey,
  deleteOldIdempotencyKeys,
  findIdempotencyEntry,
  keepFirstAnswer,
} from './idempotency.ts';

const database = useTestDatabase();

const toScope = () => ({ caller: '', operation: 'POST /push/message/send', key: randomUUID() });
const BODY = Buffer.from('hash');

describe('an Idempotency-Key', () => {
  test('belongs to the first of many who claim it at once; the others see its entry', async () => {
    const scope = toScope();
    const ids = Array.from({ length: 8 }, () => randomUUID());

    const claims = await Promise.all(
      ids.map((id) =>
        database.db
          .transaction()
          .execute(async (tx) => ({ id, entry: await claimIdempotencyKey(tx, scope, BODY, [id]) })),
      ),
    );

    const winners = claims.filter(({ entry }) => entry === undefined);
    expect(winners).toHaveLength(1);
    for (const { entry } of claims)
      if (entry !== undefined)
        expect(entry).toMatchObject({ messageIds: [winners[0]?.id], answer: null });
  });

  test('leaves no trace when the transaction around it fails', async () => {
    const scope = toScope();

    await expect(
      database.db.transaction().execute(async (tx) => {
        await claimIdempotencyKey(tx, scope, BODY, []);
        throw new Error('out of disk');
      }),
    ).rejects.toThrow('out of disk');

    expect(await findIdempotencyEntry(database.db, scope)).toBeUndefined();
  });

  test('keeps the first answer', async () => {
    const scope = toScope();
    await claimIdempotencyKey(database.db, scope, BODY, []);

    expect(await keepFirstAnswer(database.db, scope, { sent: 1 })).toEqual({ sent: 1 });
    expect(await keepFirstAnswer(database.db, scope, { sent: 2 })).toEqual({ sent: 1 });
  });

  test('is free again after 24 hours', async () => {
    const [scope, forgotten] = [toScope(), toScope()];
    for (const one of [scope, forgotten]) await claimIdempotencyKey(database.db, one, BODY, []);
    await database.db
      .updateTable('idempotencyKeys')
      .set({ createdAt: new Date(Date.now() - 24 * 3_600_000 - 1000) })
      .where('key', 'in', [scope.key, forgotten.key])
      .execute();

    expect(await findIdempotencyEntry(database.db, scope)).toBeUndefined();
    expect(await claimIdempotencyKey(database.db, scope, BODY, [])).toBeUndefined();
    expect(await deleteOldIdempotencyKeys(database.db, 10)).toBe(1);
  });
});
