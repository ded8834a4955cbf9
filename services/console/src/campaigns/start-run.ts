import type { HeliographClient, RunProgress, SendLiveCampaign } from '@heliograph/client';

import { firstPage } from '../api/first-page.ts';

const LOOK_EVERY_MS = 500;
/** Dry runs may stand before it. */
const LOOK_AT = 20;

/**
 * Starts a live send, and resolves with its run as soon as that is there: the call itself answers when the run is over, or stands still. The
 * same key starts it once, however often this is called. Rejects where the api refuses.
 */
export async function startRun(
  api: HeliographClient,
  campaignId: number,
  options: SendLiveCampaign,
  idempotencyKey: string,
): Promise<Pick<RunProgress, 'campaignId' | 'runId'>> {
  const listLive = async (signal?: AbortSignal) => {
    const { runs } = await firstPage(api.runs.list(campaignId, { size: LOOK_AT }, { signal }));
    return runs.filter(({ dryRun }) => !dryRun);
  };
  const before = new Set((await listLive()).map(({ runId }) => runId));
  const leave = new AbortController();
  const { signal } = leave;

  const look = async (): Promise<RunProgress> => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      // Looking may fail: the call is what counts.
      const runs = await listLive(signal).catch(() => []);
      const started = runs.find(({ runId }) => !before.has(runId));
      if (started !== undefined) return started;
      if (signal.aborted) return await new Promise(() => {});
    }
  };

  try {
    // A run that is listed is stored: nobody needs to wait for the call.
    return await Promise.race([
      api.campaigns.sendLive(campaignId, options, { idempotencyKey, signal }),
      look(),
    ]);
  } finally {
    leave.abort();
  }
}
