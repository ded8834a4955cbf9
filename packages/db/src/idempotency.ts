import { sql } from 'kysely';

import type { Db } from './database.ts';
import { deleteBatch } from './delete-batch.ts';

/** An Idempotency-Key counts per caller and operation (method and path). */
export interface IdempotencyScope {
  readonly caller: string;
  readonly operation: string;
  readonly key: string;
}

export interface IdempotencyEntry {
  readonly bodyHash: Buffer;
  readonly messageIds: readonly string[];
  /** Null while the first request is not answered yet. */
  readonly answer: unknown;
}

const KEPT_FOR = '24 hours';

/**
 * Writes the key, or answers the entry that has it already. Runs in the transaction that stores the messages: a second request with
 * the key waits here until the first has committed or failed. A key of over 24 hours is taken over.
 */
export async function claimIdempotencyKey(
  db: Db,
  scope: IdempotencyScope,
  bodyHash: Buffer,
  messageIds: readonly string[],
): Promise<IdempotencyEntry | undefined> {
  const { rows } = await sql`
    INSERT INTO idempotency_keys AS k (caller, operation, key, body_hash, message_ids)
    VALUES (${scope.caller}, ${scope.operation}, ${scope.key}, ${bodyHash}, ${messageIds}::uuid[])
    ON CONFLICT (caller, operation, key) DO UPDATE
      SET body_hash = excluded.body_hash, message_ids = excluded.message_ids, answer = NULL, created_at = now()
      WHERE k.created_at < now() - ${KEPT_FOR}::interval
    RETURNING 1`.execute(db);
  return rows.length === 1 ? undefined : findIdempotencyEntry(db, scope);
}

export async function findIdempotencyEntry(
  db: Db,
  scope: IdempotencyScope,
): Promise<IdempotencyEntry | undefined> {
  return db
    .selectFrom('idempotencyKeys')
    .select(['bodyHash', 'messageIds', 'answer'])
    .where('caller', '=', scope.caller)
    .where('operation', '=', scope.operation)
    .where('key', '=', scope.key)
    .where('createdAt', '>=', sql<Date>`now() - ${KEPT_FOR}::interval`)
    .executeTakeFirst();
}

/** Keeps the answer unless there is one: the first to come stays. Answers the one that is kept. */
export async function keepFirstAnswer(
  db: Db,
  scope: IdempotencyScope,
  answer: unknown,
): Promise<unknown> {
  const { rows } = await sql<{ answer: unknown }>`
    UPDATE idempotency_keys SET answer = coalesce(answer, ${JSON.stringify(answer)}::json)
    WHERE caller = ${scope.caller} AND operation = ${scope.operation} AND key = ${scope.key}
    RETURNING answer`.execute(db);
  return rows[0]?.answer ?? answer;
}

/** Forgets keys whose day is over, at most `limit` of them. Answers how many went. */
export async function deleteOldIdempotencyKeys(db: Db, limit: number): Promise<number> {
  const isOld = sql`created_at < now() - ${KEPT_FOR}::interval`;
  return deleteBatch(db, 'idempotency_keys', isOld, limit);
}
