import { Redis } from 'ioredis';
import { sql } from 'kysely';

import { openTestDatabase, openTestRedis, startOwnPostgres, startOwnRedis } from './index.ts';

describe('startOwnPostgres', () => {
  test('comes back after a kill with what was committed', async () => {
    const server = await startOwnPostgres();
    const { db, close } = await openTestDatabase({ serverUrl: server.url });
    await sql`create table kept as select 42 as answer`.execute(db);
    const { pid } = server;

    await server.kill();
    await expect(sql`select 1`.execute(db)).rejects.toThrow();
    await server.start();

    const { rows } = await sql`select answer from kept`.execute(db);
    expect(rows).toEqual([{ answer: 42 }]);
    expect(server.pid).not.toBe(pid);
    await close();
    await server.stop();
  });
});

describe('startOwnRedis', () => {
  test('comes back empty after a restart, on the same port', async () => {
    const server = await startOwnRedis();
    const { url } = await openTestRedis(server.url);
    const redis = new Redis(url);
    redis.on('error', () => undefined);
    await redis.set('key', 'value');

    await server.restart();

    expect(await redis.get('key')).toBeNull();
    await redis.quit();
    await server.stop();
  });
});

describe('openTestRedis', () => {
  test('gives everyone a database and a prefix of their own', async () => {
    const [one, two] = await Promise.all([openTestRedis(), openTestRedis()]);

    expect(one.url).not.toBe(two.url);
    expect(one.prefix).not.toBe(two.prefix);
  });
});
