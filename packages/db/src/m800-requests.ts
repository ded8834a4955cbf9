import { sql } from 'kysely';

import type { Db } from './database.ts';
import { deleteBatch } from './delete-batch.ts';

/**
 * How long a used nonce is remembered. A request counts for twice the window of its date, which is an hour at most; the rest is for
 * clocks that differ.
 */
const NONCES_KEPT_FOR = '3 hours';

/**
 * Uses the developer key's nonce up; answers false where it was used before. Inside a transaction, who comes second with it waits until
 * the first has committed, and is refused, or has failed, and goes on.
 */
export async function useNonce(
  tx: Db,
  use: {
    readonly developerKeyRef: number;
    readonly nonce: string;
    readonly requestId: string | null;
  },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('developerNonces')
    .values(use)
    .onConflict((conflict) => conflict.columns(['developerKeyRef', 'nonce']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** Forgets nonces whose requests are too old to be taken, at most `limit` of them. Answers how many went. */
export async function deleteOldNonces(db: Db, limit: number): Promise<number> {
  const isOld = sql`created_at < now() - ${NONCES_KEPT_FOR}::interval`;
  return deleteBatch(db, 'developer_nonces', isOld, limit);
}

/** Whether the app knows the user: by a device, or by a message in the inbox. */
export async function isKnownReceiver(db: Db, appRef: number, userId: string): Promise<boolean> {
  const { rows } = await sql<{ known: boolean }>`
    SELECT EXISTS (SELECT FROM devices WHERE user_id = ${userId} AND app_ref = ${appRef})
      OR EXISTS (
        SELECT FROM inbox_messages WHERE user_id = ${userId} AND app_refs @> ARRAY[${appRef}::bigint]
      ) AS known`.execute(db);
  return rows[0]?.known === true;
}

export interface NewM800Request {
  /** That of the pushed message and of the one in the inbox, too. */
  readonly id: string;
  readonly developerKeyRef: number;
  readonly userId: string;
  readonly carrier: string;
  /** Whether a message was pushed. */
  readonly pushed: boolean;
}

export async function insertM800Request(tx: Db, request: NewM800Request): Promise<void> {
  await tx.insertInto('m800Requests').values(request).execute();
}

/** A request of that developer key, and whether its message in the inbox was read. */
export async function findM800Request(db: Db, developerKeyRef: number, id: string) {
  return db
    .selectFrom('m800Requests as r')
    .leftJoin('inboxMessages as m', 'm.id', 'r.id')
    .select(['r.id', 'r.userId', 'r.carrier', 'r.pushed', 'r.createdAt', 'm.readAt'])
    .where('r.id', '=', id)
    .where('r.developerKeyRef', '=', developerKeyRef)
    .executeTakeFirst();
}
