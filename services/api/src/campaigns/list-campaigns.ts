import { Refusal } from '@heliograph/core';
import {
  findLatestRuns,
  listCampaigns as selectCampaigns,
  type Campaign,
  type CampaignsQuery,
} from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';
import { listRunProgress, type RunProgress } from './run-progress.ts';

export interface CampaignListQuery extends Pick<
  CampaignsQuery,
  'appRef' | 'order' | 'after' | 'before'
> {
  /** Otherwise those only that were not sent. */
  readonly all: boolean;
  /** Undefined: all at once. */
  readonly size?: number | undefined;
  readonly includeRun?: boolean | undefined;
}

/** A campaign in a list. */
export interface ListedCampaign extends Campaign {
  /** Null where it has none; undefined where that was not asked for. */
  readonly latestRun?: RunProgress | null | undefined;
}

/** Campaigns, and their latest runs where these are asked for: three statements, however many they are. */
export async function listCampaigns(
  { db }: Pick<CampaignDeps, 'db'>,
  { all, size, includeRun = false, after, before, ...query }: CampaignListQuery,
): Promise<readonly ListedCampaign[]> {
  if (includeRun && size === undefined)
    throw new Refusal('invalid_request', 'includeRun takes a size.');
  if (after !== undefined && before !== undefined)
    throw new Refusal('invalid_request', 'Give after or before, and not both.');
  const found = await selectCampaigns(db, {
    ...query,
    after,
    before,
    unsentOnly: !all,
    limit: size,
  });
  if (!includeRun) return found;

  const runIds = await findLatestRuns(
    db,
    found.map(({ id }) => id),
  );
  const runs = await listRunProgress(db, [...runIds.values()]);
  const byId = new Map(runs.map((progress) => [progress.run.id, progress]));
  return found.map((campaign) => ({
    ...campaign,
    latestRun: byId.get(runIds.get(campaign.id) ?? '') ?? null,
  }));
}
