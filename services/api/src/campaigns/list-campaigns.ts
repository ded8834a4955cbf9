import { listCampaigns as selectCampaigns, type Campaign } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

/** In the order of their creation; those that were sent only with `all`. */
export async function listCampaigns(
  { db }: Pick<CampaignDeps, 'db'>,
  { all }: { readonly all: boolean },
): Promise<readonly Campaign[]> {
  return selectCampaigns(db, { unsentOnly: !all });
}
