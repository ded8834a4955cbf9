import { setTimeout as sleep } from 'node:timers/promises';

import {
  addApnsUsers,
  type BenchRun,
  createCampaign,
  startRun,
  waitUntilOver,
} from './campaigns.ts';
import { insertApnsDevices } from './devices.ts';
import type { Sink } from './sink/sink.ts';
import type { Stack } from './stack.ts';

/** Two, so that one sends while the next is being frozen. */
const CAMPAIGNS = 2;
const DEVICES = 100_000;
/** Above those of other apps. */
const FIRST_DEVICE = 10_000_000;
const POLL_MS = 50;

/** Campaigns that are sent again and again: the dispatcher always has more of them than it can send. */
export interface CampaignFlood {
  /** Cancels what is under way, and waits until it is over. */
  stop(): Promise<void>;
}

/** Registers devices of the app for APNs, and floods the dispatcher with campaigns to them. Resolves when their pushes arrive. */
export async function startCampaignFlood(
  stack: Stack,
  sink: Sink,
  appId: string,
  appRef: number,
): Promise<CampaignFlood> {
  await insertApnsDevices(stack.db, appRef, DEVICES, FIRST_DEVICE);
  const { requests: before } = await sink.count();
  const current = new Map<number, BenchRun>();
  let stopped = false;

  async function keepSending(campaignId: number): Promise<void> {
    while (!stopped) {
      const run = await startRun(stack, campaignId);
      current.set(campaignId, run);
      await waitUntilOver(stack.db, run);
    }
  }
  const floods: Promise<void>[] = [];
  for (let n = 0; n < CAMPAIGNS; n += 1) {
    const campaignId = await createCampaign(stack, appId);
    await addApnsUsers(stack.db, campaignId, DEVICES, FIRST_DEVICE);
    floods.push(keepSending(campaignId));
  }
  const all = Promise.all(floods);
  // Who waits for the first push, or stops it, hears of it.
  all.catch(() => undefined);
  const arrive = async () => {
    while ((await sink.count()).requests === before) await sleep(POLL_MS);
  };
  await Promise.race([arrive(), all]);

  return {
    async stop() {
      stopped = true;
      for (const [campaignId, { id }] of current)
        await stack.client
          .call(`/push/campaign/${campaignId}/run/cancel`, { runId: id })
          // It is over already.
          .catch(() => undefined);
      await all;
    },
  };
}
