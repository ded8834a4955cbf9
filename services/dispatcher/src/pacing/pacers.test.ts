import type { ApnsCredential, FcmCredential, ProxyCredential } from '@heliograph/providers';
import { createPaceBuckets, openRedis, type Pace, type PaceBuckets } from '@heliograph/queue';
import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import type { PaceLane, Pacer } from './pacer.ts';
import { createPacers } from './pacers.ts';
import { StashPacer } from './stash-pacer.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function ignore(): void {}

async function connect(url: string): Promise<Redis> {
  const redis = openRedis(url, 'command', ignore);
  closing.push(() => redis.disconnect());
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

/** Real buckets, with every call noted. */
async function openBuckets(redisUrl?: string) {
  const { url, prefix } =
    redisUrl === undefined ? await openTestRedis() : { url: redisUrl, prefix: 'x' };
  const real = createPaceBuckets(await connect(url), { prefix, onError: ignore });
  const calls: { verb: keyof PaceBuckets; count: number }[] = [];
  const note = (verb: keyof PaceBuckets, count = 0) => void calls.push({ verb, count });
  const buckets: PaceBuckets = {
    take: (name, pace, wanted, options) => (
      note('take', wanted),
      real.take(name, pace, wanted, options)
    ),
    giveBack: (name, pace, unused) => (note('giveBack', unused), real.giveBack(name, pace, unused)),
    slowDown: (name, pace, holdMs) => (note('slowDown', holdMs), real.slowDown(name, pace, holdMs)),
  };
  return { buckets, calls };
}

function openPacer(buckets: PaceBuckets, pace: Pace): StashPacer {
  const deps = { buckets, clockMs: () => performance.now(), onError: ignore };
  const pacer = new StashPacer(deps, 'p', pace);
  closing.push(() => pacer.close());
  return pacer;
}

const steady = (perSecond: number): Pace => ({ ceiling: perSecond, base: perSecond });

async function takeOne(pacer: Pacer, lane: PaceLane): Promise<void> {
  while (!pacer.tryTake(lane)) await pacer.whenReady(lane);
}

/** Takes what is at hand; answers how many. */
function drain(pacer: Pacer, lane: PaceLane): number {
  let taken = 0;
  while (pacer.tryTake(lane)) taken += 1;
  return taken;
}

describe('a pacer', () => {
  test('keeps the rate together with other dispatchers, and asks Redis for many permits at once', async () => {
    const { buckets, calls } = await openBuckets();
    const pacers = [openPacer(buckets, steady(2_000)), openPacer(buckets, steady(2_000))];
    const startedAt = performance.now();
    const seconds = () => (performance.now() - startedAt) / 1000;
    let taken = 0;

    await Promise.all(
      pacers.map(async (pacer) => {
        while (seconds() < 1.5) {
          taken += drain(pacer, 'campaign');
          await pacer.whenReady('campaign');
        }
      }),
    );

    expect(taken).toBeLessThanOrEqual(500 + 2_000 * seconds() * 1.001);
    expect(taken).toBeGreaterThan(1_000);
    expect(calls.filter(({ verb }) => verb === 'take').length).toBeLessThan(taken / 15);
  });

  test('has a message’s permit at once, without a word to Redis, while the lane is in use', async () => {
    const { buckets, calls } = await openBuckets();
    const pacer = openPacer(buckets, steady(1_000));
    await takeOne(pacer, 'message');
    const asked = calls.length;

    expect(pacer.tryTake('message')).toBe(true);

    expect(calls).toHaveLength(asked);
  });

  test('leaves the last tenth of a batch to messages', async () => {
    const { buckets } = await openBuckets();
    const pacer = openPacer(buckets, steady(4_000));
    await pacer.whenReady('campaign');

    const campaign = drain(pacer, 'campaign');
    const refused = pacer.tryTake('campaign');
    const messages = drain(pacer, 'message');

    expect(campaign).toBeGreaterThan(0);
    expect(refused).toBe(false);
    expect(messages).toBeGreaterThanOrEqual(1);
  });

  test('lets campaigns have single permits, where the rate knows no others', async () => {
    const { buckets } = await openBuckets();
    const pacer = openPacer(buckets, steady(4));

    await takeOne(pacer, 'campaign');
    await takeOne(pacer, 'campaign');
  });

  test('serves a message before the campaigns that waited longer', async () => {
    const { buckets } = await openBuckets();
    const pacer = openPacer(buckets, steady(4));
    await takeOne(pacer, 'campaign');
    const order: string[] = [];
    const wait = async (lane: PaceLane) => {
      await takeOne(pacer, lane);
      order.push(lane);
    };

    await Promise.all([wait('campaign'), wait('campaign'), wait('message')]);

    expect(order).toEqual(['message', 'campaign', 'campaign']);
  });

  test('gives back what nobody used', async () => {
    const { buckets, calls } = await openBuckets();
    const pacer = openPacer(buckets, steady(1_000));

    await takeOne(pacer, 'message');

    const taken = calls[0]?.count ?? 0;
    await eventually(() => expect(calls).toContainEqual({ verb: 'giveBack', count: taken - 1 }));
    await takeOne(pacer, 'message');
  });

  test('takes a permit back', async () => {
    const { buckets } = await openBuckets();
    const pacer = openPacer(buckets, steady(4));
    await takeOne(pacer, 'message');
    expect(pacer.tryTake('message')).toBe(false);

    pacer.putBack();

    expect(pacer.tryTake('message')).toBe(true);
  });

  test('gives back its permits and grants nothing more once it is closed', async () => {
    const { buckets, calls } = await openBuckets();
    const pacer = openPacer(buckets, steady(1_000));
    await pacer.whenReady('message');

    await pacer.close();

    expect(calls.at(-1)).toMatchObject({ verb: 'giveBack', count: calls[0]?.count });
    expect(pacer.tryTake('message')).toBe(false);
    await pacer.whenReady('message');
    expect(pacer.tryTake('message')).toBe(false);
  });

  test('tells the fleet once of refusals that come together, and drops its stash', async () => {
    const { buckets, calls } = await openBuckets();
    const pacer = openPacer(buckets, { ceiling: 8_000, base: 1_000 });
    await pacer.whenReady('campaign');

    for (let n = 0; n < 500; n += 1) pacer.slowDown();

    expect(pacer.tryTake('message')).toBe(false);
    expect(calls.filter(({ verb }) => verb === 'slowDown')).toHaveLength(1);
    await takeOne(pacer, 'campaign');
  });

  test('grants nothing to anybody while the provider wants to be left alone, and keeps nobody waiting without end', async () => {
    const { buckets, calls } = await openBuckets();
    const pacer = openPacer(buckets, steady(1_000));
    const other = openPacer(buckets, steady(1_000));
    await pacer.whenReady('message');

    pacer.slowDown(60_000);
    expect(calls.at(-1)).toEqual({ verb: 'slowDown', count: 60_000 });

    expect(pacer.tryTake('message')).toBe(false);
    await other.whenReady('message');
    await other.whenReady('message');
    expect(other.tryTake('message')).toBe(false);
    expect(pacer.tryTake('campaign')).toBe(false);
  });

  test('lets messages trickle while Redis is away, and no campaign', async () => {
    const server = await startOwnRedis();
    closing.push(() => server.stop());
    const { buckets } = await openBuckets(server.url);
    const pacer = openPacer(buckets, steady(1_000));
    await server.kill();
    let campaigns = 0;
    let ended = false;
    const campaign = (async () => {
      while (!ended) {
        campaigns += drain(pacer, 'campaign');
        await pacer.whenReady('campaign');
      }
    })();
    const startedAt = performance.now();

    for (let n = 0; n < 10; n += 1) await takeOne(pacer, 'message');

    // Twenty a second, and no more than a second's worth saved up.
    expect(performance.now() - startedAt).toBeGreaterThan(400);
    expect(campaigns).toBe(0);
    await server.start();
    await eventually(() => expect(campaigns).toBeGreaterThan(0));
    ended = true;
    await campaign;
  });
});

const APNS: ApnsCredential = {
  provider: 'apns',
  route: 'direct',
  auth: 'token',
  id: '1/apns',
  version: 1,
  environment: undefined,
  bundle: 'com.example',
  keyId: 'KEYID12345',
  teamId: 'TEAMID1234',
  privateKey: Buffer.alloc(0),
};
const FCM: FcmCredential = {
  provider: 'fcm',
  route: 'direct',
  id: '1/fcm',
  version: 1,
  projectId: 'example',
  serviceAccount: Buffer.alloc(0),
};
const PROXY: ProxyCredential = {
  provider: 'fcm',
  route: 'proxy',
  id: '1/fcm',
  version: 1,
  url: 'https://proxy.example/',
  schema: 'current',
  goneOn: [],
  retry: 'documented',
};

describe('pacers', () => {
  async function open() {
    const { buckets } = await openBuckets();
    let nowMs = 0;
    const pacers = createPacers({ buckets, clockMs: () => nowMs, onError: ignore });
    closing.push(() => pacers.close());
    return { pacers, pass: (ms: number) => (nowMs += ms) };
  }

  test('let APNs go as fast as it takes, unless an operator limits a credential', async () => {
    const { pacers } = await open();

    expect(pacers.of(APNS)).toBeUndefined();
    const limited = pacers.of({ ...APNS, ratePerSecond: 4 });

    if (limited === undefined) throw new Error('not paced');
    await takeOne(limited, 'message');
    expect(limited.tryTake('message')).toBe(false);
  });

  test('let a customer’s proxy be sent to as fast as it takes, until it asks for a pause, or within what an operator allows', async () => {
    const { pacers } = await open();
    const pacer = pacers.of(PROXY);
    const limited = pacers.of({ ...PROXY, ratePerSecond: 4 });
    if (pacer === undefined || limited === undefined) throw new Error('not paced');

    for (let n = 0; n < 500; n += 1) await takeOne(pacer, 'message');
    await takeOne(limited, 'message');
    const second = limited.tryTake('message');
    pacer.slowDown(60_000);

    expect(second).toBe(false);
    await pacer.whenReady('message');
    expect(pacer.tryTake('message')).toBe(false);
  });

  test('are one for all apps of a Firebase project, and others for other projects', async () => {
    const { pacers } = await open();

    const pacer = pacers.of(FCM);

    expect(pacer).toBeDefined();
    expect(pacers.of({ ...FCM, id: '2/fcm' })).toBe(pacer);
    expect(pacers.of({ ...FCM, projectId: 'other' })).not.toBe(pacer);
  });

  test('keep both the project’s pace and the credential’s own', async () => {
    const { pacers } = await open();
    const project = pacers.of(FCM);
    const own = pacers.of({ ...FCM, ratePerSecond: 4 });
    if (project === undefined || own === undefined) throw new Error('not paced');

    await takeOne(own, 'message');
    const second = own.tryTake('message');
    await takeOne(project, 'message');
    project.slowDown(60_000);

    expect(second).toBe(false);
    // The project's refusal holds the credential, too; waiting for both is bounded.
    await own.whenReady('message');
    expect(own.tryTake('message')).toBe(false);
    expect(pacers.of({ ...FCM, ratePerSecond: 4 })).toBe(own);
    expect(pacers.of({ ...FCM, ratePerSecond: 5 })).not.toBe(own);
  });

  test('are forgotten when they were not asked for in a minute', async () => {
    const { pacers, pass } = await open();
    const pacer = pacers.of(FCM);
    pass(59_000);
    expect(pacers.of(FCM)).toBe(pacer);
    pass(61_000);

    pacers.of({ ...FCM, projectId: 'other' });

    expect(pacers.of(FCM)).not.toBe(pacer);
  });
});
