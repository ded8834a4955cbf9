import type { RunControl } from '@heliograph/core';
import { controlStoredRun } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';
import { getRun } from './get-run.ts';
import { getRunProgress, type RunProgress } from './run-progress.ts';

export interface RunControlRequest {
  readonly campaignId: number;
  /** Undefined: the latest one that is no dry run. */
  readonly runId: string | undefined;
  readonly control: RunControl;
  /** Of the control `rate`: messages per second over all dispatchers; undefined: as fast as they go. */
  readonly ratePerSecond?: number | undefined;
}

/** Does to the run what the control says, and answers its progress then. Refuses what makes no sense in the run's state. */
export async function controlRun(
  deps: Pick<CampaignDeps, 'db' | 'campaignLane'>,
  { campaignId, runId, control, ratePerSecond }: RunControlRequest,
): Promise<RunProgress> {
  const { id } = await getRun(deps, campaignId, runId);
  await controlStoredRun(deps.db, id, control, ratePerSecond ?? null);
  // Harmless where there is nothing to send: who takes the job looks at the run first.
  if (control !== 'pause' && control !== 'cancel') void deps.campaignLane.announce(id);
  return getRunProgress(deps.db, id);
}
