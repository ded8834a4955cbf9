import { Refusal } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { CampaignMessage } from '../schema.ts';
import { findOpenRunState } from './runs.ts';

/** A message for a closed group of users. */
export interface Campaign {
  readonly id: number;
  readonly appId: string;
  readonly message: CampaignMessage;
  readonly sent: boolean;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly completedAt: Date | null;
}

/** Answers the new campaign's id. */
export async function insertCampaign(
  db: Db,
  campaign: { readonly appRef: number; readonly message: CampaignMessage },
): Promise<number> {
  const { id } = await db
    .insertInto('campaigns')
    .values({ appRef: campaign.appRef, message: JSON.stringify(campaign.message) })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function findCampaign(db: Db, id: number): Promise<Campaign | undefined> {
  return selectCampaigns(db).where('campaigns.id', '=', id).executeTakeFirst();
}

export const CAMPAIGN_ORDERS = ['oldest', 'latest'] as const;

export interface CampaignsQuery {
  readonly unsentOnly: boolean;
  /** Undefined: of every app. */
  readonly appRef?: number | undefined;
  /** Which are first; the oldest unless given. */
  readonly order?: (typeof CAMPAIGN_ORDERS)[number] | undefined;
  /** Those that come behind this one in the order. */
  readonly after?: number | undefined;
  /** Those that come in front of this one, and with a limit the nearest ones. */
  readonly before?: number | undefined;
  /** Undefined: all. */
  readonly limit?: number | undefined;
}

/** Campaigns in the order of their creation, or against it. */
export async function listCampaigns(
  db: Db,
  { unsentOnly, appRef, order = 'oldest', after, before, limit }: CampaignsQuery,
): Promise<readonly Campaign[]> {
  const isAscending = order === 'oldest';
  const [behind, inFront] = isAscending ? ([after, before] as const) : ([before, after] as const);
  // The page in front of a campaign is found by going back from it.
  const goesBack = before !== undefined && after === undefined;
  let query = selectCampaigns(db).orderBy(
    'campaigns.id',
    isAscending === goesBack ? 'desc' : 'asc',
  );
  if (appRef !== undefined) query = query.where('campaigns.appRef', '=', appRef);
  if (unsentOnly) query = query.where('sent', '=', false);
  if (behind !== undefined) query = query.where('campaigns.id', '>', behind);
  if (inFront !== undefined) query = query.where('campaigns.id', '<', inFront);
  if (limit !== undefined) query = query.limit(limit);
  const found = await query.execute();
  return goesBack ? found.toReversed() : found;
}

function selectCampaigns(db: Db) {
  return db
    .selectFrom('campaigns')
    .innerJoin('apps', 'apps.id', 'campaigns.appRef')
    .select([
      'campaigns.id',
      'apps.appId',
      'message',
      'sent',
      'campaigns.createdAt',
      'sentAt',
      'completedAt',
    ]);
}

/** A campaign whose row is held until the transaction ends. */
export interface HeldCampaign {
  readonly appRef: number;
  readonly appId: string;
  readonly message: CampaignMessage;
  readonly sent: boolean;
}

/** Holds the campaign's row: nobody else starts a run of it, changes its users or deletes it before the transaction ends. */
export async function holdCampaign(tx: Db, id: number): Promise<HeldCampaign | undefined> {
  return tx
    .selectFrom('campaigns')
    .innerJoin('apps', 'apps.id', 'campaigns.appRef')
    .select(['appRef', 'apps.appId', 'message', 'sent'])
    .where('campaigns.id', '=', id)
    .modifyEnd(sql`FOR NO KEY UPDATE OF campaigns`)
    .executeTakeFirst();
}

/** Deletes a campaign with its users; false where there was none. Refuses while a run of it is not over; runs stay. */
export async function deleteCampaign(db: Db, id: number): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    // No run begins between the look and the deletion.
    if ((await holdCampaign(tx, id)) === undefined) return false;
    const state = await findOpenRunState(tx, id);
    if (state !== undefined)
      throw new Refusal(
        'conflict',
        `The campaign has a run that is ${state} and not over; it can not be deleted.`,
      );
    await tx.deleteFrom('campaigns').where('id', '=', id).execute();
    // A statement of its own: it sees users whose addition the hold had to wait for.
    await tx.deleteFrom('campaignUsers').where('campaignId', '=', id).execute();
    return true;
  });
}

/**
 * Adds users in the order given, leaving out those that are there already; false where there is no such campaign.
 *
 * Holding the campaign's row keeps additions of the same users in another order from a deadlock, and the campaign from being
 * deleted meanwhile. The users travel as JSON because Node writes that natively: the driver's array literal took 600 ms of the
 * event loop for a million of them, this 100 ms.
 */
export async function addCampaignUsers(
  db: Db,
  id: number,
  userIds: readonly string[],
): Promise<boolean> {
  const { rows } = await sql`
    WITH campaign AS (
      SELECT id FROM campaigns WHERE id = ${id} FOR NO KEY UPDATE
    ), added AS (
      INSERT INTO campaign_users (campaign_id, user_id)
      SELECT campaign.id, u.user_id
      FROM campaign, json_array_elements_text(${JSON.stringify(userIds)}::json) AS u (user_id)
      ON CONFLICT DO NOTHING
    )
    SELECT id FROM campaign`.execute(db);
  return rows.length === 1;
}

/** Removes those of the users that are there. */
export async function removeCampaignUsers(
  db: Db,
  id: number,
  userIds: readonly string[],
): Promise<void> {
  // As an array made on the way, the users lead into the primary key; a join with them would read the whole campaign.
  await sql`
    WITH campaign AS (
      SELECT id FROM campaigns WHERE id = ${id} FOR NO KEY UPDATE
    )
    DELETE FROM campaign_users u USING campaign
    WHERE u.campaign_id = campaign.id
      AND u.user_id = ANY(ARRAY(SELECT json_array_elements_text(${JSON.stringify(userIds)}::json)))`.execute(
    db,
  );
}

/** How many users a campaign has; reads an entry of an index for each, a million of them in about 0.1 s. */
export async function countCampaignUsers(db: Db, id: number): Promise<number> {
  const { count } = await db
    .selectFrom('campaignUsers')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('campaignId', '=', id)
    .executeTakeFirstOrThrow();
  return count;
}

export interface CampaignUsersPage {
  /** Behind the user at this position; undefined: from the first one on. */
  readonly after?: number | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Users of a campaign in the order in which they were added; none where there is no such campaign. */
export async function listCampaignUsers(
  db: Db,
  id: number,
  { after, offset, limit }: CampaignUsersPage,
): Promise<readonly string[]> {
  let query = db
    .selectFrom('campaignUsers')
    .select('userId')
    .where('campaignId', '=', id)
    .orderBy('position')
    .offset(offset)
    .limit(limit);
  if (after !== undefined) query = query.where('position', '>', after);
  const rows = await query.execute();
  return rows.map((row) => row.userId);
}

/** Where in the order a user stands; undefined for whom the campaign does not have. */
export async function findCampaignUserPosition(
  db: Db,
  id: number,
  userId: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('campaignUsers')
    .select('position')
    .where('campaignId', '=', id)
    .where('userId', '=', userId)
    .executeTakeFirst();
  return row?.position;
}
