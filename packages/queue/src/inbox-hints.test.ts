import { eventually, openTestRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import { publishInbox, subscribeInbox } from './inbox-hints.ts';
import { publishOutcomes, subscribeOutcomes } from './outcome-hints.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

async function connect(url: string, kind: 'command' | 'blocking'): Promise<Redis> {
  const redis = openRedis(url, kind, () => undefined);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

function fail(error: Error): never {
  throw error;
}

describe('hints about the inbox', () => {
  test('reach every api that listens under the prefix, whatever the users are called', async () => {
    const { url, prefix } = await openTestRedis();
    const heard: string[][] = [[], []];
    for (const list of heard)
      await subscribeInbox(await connect(url, 'blocking'), prefix, (ids) => list.push(...ids));
    const publisher = await connect(url, 'command');

    await publishInbox(publisher, `${prefix}-other`, ['of others'], fail);
    await publishInbox(publisher, prefix, ['a b', '["c"]', '\n"😀'], fail);

    const users = ['a b', '["c"]', '\n"😀'];
    await eventually(() => expect(heard).toEqual([users, users]));
  });

  test('share a connection with those about outcomes', async () => {
    const { url, prefix } = await openTestRedis();
    const listener = await connect(url, 'blocking');
    const [users, messages]: [string[], string[]] = [[], []];
    await subscribeInbox(listener, prefix, (ids) => users.push(...ids));
    await subscribeOutcomes(listener, prefix, (ids) => messages.push(...ids));
    const publisher = await connect(url, 'command');

    await publishOutcomes(publisher, prefix, ['m'], fail);
    await publishInbox(publisher, prefix, ['u'], fail);

    await eventually(() => expect([users, messages]).toEqual([['u'], ['m']]));
  });

  test('that are not ours, or that nobody can take, do no harm', async () => {
    const { url, prefix } = await openTestRedis();
    const heard: string[] = [];
    await subscribeInbox(await connect(url, 'blocking'), prefix, (ids) => heard.push(...ids));
    const publisher = await connect(url, 'command');

    for (const strange of ['', '{', '7', '{"a":1}', '[1,null]'])
      await publisher.publish(`${prefix}:inbox`, strange);
    await publishInbox(publisher, prefix, ['u'], fail);
    publisher.disconnect();
    const errors: Error[] = [];
    await publishInbox(publisher, prefix, ['v'], (error) => errors.push(error));

    await eventually(() => expect(heard).toEqual(['u']));
    expect(errors).toHaveLength(1);
  });
});
