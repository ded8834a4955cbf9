import { randomUUID } from 'node:crypto';

import { sql } from 'kysely';

import type { Db } from './database.ts';

/*
 * Forgetting a user. There may be a hundred thousand messages, so it is done in steps of bounded size, each of which is true by itself
 * and finds nothing to do when it is done again. The row of the erasure says that it is not over; whoever finds it goes on.
 *
 *   requested ── erased     nothing is found any more
 *                  └─ finished     looked for once more, after what was under way; the row forgets the user as well
 */

export interface ErasureCounts {
  readonly devices: number;
  /** Messages of the ledger: they stay, without what they said and whom they were for. */
  readonly messages: number;
  /** Of their deliveries, those that were pending. */
  readonly skipped: number;
  readonly inboxMessages: number;
  /** Campaigns that the user was taken out of. */
  readonly campaigns: number;
  /** Deliveries of campaigns that do not lead to the user any more. */
  readonly campaignDeliveries: number;
}

export interface Erasure extends ErasureCounts {
  readonly id: string;
  /** Null: in every app. */
  readonly appRef: number | null;
  readonly userId: string;
  readonly requestedAt: Date;
  readonly erasedAt: Date | null;
}

/** Notes that the user is to be forgotten. One that is not finished is begun anew: there may be something that is younger. */
export async function requestErasure(
  db: Db,
  userId: string,
  appRef: number | null,
): Promise<Erasure> {
  const { rows } = await sql<Erasure>`
    INSERT INTO user_erasures AS e (id, user_id, app_ref) VALUES (${randomUUID()}, ${userId}, ${appRef})
    ON CONFLICT (user_id, coalesce(app_ref, 0)) WHERE finished_at IS NULL
      DO UPDATE SET requested_at = now(), erased_at = NULL
    RETURNING ${COLUMNS}`.execute(db);
  const [erasure] = rows;
  if (erasure === undefined) throw new Error('a statement answered no row');
  return erasure;
}

const COLUMNS = sql`id, app_ref, user_id, requested_at, erased_at, devices, messages, skipped, inbox_messages, campaigns,
      campaign_deliveries`;

/** What was under way when all was erased is recorded by then: a send, a page of an audience. */
const SETTLED_AFTER = '10 minutes';

/** Erasures whose requests went away or died, and those to be finished. */
export async function listOpenErasures(db: Db): Promise<readonly Erasure[]> {
  const { rows } = await sql<Erasure>`
    SELECT ${COLUMNS} FROM user_erasures
    WHERE finished_at IS NULL AND (
      (erased_at IS NULL AND requested_at < now() - interval '30 seconds')
      OR erased_at < now() - ${SETTLED_AFTER}::interval)
    ORDER BY requested_at LIMIT 20`.execute(db);
  return rows;
}

export async function findErasure(db: Db, id: string): Promise<Erasure | undefined> {
  const { rows } = await sql<Erasure>`
    SELECT ${COLUMNS} FROM user_erasures WHERE id = ${id} AND finished_at IS NULL`.execute(db);
  return rows[0];
}

/** Adds to what was erased. Belongs into the transaction that did it. */
export async function addToErasure(
  tx: Db,
  id: string,
  counts: Partial<ErasureCounts>,
): Promise<void> {
  await sql`
    UPDATE user_erasures SET devices = devices + ${counts.devices ?? 0}, messages = messages + ${counts.messages ?? 0},
      skipped = skipped + ${counts.skipped ?? 0}, inbox_messages = inbox_messages + ${counts.inboxMessages ?? 0},
      campaigns = campaigns + ${counts.campaigns ?? 0}, campaign_deliveries = campaign_deliveries + ${counts.campaignDeliveries ?? 0}
    WHERE id = ${id}`.execute(tx);
}

/** Unless it was requested again meanwhile. */
export async function markErased(db: Db, { id, requestedAt }: Erasure): Promise<void> {
  await db
    .updateTable('userErasures')
    .set({ erasedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .where(sql<boolean>`date_trunc('milliseconds', requested_at) = ${requestedAt}`)
    .execute();
}

export async function finishErasure(db: Db, { id }: Erasure): Promise<void> {
  await db
    .updateTable('userErasures')
    .set({ finishedAt: sql<Date>`now()`, userId: null, deviceIds: [] })
    .where('id', '=', id)
    .where('erasedAt', 'is not', null)
    .execute();
}
