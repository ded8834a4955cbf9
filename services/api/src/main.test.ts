import { openTestRedis, spawnService, useTestDatabase } from '@heliograph/testing';

const database = useTestDatabase();
let env: Record<string, string>;

beforeAll(async () => {
  const redis = await openTestRedis();
  env = { DATABASE_URL: database.url, REDIS_URL: redis.url, QUEUE_PREFIX: redis.prefix };
});

describe('the api process', () => {
  test('tells its port, says that it is a sandbox, and ends with its signal', async () => {
    const api = spawnService('api', env);
    await api.waitReady();

    const status = await fetch(`${api.url}/push/service/status`);
    const { responseObject } = (await status.json()) as { responseObject: object };
    api.kill();

    expect(responseObject).toMatchObject({ providers: 'sandbox', version: expect.any(String) });
    expect(await api.exited).toBe(0);
    expect(api.output).toContain('PROVIDERS=sandbox');
  });

  test('says so when its port is taken', async () => {
    const first = spawnService('api', env);
    await first.waitReady();

    const second = spawnService('api', { ...env, PORT: new URL(first.url).port });
    const code = await second.exited;
    first.kill();
    await first.exited;

    expect(code).toBe(1);
    expect(second.output).toContain('is in use');
  });

  test('does not start on a database of the other kind', async () => {
    const first = spawnService('api', env);
    await first.waitReady();
    first.kill();
    await first.exited;

    const live = spawnService('api', { ...env, PROVIDERS: 'live' });

    expect(await live.exited).toBe(1);
    expect(live.output).toContain('PROVIDERS=sandbox');
  });
});
