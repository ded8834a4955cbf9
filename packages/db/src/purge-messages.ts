import { toUuidFloor } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import { dropOldDays, type DayBounds } from './day-partitions.ts';
import type { Purged } from './purged.ts';

/**
 * Forgets messages that were accepted before then, with their deliveries: whole days at once, and up to `limit` messages of those in the
 * default partition. A day in which anything is pending stays as it is.
 */
export async function purgeMessages(db: Db, before: Date, limit: number): Promise<Purged> {
  const floor = toUuidFloor(before.getTime());
  // The messages first: deliveries are only looked at through them, so nobody sees a message that lost its deliveries.
  const days = await dropOldDays(db, { tables: ['messages', 'deliveries'], floor, isOwed });
  const rows = await deleteMessages(db, floor, limit);
  return { ...days, rows, more: rows === limit };
}

/** Whether a delivery of the day is pending. What is final stays so, and nothing is accepted for a day that is over. */
async function isOwed(db: Db, { from, to }: DayBounds): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM deliveries
    WHERE id >= ${from}::uuid AND id < ${to}::uuid AND state = 'pending' LIMIT 1`.execute(db);
  return rows.length > 0;
}

/** Answers how many messages went. Their deliveries may be in a partition of their own day, or have lost it. */
async function deleteMessages(db: Db, floor: string, limit: number): Promise<number> {
  // By the primary key alone, and in no later partition: see DELIVERIES_OF_MESSAGE in messages.ts.
  const owned = sql`(
    SELECT id, state FROM deliveries
    WHERE id > m.id AND id <= (left(m.id::text, 32) || 'ffff')::uuid AND id < ${floor}::uuid ORDER BY id OFFSET 0)`;
  const { rows } = await sql<{ count: number }>`
    WITH old AS MATERIALIZED (
      SELECT m.id FROM messages_default m
      WHERE m.id < ${floor}::uuid AND NOT EXISTS (SELECT FROM ${owned} d WHERE d.state = 'pending' OFFSET 0)
      ORDER BY m.id LIMIT ${limit} FOR UPDATE OF m SKIP LOCKED
    ), deliveries_gone AS (
      DELETE FROM deliveries
      WHERE id = ANY (ARRAY(SELECT d.id FROM old m CROSS JOIN LATERAL ${owned} d)) AND id < ${floor}::uuid
    ), gone AS (
      DELETE FROM messages_default WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING 1
    )
    SELECT count(*)::integer AS count FROM gone`.execute(db);
  await sql`
    DELETE FROM deliveries_default WHERE id = ANY (ARRAY(
      SELECT d.id FROM deliveries_default d
      WHERE d.id < ${floor}::uuid AND d.state <> 'pending'
        AND NOT EXISTS (SELECT FROM messages WHERE id = d.message_id AND id < ${floor}::uuid OFFSET 0)
      ORDER BY d.id LIMIT ${limit}))`.execute(db);
  return rows[0]?.count ?? 0;
}
