import { eventually, startRedisCluster, startSentinelRedis } from '@heliograph/testing';

import { expectNothingLost, openStack, type Stack } from './stack.ts';

jest.setTimeout(240_000);

const arrived = (stack: Stack, count: number) =>
  eventually(() => expect(stack.countAccepted()).toBeGreaterThanOrEqual(count), {
    timeoutMs: 60_000,
  });

describe('the primary of Redis in the middle of 3,000 messages', () => {
  test.each<[string, NodeJS.Signals]>([
    ['that dies', 'SIGKILL'],
    ['that hangs', 'SIGSTOP'],
  ])('%s is replaced, and none is lost or repeated', async (_, signal) => {
    const redisFleet = await startSentinelRedis();
    const stack = await openStack({ redisFleet });
    const primary = redisFleet.servers[0]?.pid ?? 0;
    try {
      const users = await stack.makeAudience(3_000);
      const api = await stack.startApi();
      await Promise.all([stack.startDispatcher(), stack.startDispatcher()]);
      const posting = stack.post(api, users);
      await arrived(stack, 500);

      process.kill(primary, signal);
      const messageIds = await posting;

      expect(messageIds).toHaveLength(3_000);
      await expectNothingLost(stack, messageIds, { maxRepeats: 0 });
    } finally {
      // It ends on SIGKILL as well when it is stopped.
      await stack.close();
      await redisFleet.stop();
    }
  });
});

describe('a cluster of Redis', () => {
  test('carries messages from the api to the dispatchers, and their outcomes back', async () => {
    const redisFleet = await startRedisCluster();
    const stack = await openStack({ redisFleet });
    try {
      const users = await stack.makeAudience(500);
      const api = await stack.startApi();
      await Promise.all([stack.startDispatcher(), stack.startDispatcher()]);

      const messageIds = await stack.post(api, users);
      const answer = await stack.call(api, 'POST', '/push/message/send', {
        appId: 1,
        message: { userId: users[0], body: { title: 'Hi' } },
      });

      await expectNothingLost(stack, [...messageIds, ...(answer['messageIds'] as string[])], {
        maxRepeats: 0,
      });
      expect(answer).toMatchObject({ ios: { sent: 1, pending: 0 } });
    } finally {
      await stack.close();
      await redisFleet.stop();
    }
  });
});
