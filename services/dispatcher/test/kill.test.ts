import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { eventually, startOwnPostgres, startOwnRedis } from '@heliograph/testing';

import { expectNothingLost, openStack, type Stack } from './stack.ts';

jest.setTimeout(180_000);

/** Waits until so many pushes were accepted by the fake providers. */
const arrived = (stack: Stack, count: number) =>
  eventually(() => expect(stack.accepted().length).toBeGreaterThanOrEqual(count), {
    timeoutMs: 60_000,
  });

/** What the process had written to its sockets arrives though it is dead. Answers how many pushes were accepted once no more come. */
async function allArrived(stack: Stack): Promise<number> {
  for (let before = -1; ; await sleep(1_000)) {
    const now = stack.accepted().length;
    if (now === before) return now;
    before = now;
  }
}

describe('kill -9 of a dispatcher in the middle of 5,000 messages', () => {
  test('loses none; repeats at most what it had sent and not recorded, with the same ids', async () => {
    const stack = await openStack();
    try {
      const users = await stack.makeAudience(5_000);
      const api = await stack.startApi();
      const victim = await stack.startDispatcher();
      const posting = stack.post(api, users);
      await arrived(stack, 1_000);

      victim.kill('SIGKILL');
      await victim.exited;
      const messageIds = await posting;
      const unrecorded = (await allArrived(stack)) - (await stack.countSent(messageIds));
      await stack.startDispatcher();

      expect(messageIds).toHaveLength(5_000);
      await expectNothingLost(stack, messageIds, { maxRepeats: unrecorded });
    } finally {
      await stack.close();
    }
  });
});

describe('SIGSTOP of a dispatcher for longer than its lease', () => {
  test('lets the other one take over; when it goes on, it sends at most what was in flight', async () => {
    const stack = await openStack();
    try {
      const users = await stack.makeAudience(2_000);
      const api = await stack.startApi();
      const sleeper = await stack.startDispatcher();
      const posting = stack.post(api, users);
      await arrived(stack, 200);

      sleeper.kill('SIGSTOP');
      const messageIds = await posting;
      // It may have been stopped in the middle of handing over what it had checked a moment before.
      const inFlight = await stack.countLeased(messageIds);
      await stack.startDispatcher();
      await stack.settled(messageIds);
      sleeper.kill('SIGCONT');
      // Time for it to do wrong: whatever it still sent would arrive now.
      await sleep(3_000);

      expect(inFlight).toBeLessThan(1_000);
      await expectNothingLost(stack, messageIds, { maxRepeats: inFlight });
    } finally {
      await stack.close();
    }
  });
});

describe('kill -9 of the api between accepting and enqueuing', () => {
  test('loses none: the sweep finds what was never announced', async () => {
    const redis = await startOwnRedis();
    const stack = await openStack({ redis });
    try {
      const users = await stack.makeAudience(200);
      const api = await stack.startApi();
      // Without Redis a message is stored and answered, and its announcement fails.
      await redis.kill();
      const messageIds = await stack.post(api, users);
      api.kill('SIGKILL');
      await api.exited;
      await redis.start();
      await stack.startDispatcher();

      expect(messageIds).toHaveLength(200);
      await expectNothingLost(stack, messageIds, { maxRepeats: 0 });
    } finally {
      await stack.close();
      await redis.stop();
    }
  });
});

describe('FLUSHALL on Redis in the middle', () => {
  test('loses none and repeats none', async () => {
    const redis = await startOwnRedis();
    const stack = await openStack({ redis });
    const client = new Redis(redis.url);
    try {
      const users = await stack.makeAudience(3_000);
      const api = await stack.startApi();
      await stack.startDispatcher();
      const posting = stack.post(api, users);
      for (const count of [100, 800, 1_500]) {
        await arrived(stack, count);
        await client.flushall();
      }
      const messageIds = await posting;

      expect(messageIds).toHaveLength(3_000);
      await expectNothingLost(stack, messageIds, { maxRepeats: 0 });
    } finally {
      client.disconnect();
      await stack.close();
      await redis.stop();
    }
  });
});

describe('a restart of PostgreSQL in the middle', () => {
  test('loses nothing that was accepted, and repeats none: outcomes wait for it', async () => {
    const postgres = await startOwnPostgres({ durable: true });
    const stack = await openStack({ postgres });
    try {
      const users = await stack.makeAudience(3_000);
      const api = await stack.startApi();
      await stack.startDispatcher();
      const posting = stack.post(api, users);
      await arrived(stack, 500);

      await postgres.restart();
      const messageIds = await posting;

      expect(messageIds).toHaveLength(3_000);
      await expectNothingLost(stack, messageIds, { maxRepeats: 0 });
    } finally {
      await stack.close();
      await postgres.stop();
    }
  });
});
