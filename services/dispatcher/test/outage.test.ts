import { setTimeout as sleep } from 'node:timers/promises';

import {
  describeWithForeign,
  eventually,
  startOwnRedis,
  type OwnServer,
  type SpawnedService,
} from '@heliograph/testing';

import { startPrometheus, type Prometheus } from './prometheus.ts';
import { findMetricsUrl } from './scrape.ts';
import { openStack, type Stack } from './stack.ts';

const USERS = 20;
/** The fleet is measured every 10 s, and what is looked back on is as long. */
const WITHIN = { timeoutMs: 150_000 };
const RULES = new URL('../../../infra/prometheus/alerts.yml', import.meta.url).pathname;

describeWithForeign('promtool', 'an outage, as a real Prometheus sees it', (promtool) => {
  let redis: OwnServer;
  let stack: Stack;
  let api: SpawnedService;
  let dispatcher: SpawnedService;
  let prometheus: Prometheus;
  let posting: Promise<void>;
  const stopping = new AbortController();

  beforeAll(async () => {
    redis = await startOwnRedis();
    stack = await openStack({ redis });
    const users = await stack.makeAudience(USERS);
    api = await stack.startApi({ METRICS_PORT: '0' });
    dispatcher = await stack.startDispatcher();
    prometheus = await startPrometheus(promtool, RULES);
    await watch();
    posting = keepPosting(users);
  });
  afterAll(async () => {
    stopping.abort();
    await posting;
    await prometheus.close();
    await stack.close();
    await redis.stop();
  });

  async function watch(): Promise<void> {
    await prometheus.watch([await findMetricsUrl(api), await findMetricsUrl(dispatcher)]);
  }

  /** There is always something to be sent. */
  async function keepPosting(users: readonly string[]): Promise<void> {
    for (let n = 0; !stopping.signal.aborted; n += 1) {
      const message = { userId: users[n % USERS], body: { title: 'Hi' } };
      await stack
        .call(api, 'POST', '/push/message/send', { appId: 1, message, mode: 'ASYNCHRONOUS' })
        .catch(() => undefined);
      await sleep(100);
    }
  }

  /** Each of them, while what is wrong is left as it is. */
  async function fires(...names: string[]): Promise<void> {
    for (const name of names)
      await eventually(async () => expect(await prometheus.firing()).toContain(name), WITHIN);
  }
  const isQuiet = () =>
    eventually(async () => expect(await prometheus.firing()).toEqual([]), WITHIN);

  const saveKey = (changes: object = {}) =>
    stack.call(api, 'PUT', '/admin/app/ios/update', {
      id: 1,
      ...stack.sandbox.credentials.apns,
      ...changes,
    });

  async function resumeAll(): Promise<void> {
    const pauses = await stack.db
      .selectFrom('pauses')
      .select('id')
      .where('liftedAt', 'is', null)
      .execute();
    for (const { id } of pauses) await stack.call(api, 'POST', '/admin/pause/resume', { id });
  }

  test('is quiet while all is well', async () => {
    await eventually(async () => expect(await prometheus.isMeasured()).toBe(true), WITHIN);
    await isQuiet();
  });

  test('APNs answers 503: the provider fails, and its breaker opens', async () => {
    stack.sandbox.script('apns', {}, [
      { kind: 'refuse', status: 503, reason: 'ServiceUnavailable', times: 'always' },
    ]);

    await fires('HeliographProviderFailing', 'HeliographBreakerOpen');

    stack.sandbox.clearScripts();
    await resumeAll();
    await isQuiet();
  });

  test('APNs refuses a key: the app is paused there', async () => {
    await saveKey({ keyId: 'UNKNOWNKEY' });

    await fires('HeliographScopePaused');

    await saveKey();
    await isQuiet();
  });

  test('Redis is away: each process says so', async () => {
    await redis.kill();

    await fires('HeliographComponentDown');

    await redis.start();
    await isQuiet();
  });

  test('no dispatcher runs: nobody sends, and nobody measures the fleet', async () => {
    dispatcher.kill('SIGTERM');
    await dispatcher.exited;

    await fires('HeliographNoDispatcher', 'HeliographFleetNotMeasured');

    dispatcher = await stack.startDispatcher();
    await watch();
    await isQuiet();
  });

  test('nothing was cried about that was well all the time', async () => {
    const fired = await prometheus.fired();

    expect(fired).toContain('HeliographComponentDown');
    for (const name of [
      'HeliographCallbacksStuck',
      'HeliographCertificateEndsSoon',
      'HeliographGuardHolds',
      'HeliographLedgerImbalance',
      'HeliographShedding',
    ])
      expect(fired).not.toContain(name);
  });
});
