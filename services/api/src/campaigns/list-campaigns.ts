import { listCampaigns as selectCampaigns, type Campaign } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

/** In the order of their creation, of one app or of all; those that were sent only with `all`. */
export async function listCampaigns(
  { db }: Pick<CampaignDeps, 'db'>,
  { all, appRef }: { readonly all: boolean; readonly appRef: number | undefined },
): Promise<readonly Campaign[]> {
  return selectCampaigns(db, { unsentOnly: !all, appRef });
}
