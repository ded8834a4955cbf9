import { Refusal } from '@heliograph/core';
import { findCampaign, type Campaign } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

/** Refuses a campaign that does not exist. */
export async function getCampaign(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
): Promise<Campaign> {
  const campaign = await findCampaign(db, campaignId);
  if (campaign === undefined) throw noSuchCampaign();
  return campaign;
}

/** In the original's words, which its callers know. */
export function noSuchCampaign(): Refusal {
  return new Refusal('invalid_request', 'Campaign with entered ID does not exist');
}
