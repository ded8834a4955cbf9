import { listCampaignUsers } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

/** One page of the users, in the order in which they were added; empty past the end, and for a campaign that does not exist. */
export async function listUsers(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  { page, size }: { readonly page: number; readonly size: number },
): Promise<readonly string[]> {
  return listCampaignUsers(db, campaignId, { offset: page * size, limit: size });
}
