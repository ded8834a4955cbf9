import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';
import type { InboxType } from './schema.ts';

export interface NewInboxMessage {
  readonly id: string;
  readonly userId: string;
  /** The apps that show it, each once, at least one. */
  readonly appRefs: readonly number[];
  readonly type: InboxType;
  readonly subject: string;
  readonly summary: string;
  readonly body: string;
  readonly sender?: string | undefined;
}

/** What a list shows of a message. */
export interface InboxSummary {
  readonly id: string;
  /** Counts the user's messages from 1, without gaps, in the order in which they became visible. */
  readonly sequence: number;
  readonly type: InboxType;
  readonly subject: string;
  readonly summary: string;
  readonly createdAt: Date;
  readonly readAt: Date | null;
}

export interface StoredInboxMessage extends InboxSummary {
  readonly userId: string;
  readonly body: string;
  readonly sender: string | null;
  /** By their own ids, in the order in which they were named. */
  readonly applications: readonly string[];
}

/**
 * Stores a message. Usable inside a transaction, which then holds the user's row: whoever stores one for the same user meanwhile waits
 * for its end. Messages for several users in one transaction are to be stored in the order of the users' ids, or two such
 * transactions may wait for each other.
 */
export async function insertInboxMessage(
  tx: Db,
  message: NewInboxMessage,
): Promise<StoredInboxMessage> {
  const { rows } = await sql<StoredInboxMessage>`
    WITH ${storingInboxMessage(message)}
    SELECT ${WHOLE} FROM shown m`.execute(tx);
  return onlyRow(rows);
}

/**
 * The parts of a statement that stores a message, and perhaps something else; `shown` names its row. With `ifAny`, which names a part
 * before them, nothing is stored unless that has a row, which is one.
 */
export function storingInboxMessage(
  message: NewInboxMessage,
  ifAny?: RawBuilder<unknown>,
): RawBuilder<unknown> {
  // The clock is read under the user's lock, so that the dates are in the order of the numbers.
  return sql`
    place AS (
      INSERT INTO inbox_users AS u (user_id, last_sequence)
      SELECT ${message.userId}, 1 ${ifAny === undefined ? sql`` : sql`FROM ${ifAny}`}
      ON CONFLICT (user_id) DO UPDATE SET last_sequence = u.last_sequence + 1
      RETURNING last_sequence
    ), shown AS (
      INSERT INTO inbox_messages (id, user_id, sequence, app_refs, type, subject, summary, body, sender, created_at)
      SELECT ${message.id}::uuid, ${message.userId}, last_sequence, ${message.appRefs}::bigint[], ${message.type},
        ${message.subject}, ${message.summary}, ${message.body}, ${message.sender ?? null}::text, clock_timestamp()
      FROM place
      RETURNING *
    )`;
}

const SUMMARY = sql`m.id, m.sequence, m.type, m.subject, m.summary, m.created_at, m.read_at`;
const WHOLE = sql`${SUMMARY}, m.user_id, m.body, m.sender, ARRAY(
  SELECT a.app_id FROM unnest(m.app_refs) WITH ORDINALITY r (app_ref, place) JOIN apps a ON a.id = r.app_ref ORDER BY place
) AS applications`;

function onlyRow<T>([row]: readonly T[]): T {
  if (row === undefined) throw new Error('a statement answered no row');
  return row;
}

/** By the id of a message, which is a UUID. */
export async function findInboxMessage(
  db: Db,
  id: string,
): Promise<StoredInboxMessage | undefined> {
  const { rows } = await sql<StoredInboxMessage>`
    SELECT ${WHOLE} FROM inbox_messages m WHERE m.id = ${id}::uuid`.execute(db);
  return rows[0];
}

/** Marks the message as read, and answers it; the time of the first call stays. Undefined where there is none. */
export async function readInboxMessage(
  db: Db,
  id: string,
): Promise<StoredInboxMessage | undefined> {
  // Of two at once the second waits for the row, and then sees the time of the first.
  const { rows } = await sql<StoredInboxMessage>`
    UPDATE inbox_messages m SET read_at = coalesce(m.read_at, now()) WHERE m.id = ${id}::uuid
    RETURNING ${WHOLE}`.execute(db);
  return rows[0];
}

/** Marks as read what the user has not read in the app. */
export async function readAllInboxMessages(db: Db, userId: string, appRef: number): Promise<void> {
  // Locked in one order, or two such statements, for two of the user's apps, could wait for each other.
  await sql`
    UPDATE inbox_messages m SET read_at = now()
    FROM (
      SELECT id FROM inbox_messages
      WHERE user_id = ${userId} AND read_at IS NULL AND app_refs @> ARRAY[${appRef}::bigint]
      ORDER BY sequence FOR UPDATE
    ) unread
    WHERE m.id = unread.id`.execute(db);
}

/** Those of a user that any of the apps shows. */
export interface InboxFilter {
  readonly userId: string;
  readonly appRefs: readonly number[];
  readonly onlyUnread: boolean;
}

/** A page of messages, the newest first, each once. */
export async function listInboxMessages(
  db: Db,
  filter: InboxFilter,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly InboxSummary[]> {
  const { rows } = await sql<InboxSummary>`
    SELECT ${SUMMARY} FROM inbox_messages m
    WHERE ${toCondition(filter)}
    ORDER BY m.sequence DESC LIMIT ${limit} OFFSET ${offset}`.execute(db);
  return rows;
}

/** How many messages the user has not read in the app. */
export async function countUnreadInboxMessages(
  db: Db,
  userId: string,
  appRef: number,
): Promise<number> {
  const filter = { userId, appRefs: [appRef], onlyUnread: true };
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM inbox_messages m WHERE ${toCondition(filter)}`.execute(db);
  return onlyRow(rows).count;
}

function toCondition({ userId, appRefs, onlyUnread }: InboxFilter) {
  const ofApps = sql`m.user_id = ${userId} AND m.app_refs && ${appRefs}::bigint[]`;
  return onlyUnread ? sql`${ofApps} AND m.read_at IS NULL` : ofApps;
}
