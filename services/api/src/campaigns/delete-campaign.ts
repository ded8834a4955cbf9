import { deleteCampaign as deleteRows } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

/** Deletes a campaign with its users, sent or not. Answers whether there was one. Refuses while a run of it is not over. */
export async function deleteCampaign(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
): Promise<boolean> {
  return deleteRows(db, campaignId);
}
