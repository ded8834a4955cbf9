import { isUuid, Refusal } from '@heliograph/core';
import { findCampaign, findLatestRun, findRun, type Run } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';
import { noSuchCampaign } from './get-campaign.ts';

/**
 * The run of that id, or the campaign's latest one that is no dry run; the campaign may have been deleted since. Refuses a run that does
 * not exist or is another campaign's.
 */
export async function getRun(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  runId: string | undefined,
): Promise<Run> {
  if (runId === undefined) {
    const run = await findLatestRun(db, campaignId);
    if (run !== undefined) return run;
  } else if (isUuid(runId)) {
    const run = await findRun(db, runId);
    if (run?.campaignId === campaignId) return run;
  }
  if ((await findCampaign(db, campaignId)) === undefined) throw noSuchCampaign();
  throw new Refusal('not_found', `The campaign has no ${runId === undefined ? '' : 'such '}run.`);
}
