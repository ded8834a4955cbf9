import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createSecretBox } from '@heliograph/core';
import { EnvReader } from '@heliograph/runtime';
import {
  eventually,
  startRedisCluster,
  startSentinelRedis,
  startTlsRedis,
  type RedisFleet,
} from '@heliograph/testing';

import {
  createNonces,
  createPaceBuckets,
  createRateLimit,
  createRequestRate,
  createSharedSecrets,
  openCampaignLane,
  openCampaignWorker,
  openLane,
  openLaneWorker,
  openRedis,
  publishOutcomes,
  readRedisSettings,
  readRedisTimeMs,
  subscribeOutcomes,
  type RedisClient,
  type RedisUse,
} from './index.ts';

jest.setTimeout(240_000);

const noted: Error[] = [];
const closers: (() => unknown)[] = [];
const onError = (error: Error) => void noted.push(error);

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  noted.splice(0);
});

function settingsOf(env: Readonly<Record<string, string>>) {
  const read = new EnvReader(env);
  return read.finish(readRedisSettings(read));
}

async function open(env: Readonly<Record<string, string>>, use: RedisUse): Promise<RedisClient> {
  const redis = openRedis(settingsOf(env).target, use, onError);
  closers.push(() => redis.disconnect());
  await eventually(async () => expect(await redis.ping()).toBe('PONG'));
  return redis;
}

/** Does everything that we do with Redis, as often as it is called, over the same connections. */
async function openEverything(env: Readonly<Record<string, string>>): Promise<() => Promise<void>> {
  const { prefix } = settingsOf(env);
  const options = { prefix, onError };
  const commands = await open(env, 'command');
  const [messages, campaigns] = [await open(env, 'blocking'), await open(env, 'blocking')];

  const lane = openLane(commands, options);
  const campaignLane = openCampaignLane(commands, options);
  const heard: string[] = [];
  const workers = [
    openLaneWorker(messages, async (job) => void heard.push(...job.deliveryIds), {
      ...options,
      concurrency: 4,
    }),
    openCampaignWorker(campaigns, async (runId) => void heard.push(runId), {
      ...options,
      concurrency: 4,
    }),
  ];
  closers.push(
    () => lane.close(),
    () => campaignLane.close(),
    () => Promise.all(workers.map((worker) => worker.close())),
  );
  const told: string[] = [];
  await subscribeOutcomes(await open(env, 'blocking'), prefix, (ids) => void told.push(...ids));
  const secrets = createSecretBox(randomBytes(32));
  const shared = createSharedSecrets(commands, { ...options, secrets });
  const rateLimit = createRateLimit(commands, options);
  const buckets = createPaceBuckets(commands, options);
  const requestRate = createRequestRate(commands, options);
  const nonces = createNonces(commands, { ...options, ttlMs: 10_000 });

  return async () => {
    const [now, later, run] = [randomUUID(), randomUUID(), randomUUID()];
    expect(await lane.announce([now])).toBe(true);
    expect(await lane.announce([later], 200)).toBe(true);
    expect(await campaignLane.announce(run)).toBe(true);
    await eventually(() => expect(heard).toEqual(expect.arrayContaining([now, later, run])));

    const messageId = randomUUID();
    // A subscription in a cluster is at a node of its own, which is told a moment later.
    await eventually(async () => {
      await publishOutcomes(commands, prefix, [messageId], onError);
      expect(told).toContain(messageId);
    });

    const name = randomUUID();
    expect(await shared.tryUpdate(name, 5_000, async () => ({ value: 'x', ttlMs: 5_000 }))).toBe(
      true,
    );
    expect(await shared.read(name)).toBe('x');
    expect(await rateLimit.take(name, 4, 1)).toMatchObject({ granted: 1 });
    const pace = { ceiling: 40, base: 40 };
    expect(await buckets.take(name, pace, 3)).toMatchObject({
      granted: 3,
    });
    expect(await requestRate.take(name, 40, 3)).toMatchObject({ granted: 3 });
    await nonces.accept(1, name);
    expect(await nonces.claim(1, name)).toBe('accepted');
    expect(await readRedisTimeMs(commands)).toBeGreaterThan(0);
  };
}

describe('a cluster of three', () => {
  let fleet: RedisFleet;

  beforeAll(async () => {
    fleet = await startRedisCluster();
  });

  afterAll(() => fleet.stop());

  test('serves lanes, hints, secrets and permits', async () => {
    const works = await openEverything(fleet.env);

    await works();

    expect(noted).toEqual([]);
  });

  test('is asked for no script over keys in different slots, since ours are all in one', async () => {
    const redis = await open(fleet.env, 'command');
    const script = "redis.call('SET', KEYS[1], '1') return redis.call('GET', KEYS[2])";

    await expect(redis.eval(script, 2, 'heliograph:a', 'heliograph:b')).rejects.toThrow(/slot/);
    await expect(redis.eval(script, 2, '{heliograph}:a', '{heliograph}:b')).resolves.toBeNull();
  });
});

describe('a primary watched by sentinels', () => {
  test('serves lanes, hints, secrets and permits, before and after another one took its place', async () => {
    const fleet = await startSentinelRedis();
    try {
      const works = await openEverything(fleet.env);
      const commands = await open(fleet.env, 'command');
      await works();

      await fleet.servers[0]?.kill();
      await eventually(async () => expect(await commands.set('k', 'v')).toBe('OK'), {
        timeoutMs: 60_000,
      });

      // Each connection finds the new primary by itself, and what was written to none is lost: hints may be.
      await eventually(works, { timeoutMs: 90_000 });
    } finally {
      for (const close of closers.splice(0).toReversed()) await close();
      await fleet.stop();
    }
  });
});

describe('a Redis that speaks TLS and asks who we are', () => {
  let fleet: Awaited<ReturnType<typeof startTlsRedis>>;
  let folder: string;
  let files: { REDIS_CA_FILE: string; REDIS_CERT_FILE: string; REDIS_KEY_FILE: string };

  beforeAll(async () => {
    fleet = await startTlsRedis();
    folder = mkdtempSync(path.join(tmpdir(), 'heliograph-tls-'));
    const write = (name: string, content: string) => {
      writeFileSync(path.join(folder, name), content, { mode: 0o600 });
      return path.join(folder, name);
    };
    files = {
      REDIS_CA_FILE: write('ca.pem', fleet.caPem),
      REDIS_CERT_FILE: write('cert.pem', fleet.certPem),
      REDIS_KEY_FILE: write('key.pem', fleet.keyPem),
    };
  });

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await fleet.stop();
  });

  test('serves whoever trusts its authority and shows a certificate', async () => {
    const works = await openEverything({ ...fleet.env, ...files });

    await works();

    expect(noted).toEqual([]);
  });

  test.each<[string, (keyof typeof files)[], RegExp]>([
    [
      'is not trusted without its authority',
      ['REDIS_CERT_FILE', 'REDIS_KEY_FILE'],
      /verify the first certificate|self.signed|unable to/i,
    ],
    ['does not serve whoever shows no certificate', ['REDIS_CA_FILE'], /certificate required/i],
  ])('%s', async (_, names, mistake) => {
    const given = Object.fromEntries(names.map((name) => [name, files[name]]));
    const redis = openRedis(settingsOf({ ...fleet.env, ...given }).target, 'blocking', onError);
    closers.push(() => redis.disconnect());

    await eventually(() =>
      expect(noted.map(String)).toEqual(expect.arrayContaining([expect.stringMatching(mistake)])),
    );
    expect(redis.status).not.toBe('ready');
  });
});
