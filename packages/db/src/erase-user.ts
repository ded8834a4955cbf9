import { sql, type RawBuilder } from 'kysely';

import { tellDeliveries } from './callback-writes.ts';
import { removeCampaignUsers } from './campaigns/campaigns.ts';
import { eraseRunPlaces } from './campaigns/erase-run-places.ts';
import type { Db } from './database.ts';
import { tryWithLock } from './locks.ts';
import {
  addToErasure,
  findErasure,
  finishErasure,
  markErased,
  type Erasure,
} from './user-erasures.ts';

/** What is done of one kind in a transaction. */
const ROWS_AT_ONCE = 500;

/**
 * Does what is left of an erasure, until `isOver` says that there is no more time; somebody else may be at it. Answers how it stands;
 * undefined where it is finished. May be called again at any time, from any process.
 */
export async function continueErasure(
  db: Db,
  id: string,
  isOver: () => boolean,
): Promise<Erasure | undefined> {
  await tryWithLock(db, `erasure ${id}`, async () => {
    const erasure = await findErasure(db, id);
    if (erasure === undefined) return;
    const steps = erasure.erasedAt === null ? STEPS : LAST_STEPS;
    for (const step of steps) {
      while ((await step(db, erasure)) > 0) if (isOver()) return;
    }
    if (erasure.erasedAt === null) await markErased(db, erasure);
    else await finishErasure(db, erasure);
  });
  return findErasure(db, id);
}

/** Does a part; answers 0 where nothing is left of it. */
type Step = (db: Db, erasure: Erasure) => Promise<number>;

/** What would make new rows comes before what is found by them. */
const STEPS: readonly Step[] = [
  forgetActivations,
  leaveCampaigns,
  removeDevices,
  forgetFaults,
  blankMessages,
  deleteInbox,
  eraseRunPlaces,
];
/** What was under way then may have been written after. */
const LAST_STEPS: readonly Step[] = [blankMessages, eraseRunPlaces];

/** What is left of the user in the ledger. It leads nowhere. */
const toMarker = ({ id }: Erasure) => `erased:${id}`;

function inApp({ appRef }: Erasure): RawBuilder<unknown> {
  return appRef === null ? sql`` : sql`AND app_ref = ${appRef}`;
}

/** Activations belong to no app. One that is blocked or removed stays so, and forgets whose it was. */
async function forgetActivations(db: Db, { userId, appRef }: Erasure): Promise<number> {
  if (appRef !== null) return 0;
  const { rows } = await sql`
    WITH gone AS (
      DELETE FROM activations WHERE user_id = ${userId} AND status NOT IN ('BLOCKED', 'REMOVED')
    )
    UPDATE activations SET user_id = NULL WHERE user_id = ${userId} AND status IN ('BLOCKED', 'REMOVED')`.execute(
    db,
  );
  return rows.length;
}

async function leaveCampaigns(db: Db, erasure: Erasure): Promise<number> {
  // Probes of the primary key: there are few campaigns beside their users.
  const { rows } = await sql<{ campaignId: number }>`
    SELECT campaign_id FROM campaign_users
    WHERE user_id = ${erasure.userId}
      AND campaign_id = ANY (ARRAY(SELECT id FROM campaigns WHERE true ${inApp(erasure)}))
    LIMIT ${ROWS_AT_ONCE}`.execute(db);
  for (const { campaignId } of rows)
    await db.transaction().execute(async (tx) => {
      await removeCampaignUsers(tx, campaignId, [erasure.userId]);
      await addToErasure(tx, erasure.id, { campaigns: 1 });
    });
  return rows.length;
}

async function removeDevices(db: Db, erasure: Erasure): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: number }>`
      WITH mine AS MATERIALIZED (
        SELECT id FROM devices WHERE user_id = ${erasure.userId} ${inApp(erasure)}
        ORDER BY id LIMIT ${ROWS_AT_ONCE} FOR UPDATE
      )
      DELETE FROM devices d USING mine WHERE d.id = mine.id RETURNING d.id`.execute(tx);
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    await sql`
      UPDATE user_erasures SET device_ids = device_ids || ${ids}::bigint[] WHERE id = ${erasure.id}`.execute(
      tx,
    );
    await addToErasure(tx, erasure.id, { devices: ids.length });
    return ids.length;
  });
}

/** One table after the other: who notes refusals and faults locks both. Answers 0: it does all there is. */
async function forgetFaults(db: Db, { id }: Erasure): Promise<number> {
  const isMine = sql`device_id = ANY (ARRAY(SELECT unnest(device_ids) FROM user_erasures WHERE id = ${id}))`;
  await sql`
    DELETE FROM device_refusals WHERE device_id IN (
      SELECT device_id FROM device_refusals WHERE ${isMine} ORDER BY device_id FOR UPDATE)`.execute(
    db,
  );
  await sql`
    DELETE FROM token_faults WHERE id IN (
      SELECT id FROM token_faults WHERE ${isMine} AND state IN ('noted', 'held') ORDER BY id FOR UPDATE)`.execute(
    db,
  );
  return 0;
}

