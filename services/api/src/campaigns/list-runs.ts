import { listRuns as selectRuns } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';
import { listRunProgress, type RunProgress } from './run-progress.ts';

/** One page of the campaign's runs, the latest first, dry ones too; empty past the end, and for a campaign that never was. */
export async function listRuns(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  { page, size }: { readonly page: number; readonly size: number },
): Promise<readonly RunProgress[]> {
  const runs = await selectRuns(db, campaignId, { offset: page * size, limit: size });
  return listRunProgress(
    db,
    runs.map((run) => run.id),
  );
}
