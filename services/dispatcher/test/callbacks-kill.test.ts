import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { eventually, type SpawnedService } from '@heliograph/testing';

import { openReceiver, RECEIVER_CA, type Receiver } from './receiver.ts';
import { expectNothingLost, openStack, type Stack } from './stack.ts';

jest.setTimeout(180_000);

const PATIENCE = { timeoutMs: 90_000 };

let stack: Stack;
let receiver: Receiver;
let folder: string;
const secrets: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'callbacks-kill-'));
  const caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, RECEIVER_CA);
  receiver = await openReceiver(secrets);
  stack = await openStack(
    {},
    { CALLBACK_CA_FILE: caFile, CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true' },
  );
});
afterEach(async () => {
  await stack.close();
  await receiver.close();
  await rm(folder, { recursive: true });
});

async function register(api: SpawnedService): Promise<void> {
  const made = await stack.call(api, 'POST', '/admin/app/callback/create', {
    appId: 1,
    url: receiver.url,
  });
  secrets.push(String(made['secret']));
}

/** Every delivery of the messages was told of, under one id however often. */
async function expectAllTold(messageIds: readonly string[]): Promise<void> {
  await eventually(() => {
    const told = new Set(receiver.taken().map(({ data }) => data['messageId']));
    expect(messageIds.filter((id) => !told.has(id))).toEqual([]);
  }, PATIENCE);
  const ids = new Map<unknown, Set<string>>();
  for (const { events } of receiver.received)
    for (const { id, data } of events)
      ids.set(data['deliveryId'], (ids.get(data['deliveryId']) ?? new Set()).add(id));
  expect(ids.size).toBe(messageIds.length);
  expect([...ids.values()].filter(({ size }) => size !== 1)).toEqual([]);
  expect(receiver.received.every(({ signedWith }) => signedWith !== undefined)).toBe(true);
}

describe('kill -9 of a dispatcher', () => {
  test('between a request and the record that it was taken repeats it, and loses no outcome', async () => {
    const users = await stack.makeAudience(1_000);
    const api = await stack.startApi();
    await register(api);
    const victim = await stack.startDispatcher();
    let eventsUntilKill = 200;
    receiver.answer(({ events }, response) => {
      eventsUntilKill -= events.length;
      if (eventsUntilKill > 0) return response.end();
      // What was told in this request was heard, and its sender never learns of it.
      victim.kill('SIGKILL');
      receiver.answer((_, later) => void later.end());
      return undefined;
    });

    const messageIds = await stack.post(api, users);
    await victim.exited;
    const unanswered = receiver.received.at(-1)?.events ?? [];
    await stack.startDispatcher();

    await expectNothingLost(stack, messageIds, { maxRepeats: 1_000 });
    await expectAllTold(messageIds);
    const again = receiver.taken().map(({ id }) => id);
    expect(unanswered.length).toBeGreaterThan(0);
    expect(again).toEqual(expect.arrayContaining(unanswered.map(({ id }) => id)));
  });
});

describe('SIGSTOP of a dispatcher for longer than its lease on a callback', () => {
  test('lets the other take over, and moves nothing back when it goes on', async () => {
    const users = await stack.makeAudience(40);
    const api = await stack.startApi();
    await register(api);
    const sleeper = await stack.startDispatcher();
    const held: (() => void)[] = [];
    receiver.answer((_, response) => {
      held.push(() => void response.end());
      sleeper.kill('SIGSTOP');
    });

    const first = await stack.post(api, users.slice(0, 20));
    await eventually(() => expect(held).toHaveLength(1), PATIENCE);
    receiver.answer((_, response) => void response.end());
    await stack.startDispatcher();
    const second = await stack.post(api, users.slice(20));
    await stack.settled([...first, ...second]);
    await expectAllTold([...first, ...second]);
    const before = receiver.received.length;
    held[0]?.();
    sleeper.kill('SIGCONT');
    const third = await stack.post(api, users.slice(0, 5));
    await stack.settled(third);
    await expectAllTold([...first, ...second, ...third]);

    // What came after that is what was new, and nothing of before.
    const since = receiver.received.slice(before).flatMap(({ events }) => events);
    expect(since.map(({ data }) => String(data['messageId'])).toSorted()).toEqual(third.toSorted());
  });
});
