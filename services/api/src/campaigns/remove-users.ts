import { removeCampaignUsers } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

/** Afterwards none of them is in the campaign; that some were not, or that there is no such campaign, is no error. */
export async function removeUsers(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  userIds: readonly string[],
): Promise<void> {
  await removeCampaignUsers(db, campaignId, userIds);
}
