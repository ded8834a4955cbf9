import { addCampaignUsers } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';
import { noSuchCampaign } from './get-campaign.ts';

/** Adds those that are not in the campaign yet, known to us or not. Refuses a campaign that does not exist. */
export async function addUsers(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  userIds: readonly string[],
): Promise<void> {
  if (!(await addCampaignUsers(db, campaignId, userIds))) throw noSuchCampaign();
}
