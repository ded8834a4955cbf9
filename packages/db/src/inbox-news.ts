import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { InboxSummary } from './inbox.ts';

/** How far somebody knows a user's messages. */
export interface InboxPosition {
  readonly userId: string;
  /** The number of the last one that is known; 0 for none. */
  readonly after: number;
}

/** A message after a position. */
export interface InboxNews extends InboxSummary {
  /** The index of the position. */
  readonly position: number;
  readonly appRefs: readonly number[];
}

/** The number of the user's latest message; 0 where there is none. */
export async function findLastInboxSequence(db: Db, userId: string): Promise<number> {
  const row = await db
    .selectFrom('inboxUsers')
    .select('lastSequence')
    .where('userId', '=', userId)
    .executeTakeFirst();
  return row?.lastSequence ?? 0;
}

/** The indexes of those positions after which there are messages. */
export async function listInboxBehind(
  db: Db,
  positions: readonly InboxPosition[],
): Promise<readonly number[]> {
  if (positions.length === 0) return [];
  const { rows } = await sql<{ position: number }>`
    SELECT p.place - 1 AS position FROM ${toTable(positions)}
    JOIN inbox_users u ON u.user_id = p.user_id AND u.last_sequence > p.after`.execute(db);
  return rows.map(({ position }) => position);
}

/** Up to `limit` messages after each of the positions, in the order of their numbers, whatever app they are of. */
export async function listInboxAfter(
  db: Db,
  positions: readonly InboxPosition[],
  limit: number,
): Promise<readonly InboxNews[]> {
  if (positions.length === 0) return [];
  const { rows } = await sql<Omit<InboxNews, 'appRefs'> & { appRefs: readonly string[] }>`
    SELECT p.place - 1 AS position, m.*
    FROM ${toTable(positions)}
    CROSS JOIN LATERAL (
      SELECT id, sequence, type, subject, summary, created_at, read_at, app_refs FROM inbox_messages
      WHERE user_id = p.user_id AND sequence > p.after ORDER BY sequence LIMIT ${limit}
    ) m
    ORDER BY p.place, m.sequence`.execute(db);
  return rows.map((row) => ({ ...row, appRefs: row.appRefs.map(Number) }));
}

function toTable(positions: readonly InboxPosition[]) {
  return sql`unnest(
    ${positions.map(({ userId }) => userId)}::text[], ${positions.map(({ after }) => after)}::bigint[]
  ) WITH ORDINALITY AS p (user_id, after, place)`;
}
