import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';

/*
 * Whose is it? Each answers the rows of the apps that own the thing, none where there is no such thing. What belongs to an app never
 * goes to another one, but for an activation's device: so an answer stays true, or the thing is gone.
 */

/** Also of a campaign that was deleted and has runs. */
export function findCampaignOwners(db: Db, campaignId: number): Promise<readonly number[]> {
  return findOwners(
    db,
    sql`SELECT app_ref FROM campaigns WHERE id = ${campaignId}
      UNION SELECT app_ref FROM campaign_runs WHERE campaign_id = ${campaignId}`,
  );
}

/** Of a message, by its id. */
export function findMessageOwners(db: Db, messageId: string): Promise<readonly number[]> {
  return findOwners(db, sql`SELECT app_ref FROM messages WHERE id = ${messageId}::uuid`);
}

/** The apps that show it. */
export function findInboxMessageOwners(db: Db, id: string): Promise<readonly number[]> {
  return findOwners(
    db,
    sql`SELECT unnest(app_refs) AS app_ref FROM inbox_messages WHERE id = ${id}::uuid`,
  );
}

export function findDeveloperKeyOwners(db: Db, developerKey: string): Promise<readonly number[]> {
  return findOwners(
    db,
    sql`SELECT app_ref FROM developer_keys WHERE developer_key = ${developerKey}`,
  );
}

export function findCallbackOwners(db: Db, id: number): Promise<readonly number[]> {
  return findOwners(db, sql`SELECT app_ref FROM callback_endpoints WHERE id = ${id}`);
}

/** Of a pause that is active. */
export function findPauseOwners(db: Db, id: number): Promise<readonly number[]> {
  return findOwners(db, sql`SELECT app_ref FROM pauses WHERE id = ${id} AND lifted_at IS NULL`);
}

/** The app in which the activation has its device. */
export function findActivationOwners(db: Db, activationId: string): Promise<readonly number[]> {
  return findOwners(db, sql`SELECT app_ref FROM devices WHERE activation_id = ${activationId}`);
}

/** The app that a key of the api is bound to; none of a key for every app. */
export function findApiKeyOwners(db: Db, id: string): Promise<readonly number[]> {
  return findOwners(db, sql`SELECT app_ref FROM api_keys WHERE id = ${id} AND app_ref IS NOT NULL`);
}

/** The app that a user of the console is bound to; none of one for every app. */
export function findConsoleUserOwners(db: Db, name: string): Promise<readonly number[]> {
  return findOwners(
    db,
    sql`SELECT app_ref FROM console_users WHERE name = ${name} AND app_ref IS NOT NULL`,
  );
}

async function findOwners(db: Db, select: RawBuilder<unknown>): Promise<readonly number[]> {
  const { rows } = await sql<{ appRef: number }>`${select}`.execute(db);
  return rows.map((row) => row.appRef);
}
