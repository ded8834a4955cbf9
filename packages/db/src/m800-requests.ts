import { sql } from 'kysely';

import type { Db } from './database.ts';
import { deleteBatch } from './delete-batch.ts';
import { storingInboxMessage, type NewInboxMessage } from './inbox.ts';
import {
  refusingTooManyDevices,
  storingMessages,
  type StoredDelivery,
  type StoredMessage,
} from './messages.ts';

/**
 * How long a used nonce is remembered. A request counts for twice the window of its date, which is an hour at most; the rest is for
 * clocks that differ.
 */
const NONCES_KEPT_FOR = '3 hours';

/** Uses the developer key's nonce up for a request that stores nothing else; answers false where it was used before. */
export async function useNonce(
  db: Db,
  use: { readonly developerKeyRef: number; readonly nonce: string },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('developerNonces')
    .values({ ...use, requestId: null })
    .onConflict((conflict) => conflict.columns(['developerKeyRef', 'nonce']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** Forgets nonces whose requests are too old to be taken, at most `limit` of them. Answers how many went. */
export async function deleteOldNonces(db: Db, limit: number): Promise<number> {
  const isOld = sql`created_at < now() - ${NONCES_KEPT_FOR}::interval`;
  return deleteBatch(db, 'developer_nonces', isOld, limit);
}

/** An accepted request, with what comes of it. */
export interface NewM800Push {
  /** That of the pushed message and of the one in the inbox, too. */
  readonly id: string;
  readonly developerKeyRef: number;
  readonly nonce: string;
  readonly appRef: number;
  readonly userId: string;
  readonly carrier: string;
  /** For the user's devices: one, or none. */
  readonly messages: readonly StoredMessage[];
  /** Whether anybody is told what becomes of them. */
  readonly isHeard: boolean;
  readonly inboxMessage: NewInboxMessage;
}

export type StoredM800Push =
  | { readonly kind: 'stored'; readonly deliveries: readonly StoredDelivery[] }
  | { readonly kind: 'nonce_used' }
  /** The app knows the user neither by a device nor by a message in the inbox. */
  | { readonly kind: 'unknown_receiver' };

interface PushRow {
  readonly isKnown: boolean;
  readonly isNew: boolean;
  readonly delivery: StoredDelivery | null;
}

/**
 * Uses the nonce up and stores all that the request asks for, in one statement: so all of it or nothing. Who comes second with a nonce
 * waits until the first has committed, and is refused, or has failed, and goes on. Refuses as `insertMessages` does.
 */
export async function insertM800Push(db: Db, push: NewM800Push): Promise<StoredM800Push> {
  const { id, developerKeyRef, nonce, appRef, userId, carrier, messages, isHeard, inboxMessage } =
    push;
  const pushed = messages.length > 0;
  const isNew = sql`used`;
  const { rows } = await refusingTooManyDevices(
    sql<PushRow>`
      WITH receiver AS (
        SELECT EXISTS (SELECT FROM devices WHERE user_id = ${userId} AND app_ref = ${appRef})
          OR EXISTS (
            SELECT FROM inbox_messages WHERE user_id = ${userId} AND app_refs @> ARRAY[${appRef}::bigint]
          ) AS is_known
      ), used AS (
        INSERT INTO developer_nonces (developer_key_ref, nonce, request_id)
        SELECT ${developerKeyRef}::bigint, ${nonce}, ${id}::uuid FROM receiver WHERE is_known
        ON CONFLICT (developer_key_ref, nonce) DO NOTHING
        RETURNING request_id
      ), request AS (
        INSERT INTO m800_requests (id, developer_key_ref, user_id, carrier, pushed)
        SELECT ${id}::uuid, ${developerKeyRef}::bigint, ${userId}, ${carrier}, ${pushed}::boolean FROM ${isNew}
      ), ${pushed ? sql`${storingMessages(messages, { isHeard, ifAny: isNew })},` : sql``}
      ${storingInboxMessage(inboxMessage, isNew)}
      SELECT r.is_known, u.request_id IS NOT NULL AS is_new, ${pushed ? BORN : sql`NULL`} AS delivery
      FROM receiver r LEFT JOIN used u ON true ${pushed ? sql`LEFT JOIN born b ON true` : sql``}`.execute(
      db,
    ),
  );
  if (rows[0]?.isKnown !== true) return { kind: 'unknown_receiver' };
  if (!rows[0].isNew) return { kind: 'nonce_used' };
  return { kind: 'stored', deliveries: rows.flatMap(({ delivery }) => delivery ?? []) };
}

const BORN = sql`
  CASE WHEN b.id IS NOT NULL
    THEN json_build_object('id', b.id, 'messageId', b.message_id, 'provider', b.provider, 'state', b.state) END`;

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
