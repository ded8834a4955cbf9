import { toUuidFloor, type CallbackPosition, type CallbackType } from '@heliograph/core';
import { sql } from 'kysely';

import { CALLBACK_RETENTION } from './callback-writes.ts';
import type { Db } from './database.ts';
import { dropOldDays } from './day-partitions.ts';
import { deleteBatch } from './delete-batch.ts';

/** Whose events: an app's, or those of one of its developer keys (0: of the app itself). */
export interface CallbackOwner {
  readonly appRef: number;
  readonly developerKeyRef: number;
}

/** Something that is told to callbacks. */
export interface CallbackEvent extends CallbackPosition {
  /** The same whenever and to whomever it is told. */
  readonly id: string;
  readonly type: CallbackType;
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

const KEPT_MS = 3 * 24 * 3_600_000;

/** Events behind the place. A transaction under way may still write one before those that it holds up. */
const AFTER = ({ appRef, developerKeyRef }: CallbackOwner, { xid, id }: CallbackPosition) => sql`
  app_ref = ${appRef} AND developer_key_ref = ${developerKeyRef}
  AND (xid, id) > (${xid}::xid8, ${id}::uuid) AND xid < pg_snapshot_xmin(pg_current_snapshot())`;

/** The owner's events behind the place, in their order. What is committed late is never before what was answered once. */
export async function listCallbackEvents(
  db: Db,
  owner: CallbackOwner,
  after: CallbackPosition,
  limit: number,
): Promise<readonly CallbackEvent[]> {
  const { rows } = await sql<CallbackEvent>`
    SELECT xid, id, type, data, created_at FROM callback_events
    WHERE ${AFTER(owner, after)} ORDER BY xid, id LIMIT ${limit}`.execute(db);
  return rows;
}

/**
 * Whether no transaction was counted that far: the place is of a database that was since restored from a dump, and counts from a lower
 * number again.
 */
export async function isAheadOfCallbacks(db: Db, { xid }: CallbackPosition): Promise<boolean> {
  const { rows } = await sql<{ ahead: boolean }>`
    SELECT ${xid}::xid8 > pg_snapshot_xmax(pg_current_snapshot()) AS ahead`.execute(db);
  return rows[0]?.ahead === true;
}

/** Where the events end that were written before the instant, looking at `limit` of them at most; undefined where none were. */
export async function findEndOfOldEvents(
  db: Db,
  owner: CallbackOwner,
  after: CallbackPosition,
  before: Date,
  limit: number,
): Promise<(CallbackPosition & { readonly count: number }) | undefined> {
  const { rows } = await sql<CallbackPosition & { readonly count: number }>`
    SELECT xid, id, place::integer AS count FROM (
      SELECT *, count(*) FILTER (WHERE created_at >= ${before}) OVER (ORDER BY xid, id) AS younger,
        row_number() OVER (ORDER BY xid, id) AS place
      FROM (
        SELECT xid, id, created_at FROM callback_events WHERE ${AFTER(owner, after)} ORDER BY xid, id LIMIT ${limit}
      ) e
    ) e
    WHERE younger = 0 ORDER BY xid DESC, id DESC LIMIT 1`.execute(db);
  return rows[0];
}

/** Tells the endpoint's owner something of no consequence. */
export async function insertPing(db: Db, owner: CallbackOwner, callbackId: number): Promise<void> {
  await db
    .insertInto('callbackEvents')
    .values({ ...owner, type: 'ping', data: JSON.stringify({ callbackId }) })
    .execute();
}

/**
 * Drops events that were kept for three days, by their days: partitions of which everything is older, and up to `limit` rows of the
 * default one. Answers how many partitions were dropped; one that somebody reads for long is left to the next call.
 */
export async function dropOldCallbackEvents(db: Db, now: Date, limit: number): Promise<number> {
  const floor = toUuidFloor(now.getTime() - KEPT_MS);
  const { dropped } = await dropOldDays(db, { tables: ['callback_events'], floor });
  const isOld = sql`id < ${floor}::uuid AND created_at < now() - ${CALLBACK_RETENTION}::interval`;
  await deleteBatch(db, 'callback_events_default', isOld, limit);
  return dropped.length;
}
