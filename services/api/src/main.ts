import { fileURLToPath } from 'node:url';

import {
  claimMode,
  findApiKeys,
  findConsoleSessions,
  listInboxAfter,
  listInboxBehind,
  noteApiKeysUsed,
  noteConsoleSessionUsed,
  openDatabase,
  openSecretBox,
  pingDatabase,
} from '@heliograph/db';
import {
  createAttempts,
  createNonces,
  createRequestRate,
  openCampaignLane,
  openLane,
  openRedis,
  publishCheck,
  publishInbox,
  subscribeInbox,
  subscribeOutcomes,
} from '@heliograph/queue';
import {
  createHealth,
  createLogger,
  measureComponents,
  measureProcess,
  Metrics,
  openTracing,
  readVersion,
  runMain,
  Shutdown,
} from '@heliograph/runtime';
import { createPasswords } from '@heliograph/runtime/passwords';

import { createKeyRing } from './access/key-ring.ts';
import { createKeyUse } from './access/key-use.ts';
import { createRequestLimit } from './access/request-limit.ts';
import { openDirectories } from './activations/open-directories.ts';
import { createApp } from './app.ts';
import { listRunProgress } from './campaigns/run-progress.ts';
import { createRunWatcher } from './campaigns/run-watcher.ts';
import { loadConfig } from './config.ts';
import { readConsoleFiles } from './console/console-files.ts';
import type { OpenId } from './console/openid/open-id-sign-in.ts';
import type { OpenIdSettings } from './console/openid/open-id.ts';
import { createSignInLimit } from './console/sign-in-limit.ts';
import { createSigningKeys } from './developer-keys/signing-keys.ts';
import { openServer } from './http/server.ts';
import { toValidTo } from './http/tls-identity.ts';
import { createInboxWatcher } from './inbox/inbox-watcher.ts';
import { findMessageStatus } from './messages/find-message-status.ts';
import { createMessageDeps } from './messages/message-deps.ts';
import { sendMessages } from './messages/send-messages.ts';
import { createApiMetrics } from './metrics/api-metrics.ts';
import { openMetricsServer } from './metrics/metrics-server.ts';
import { openReceiverServer } from './surfaces/liveperson/listener.ts';
import { createReceiver } from './surfaces/liveperson/receiver.ts';

