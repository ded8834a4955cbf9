import { sql } from 'kysely';

import type { Db } from '../database.ts';

/** A step of adding an app's users to a campaign. */
export interface AddedUsers {
  readonly added: number;
  /** The last device that was looked at; null where there are no more. */
  readonly lastDeviceId: number | null;
}

/**
 * Adds the users of the next `limit` devices of the campaign's app, in the order of the devices' ids, that are not in it yet; undefined
 * where there is no such campaign. One statement, so no user comes to this process. The campaign is held as by `addCampaignUsers`.
 */
export async function addUsersOfDevices(
  db: Db,
  campaignId: number,
  afterDeviceId: number,
  limit: number,
): Promise<AddedUsers | undefined> {
  const { rows } = await sql<{ added: number; devices: number; lastDeviceId: number | null }>`
    WITH campaign AS (
      SELECT id, app_ref FROM campaigns WHERE id = ${campaignId} FOR NO KEY UPDATE
    ), page AS MATERIALIZED (
      SELECT d.id, d.user_id FROM devices d
      WHERE d.app_ref = (SELECT app_ref FROM campaign) AND d.id > ${afterDeviceId} ORDER BY d.id LIMIT ${limit}
    ), added AS (
      INSERT INTO campaign_users (campaign_id, user_id)
      SELECT campaign.id, u.user_id FROM campaign, (
        SELECT user_id FROM page WHERE user_id IS NOT NULL GROUP BY user_id ORDER BY min(id)
      ) u
      ON CONFLICT DO NOTHING
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM page) AS devices, (SELECT max(id) FROM page) AS last_device_id
    FROM campaign`.execute(db);
  const [step] = rows;
  if (step === undefined) return undefined;
  const { added, devices, lastDeviceId } = step;
  return { added, lastDeviceId: devices < limit ? null : lastDeviceId };
}
