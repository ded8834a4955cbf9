import { toUuidFloor } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';
import { dropOldDays } from './day-partitions.ts';
import { deleteBatch } from './delete-batch.ts';
import { toPurged, type Purged } from './purged.ts';

/** Forgets messages of inboxes that were stored before then, read or not. Their numbers are not used again. */
export async function purgeInbox(db: Db, before: Date, limit: number): Promise<Purged> {
  return purgeBatch(db, 'inbox_messages', sql`created_at < ${before}`, limit);
}

/** Forgets token faults that were settled before then. The devices keep why their tokens were deactivated. */
export async function purgeTokenFaults(db: Db, before: Date, limit: number): Promise<Purged> {
  return purgeBatch(db, 'token_faults', sql`settled_at < ${before}`, limit);
}

/**
 * Forgets what is older of a table that is partitioned by the days of its UUIDv7 ids, whatever state it is in: whole days at once, and up
 * to `limit` rows of the default partition.
 */
export async function purgeDays(
  db: Db,
  table: string,
  before: Date,
  limit: number,
): Promise<Purged> {
  const floor = toUuidFloor(before.getTime());
  const days = await dropOldDays(db, { tables: [table], floor });
  return {
    ...(await purgeBatch(db, `${table}_default`, sql`id < ${floor}::uuid`, limit)),
    ...days,
  };
}

async function purgeBatch(
  db: Db,
  table: string,
  isOld: RawBuilder<unknown>,
  limit: number,
): Promise<Purged> {
  return toPurged(await deleteBatch(db, table, isOld, limit), limit);
}