runMain('api', async () => {
  const config = loadConfig(process.env);
  const log = createLogger('api', config.logLevel);
  const shutdown = new Shutdown({ log });
  const version = readVersion(new URL('../package.json', import.meta.url));
  const tracing = await openTracing(config.tracing, { log, version });
  shutdown.add('traces', () => tracing?.close());
  const metrics = new Metrics();
  measureProcess(metrics, { service: 'api', version: version ?? '', mode: config.providers });
  const measured = createApiMetrics(metrics);

  const db = openDatabase(config.databaseUrl, config.poolSize, (error) =>
    log.warn({ err: error }, 'database connection lost'),
  );
  shutdown.add('database', () => db.destroy());
  await claimMode(db, config.providers);
  const secrets = await openSecretBox(db, await config.keySource.load());
  if (config.providers === 'sandbox') log.warn('PROVIDERS=sandbox: nothing is sent for real');
  if (config.authOff)
    log.warn(
      { host: config.host },
      'AUTH=off: ACCESS CONTROL IS OFF. Whoever reaches this address may send, read and administrate',
    );
  if (config.allowPrivateProxies)
    log.warn('PROXY_ALLOW_PRIVATE_ADDRESSES=true: a customer may make us call our own networks');

  if (config.callbacks.allowPrivateAddresses)
    log.warn('CALLBACK_ALLOW_PRIVATE_ADDRESSES: callbacks may reach the inside of this network');

  const onRedisError = (error: Error) => {
    measured.redisError();
    log.warn({ err: error }, 'redis not reached');
  };
  const redis = openRedis(config.redis.target, 'command', onRedisError);
  const subscriber = openRedis(config.redis.target, 'blocking', onRedisError);
  shutdown.add('redis', () => [redis, subscriber].forEach((one) => one.disconnect()));
  const lane = openLane(redis, { prefix: config.redis.prefix, onError: onRedisError });
  shutdown.add('lane', () => lane.close());
  const campaignLane = openCampaignLane(redis, {
    prefix: config.redis.prefix,
    onError: onRedisError,
  });
  shutdown.add('campaign lane', () => campaignLane.close());

  const messages = createMessageDeps({
    db,
    lane,
    syncWaitMs: config.syncWaitMs,
    fcm: config.fcm,
    log,
    tracing,
    onError: (error) => log.warn({ err: error }, 'outcomes not read'),
    onFull: () => measured.shed('messages'),
  });
  shutdown.add('accepted messages', () => messages.acceptor.close());
  // Not awaited: a Redis that is away makes synchronous answers slower, and keeps nobody from being served.
  subscribeOutcomes(subscriber, config.redis.prefix, (ids) => messages.waiter.hint(ids)).catch(
    onRedisError,
  );

  const draining = new AbortController();
  const runWatcher = createRunWatcher({
    read: (runIds) => listRunProgress(db, runIds),
    onError: (error) => log.warn({ err: error }, 'campaign runs not read'),
  });
  const inboxWatcher = createInboxWatcher({
    read: (positions, limit) => listInboxAfter(db, positions, limit),
    findBehind: (positions) => listInboxBehind(db, positions),
    onError: (error) => log.warn({ err: error }, 'inboxes not read'),
    maxStreams: config.inboxMaxStreams,
    onFull: () => measured.shed('inbox_streams'),
  });
  measured.watchStreams(inboxWatcher);
  subscribeInbox(subscriber, config.redis.prefix, (userIds) => inboxWatcher.hint(userIds)).catch(
    onRedisError,
  );

  const directories = openDirectories(db, config.powerAuth, log);
  shutdown.add('directories', () => directories.close());

  const use = createKeyUse({
    write: (keyIds) => noteApiKeysUsed(db, keyIds),
    onError: (error) => log.warn({ err: error }, 'use of API keys not noted'),
  });
  shutdown.add('use of keys', () => use.close());
  const onLimitError = (error: unknown) =>
    log.warn({ err: error }, 'rate limits not enforced: redis does not answer');
  if (config.console?.allowHttp === true)
    log.warn('CONSOLE_ALLOW_HTTP=true: passwords and sessions go over networks in the clear');
  const health = createHealth(log);
  health.addCheck('database', () => pingDatabase(db));
  health.addCheck('redis', () => redis.ping());
  measureComponents(metrics, health);
  const watched = config.metrics && (await openMetricsServer(metrics, config.metrics));
  shutdown.add('metrics', () => watched?.close());

  const openId = config.console?.openId && (await openOpenId(config.console.openId));
  const { prefix } = config.redis;
  const app = createApp({
    db,
    log,
    tracing,
    health,
    secrets,
    signingKeys: createSigningKeys({ db, secrets }),
    nonces: createNonces(redis, {
      prefix,
      // A date may be ahead by the window when it comes, and counts until it is behind by it.
      ttlMs: 2 * config.m800DateWindowSeconds * 1000,
      onError: onRedisError,
    }),
    m800DateWindowSeconds: config.m800DateWindowSeconds,
    trustedProxies: config.trustedProxies,
    acceptor: {
      ...messages.acceptor,
      announce(deliveries) {
        measured.accepted('m800', 1);
        messages.acceptor.announce(deliveries);
      },
    },
    activations: directories.activations,
    applications: directories.applications,
    messages: {
      async send(request) {
        const answer = await sendMessages(messages, request);
        if (!answer.replayed) measured.accepted('powerauth', answer.messageIds.length);
        return answer;
      },
      findStatus: (id) => findMessageStatus({ db }, id),
    },
    campaignLane,
    callbacks: config.callbacks,
    runWatcher,
    inboxWatcher,
    announceInbox: (userIds) =>
      void publishInbox(redis, config.redis.prefix, userIds, onRedisError),
    announceCheck: () => void publishCheck(redis, prefix, onRedisError),
    random: Math.random,
    syncWaitMs: config.syncWaitMs,
    draining: draining.signal,
    fcm: config.fcm,
    multipleActivations: config.multipleActivations,
    info: {
      applicationName: config.applicationName,
      applicationDisplayName: config.applicationDisplayName,
      applicationEnvironment: config.applicationEnvironment,
      version,
      buildTime: config.buildTime,
      providers: config.providers,
    },
    basePaths: config.basePaths,
    bodyLimitBytes: config.bodyLimitBytes,
    largeBodyLimitBytes: config.campaignBodyLimitBytes,
    allowPrivateProxies: config.allowPrivateProxies,
    access: {
      isOff: config.authOff,
      keys: createKeyRing({ read: (ids) => findApiKeys(db, ids) }),
      sessions: config.console && {
        ...config.console,
        trustedProxies: config.trustedProxies,
        ring: createKeyRing({ read: (ids) => findConsoleSessions(db, ids) }),
        noteUse: (id, at) => noteConsoleSessionUsed(db, id, at),
      },
      defaultRatePerSecond: config.ratePerSecond,
      limit: createRequestLimit({
        rate: createRequestRate(redis, { prefix }),
        onError: onLimitError,
      }),
      use,
    },
    passwords: createPasswords(),
    console: config.console && {
      signInLimit: createSignInLimit({
        attempts: createAttempts(redis, { prefix }),
        onError: (error) =>
          log.warn({ err: error }, 'sign-ins bounded by this server alone: redis does not answer'),
      }),
      openId,
      files: readConsoleFiles(fileURLToPath(new URL('../../console/dist', import.meta.url))),
    },
    maxRequests: config.maxRequests,
    metrics: measured,
    now: () => new Date(),
  });
  if (config.tls !== undefined && toValidTo(config.tls) < new Date())
    log.warn({ validTo: toValidTo(config.tls) }, 'the time of the TLS certificate is over');
  const server = await openServer(app, { ...config, onDrop: () => measured.shed('connections') });
  shutdown.add('server', () => server.close());
  const { livePerson } = config;
  const receiver =
    livePerson &&
    (await openReceiverServer(
      createReceiver({
        db,
        secrets,
        acceptor: {
          announce(deliveries) {
            measured.accepted('liveperson', deliveries.length);
            messages.acceptor.announce(deliveries);
          },
        },
        log,
        tracing,
        now: () => new Date(),
        onRefused: measured.refused,
      }),
      livePerson,
      log,
    ));
  shutdown.add('LivePerson receiver', () => receiver?.close());
  // Callers who still wait for outcomes get what is known now; those who watch go elsewhere.
  shutdown.add('waiting callers', () => {
    messages.waiter.close();
    draining.abort();
    runWatcher.close();
    inboxWatcher.close();
  });
  shutdown.add('readiness', () => health.drain());

  log.info(
    {
      host: config.host,
      port: server.port,
      tls: config.tls !== undefined,
      providers: config.providers,
    },
    'listening',
  );
  if (receiver !== undefined)
    log.info({ host: livePerson?.host, port: receiver.port }, 'listening to LivePerson');
  process.send?.({
    type: 'listening',
    port: server.port,
    livePersonPort: receiver?.port,
    metricsPort: watched?.port,
  });
});

/** The library behind it is loaded where it is wanted. */
async function openOpenId(settings: OpenIdSettings): Promise<OpenId> {
  const { createOpenIdProvider } = await import('./console/openid/open-id-provider.ts');
  return { settings, provider: createOpenIdProvider(settings) };
}
