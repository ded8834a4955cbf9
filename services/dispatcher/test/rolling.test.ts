import { eventually, type SpawnedService } from '@heliograph/testing';
import { findLatestRun, findRun } from '@heliograph/db';

import { expectBalanced, makeCampaign, makeDevices } from './campaign-rig.ts';
import { openStack, toIdentity, type Stack } from './stack.ts';

jest.setTimeout(300_000);

/** How long a process may take to leave; what Kubernetes and Compose are told is longer. */
const GONE_WITHIN_MS = 25_000;
const DEVICES = 50_000;
/** While a process starts, which takes long on a busy machine: so the run lasts longer than all the replacing. */
const SLOW_PER_SECOND = 100;
const FAST_PER_SECOND = 2_000;

const arrived = (stack: Stack, count: number) =>
  eventually(() => expect(stack.countAccepted()).toBeGreaterThanOrEqual(count), {
    timeoutMs: 120_000,
  });

/** Asks a process to leave, as a rolling release does. Answers how long it took, and that it left in order. */
async function leave(service: SpawnedService): Promise<number> {
  const askedAt = performance.now();
  service.kill('SIGTERM');
  expect(await service.exited).toBe(0);
  return performance.now() - askedAt;
}

/** As a load balancer does: the one that leaves is asked first, and whatever it takes no more goes to the other. */
function balance(leaving: SpawnedService, other: SpawnedService): Pick<SpawnedService, 'url'> {
  const urls = [leaving.url];
  return {
    get url() {
      return urls.pop() ?? other.url;
    },
  };
}

describe(`dispatchers and api replaced one by one while a run to ${DEVICES} devices is sent`, () => {
  test('nothing is lost, nothing is repeated, and each is gone in time', async () => {
    const stack = await openStack();
    try {
      const app = await stack.makeSendingApp();
      const [apple, google] = [
        await makeDevices(stack.db, app, DEVICES - 5_000, { name: 'a', provider: 'apns' }),
        await makeDevices(stack.db, app, 5_000, { name: 'g', provider: 'fcm' }),
      ];
      const campaign = await makeCampaign(stack.db, app, [...apple, ...google]);
      let api = await stack.startApi();
      const dispatchers = await Promise.all([1, 2, 3].map(() => stack.startDispatcher()));
      await stack.call(api, 'POST', `/push/campaign/send/live/${campaign}`, {
        ratePerSecond: SLOW_PER_SECOND,
      });
      const { id: runId } = (await findLatestRun(stack.db, campaign)) ?? { id: '' };
      const setRate = (ratePerSecond: number) =>
        stack.call(api, 'POST', `/push/campaign/${campaign}/run/rate`, { ratePerSecond });
      const took: number[] = [];
      const messageIds: string[] = [];

      for (const [n, old] of dispatchers.entries()) {
        // The new one is there before the old one leaves, in the middle of sending fast.
        dispatchers[n] = await stack.startDispatcher();
        await setRate(FAST_PER_SECOND);
        await arrived(stack, stack.countAccepted() + FAST_PER_SECOND);
        messageIds.push(...(await stack.post(api, apple.slice(n * 20, n * 20 + 20))));
        const leaving = leave(old);
        await setRate(SLOW_PER_SECOND);
        took.push(await leaving);
      }
      const newApi = await stack.startApi();
      const posting = stack.post(balance(api, newApi), apple.slice(100, 120));
      took.push(await leave(api));
      messageIds.push(...(await posting));
      api = newApi;
      expect(await findRun(stack.db, runId)).toMatchObject({ state: 'running' });
      messageIds.push(...(await stack.post(api, apple.slice(120, 140))));
      await setRate(100_000);
      await stack.runIn(runId, 'completed', 150_000);
      await stack.settled(messageIds);

      expect(took.filter((ms) => ms > GONE_WITHIN_MS)).toEqual([]);
      expect(await expectBalanced(stack.db, runId)).toMatchObject({ sent: DEVICES, pending: 0 });
      // Every push once: those of the run, and those of the messages sent meanwhile.
      expect(stack.countAccepted()).toBe(DEVICES + messageIds.length);
      expect(new Set(stack.accepted().map(toIdentity)).size).toBe(stack.accepted().length);
    } finally {
      await stack.close();
    }
  });
});