/**
 * What messages said and whom they were for. Their deliveries stay as they are, so that the counts go on adding up; those that are pending
 * are skipped. What is under way right now is left to its leaseholder, who finds no device any more should it come again.
 */
async function blankMessages(db: Db, erasure: Erasure): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM messages
      WHERE user_id = ${erasure.userId} ${inApp(erasure)}
        ${erasure.erasedAt === null ? sql`` : sql`AND created_at <= ${erasure.erasedAt}`}
      ORDER BY id LIMIT ${ROWS_AT_ONCE} FOR UPDATE`.execute(tx);
    const ids = rows.map((row) => row.id);
    const [first, last] = [ids[0], ids.at(-1)];
    if (first === undefined || last === undefined) return 0;

    const skipped = await skipPending(tx, ids);
    const marker = toMarker(erasure);
    await sql`
      UPDATE messages SET user_id = ${marker}, activation_id = NULL, push_token_hash = NULL, body = '{}'
      WHERE id = ANY (${ids}::uuid[]) AND id BETWEEN ${first}::uuid AND ${last}::uuid`.execute(tx);
    await forgetRequests(tx, ids, marker);
    await addToErasure(tx, erasure.id, { messages: ids.length, skipped });
    return ids.length;
  });
}

/** Answers how many were. The messages' ids are in their order. */
async function skipPending(tx: Db, messageIds: readonly string[]): Promise<number> {
  const isPending = sql`state || '' = 'pending' AND (lease_until IS NULL OR lease_until <= now())`;
  // By the primary key alone: see DELIVERIES_OF_MESSAGE in messages.ts.
  const { rows: pending } = await sql<{ id: string }>`
    SELECT d.id FROM unnest(${messageIds}::uuid[]) AS m (id) CROSS JOIN LATERAL (
      SELECT id FROM deliveries
      WHERE id > m.id AND id <= (left(m.id::text, 32) || 'ffff')::uuid AND ${isPending} ORDER BY id OFFSET 0
    ) d ORDER BY d.id`.execute(tx);
  const ids = pending.map((row) => row.id);
  const [first, last] = [ids[0], ids.at(-1)];
  if (first === undefined || last === undefined) return 0;
  const { rows } = await sql<{ skipped: number }>`
    WITH skipped AS (
      UPDATE deliveries SET state = 'skipped', reason = 'user_erased', next_attempt_at = NULL, pause_id = NULL,
        lease_until = NULL, lease_epoch = lease_epoch + 1, finished_at = now()
      WHERE id = ANY (${ids}::uuid[]) AND id BETWEEN ${first}::uuid AND ${last}::uuid AND ${isPending}
      RETURNING *
    ), told AS (${tellDeliveries(
      sql`skipped`,
      // Whoever hears of it does not hear of whom.
      sql`(
        SELECT id, NULL::text AS user_id, developer_key_ref FROM messages WHERE id = ANY (${messageIds}::uuid[])
      ) m ON`,
    )})
    SELECT count(*)::integer AS skipped FROM skipped`.execute(tx);
  return rows[0]?.skipped ?? 0;
}

/** Signed requests have the ids of what they pushed and stored. */
async function forgetRequests(tx: Db, ids: readonly string[], marker: string): Promise<void> {
  await sql`
    UPDATE m800_requests SET user_id = ${marker} WHERE id = ANY (${ids}::uuid[])`.execute(tx);
}

/** A message that other apps show, too, is taken out of this one. */
async function deleteInbox(db: Db, erasure: Erasure): Promise<number> {
  const { userId, appRef } = erasure;
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM inbox_messages
      WHERE user_id = ${userId} ${appRef === null ? sql`` : sql`AND app_refs @> ARRAY[${appRef}::bigint]`}
      ORDER BY sequence LIMIT ${ROWS_AT_ONCE} FOR UPDATE`.execute(tx);
    const ids = rows.map((row) => row.id);
    if (ids.length === 0) {
      if (appRef === null) await tx.deleteFrom('inboxUsers').where('userId', '=', userId).execute();
      return 0;
    }
    if (appRef !== null)
      await sql`
        UPDATE inbox_messages SET app_refs = array_remove(app_refs, ${appRef}::bigint)
        WHERE id = ANY (${ids}::uuid[]) AND cardinality(app_refs) > 1`.execute(tx);
    await sql`
      DELETE FROM inbox_messages
      WHERE id = ANY (${ids}::uuid[]) ${appRef === null ? sql`` : sql`AND app_refs = ARRAY[${appRef}::bigint]`}`.execute(
      tx,
    );
    await forgetRequests(tx, ids, toMarker(erasure));
    await addToErasure(tx, erasure.id, { inboxMessages: ids.length });
    return ids.length;
  });
}
