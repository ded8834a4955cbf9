import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { InboxType } from '../schema.ts';
import type { Taken } from './import-credentials.ts';

export interface ImportedInboxMessage {
  /** UUID, which stays. */
  readonly id: string;
  readonly userId: string;
  /** At least one. */
  readonly appRefs: readonly number[];
  readonly type: InboxType;
  readonly subject: string;
  readonly summary: string;
  readonly body: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Null while it is unread. */
  readonly readAt: string | null;
}

/**
 * Takes a page of messages. New ones are numbered behind those that their users have already, in the order given; of those that were
 * taken before, ones that were read at the source since are marked as read. What was deleted here stays away.
 */
export async function takeInboxMessages(
  tx: Db,
  messages: readonly ImportedInboxMessage[],
): Promise<ReadonlyMap<Taken, number>> {
  const json = JSON.stringify(
    messages.map((message, place) => ({
      place,
      id: message.id,
      user_id: message.userId,
      app_refs: message.appRefs,
      type: message.type,
      subject: message.subject,
      summary: message.summary,
      body: message.body,
      created_at: message.createdAt,
      read_at: message.readAt,
    })),
  );
  const { rows } = await sql<{ added: number; updated: number }>`
    WITH given AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${json}::json) AS g (
        place integer, id uuid, user_id text, app_refs bigint[], type text, subject text, summary text, body text,
        created_at timestamptz, read_at timestamptz)
    ), fresh AS MATERIALIZED (
      SELECT DISTINCT ON (g.id) g.* FROM given g
      WHERE NOT EXISTS (SELECT FROM imported_inbox_messages t WHERE t.id = g.id)
        AND NOT EXISTS (SELECT FROM inbox_messages m WHERE m.id = g.id)
      ORDER BY g.id, g.place
    ), counted AS (
      SELECT user_id, count(*) AS messages FROM fresh GROUP BY user_id
    ), numbered AS (
      INSERT INTO inbox_users AS u (user_id, last_sequence)
      SELECT user_id, messages FROM counted ORDER BY user_id
      ON CONFLICT (user_id) DO UPDATE SET last_sequence = u.last_sequence + EXCLUDED.last_sequence
      RETURNING user_id, last_sequence
    ), added AS (
      INSERT INTO inbox_messages (id, user_id, sequence, app_refs, type, subject, summary, body, created_at, read_at)
      SELECT f.id, f.user_id,
        n.last_sequence - c.messages + row_number() OVER (PARTITION BY f.user_id ORDER BY f.place),
        f.app_refs, f.type, f.subject, f.summary, f.body, f.created_at, f.read_at
      FROM fresh f JOIN numbered n USING (user_id) JOIN counted c USING (user_id)
      RETURNING 1
    ), noted AS (
      INSERT INTO imported_inbox_messages SELECT id FROM given ON CONFLICT DO NOTHING
    ), read AS (
      UPDATE inbox_messages m SET read_at = g.read_at FROM given g
      WHERE m.id = g.id AND m.read_at IS NULL AND g.read_at IS NOT NULL
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM read) AS updated`.execute(
    tx,
  );
  const { added, updated } = rows[0] ?? { added: 0, updated: 0 };
  return new Map<Taken, number>([
    ['added', added],
    ['updated', updated],
    ['unchanged', messages.length - added - updated],
  ]);
}

/** How many of these messages were never taken. Writes nothing. */
export async function countNewInboxMessages(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM unnest(${ids}::uuid[]) AS g (id)
    WHERE NOT EXISTS (SELECT FROM imported_inbox_messages t WHERE t.id = g.id)
      AND NOT EXISTS (SELECT FROM inbox_messages m WHERE m.id = g.id)`.execute(db);
  return rows[0]?.count ?? 0;
}
