import { claimMode, openDatabase, openSecretBox, pingDatabase } from '@heliograph/db';
import { openRedis } from '@heliograph/queue';
import { createHealth, createLogger, runMain, Shutdown } from '@heliograph/runtime';

import { loadConfig } from './config.ts';
import { startDispatcher } from './dispatcher.ts';
import { openHealthServer } from './health-server.ts';

runMain('dispatcher', async () => {
  const config = loadConfig(process.env);
  const log = createLogger('dispatcher', config.logLevel);
  const shutdown = new Shutdown({ log });

  const db = openDatabase(config.databaseUrl, config.poolSize, (error) =>
    log.warn({ err: error }, 'database connection lost'),
  );
  shutdown.add('database', () => db.destroy());
  await claimMode(db, config.providers);
  const secrets = await openSecretBox(db, await config.keySource.load());
  if (config.providers === 'sandbox') log.warn('PROVIDERS=sandbox: nothing is sent for real');
  if (config.endpoints.proxy.allowPrivateAddresses)
    log.warn('PROXY_ALLOW_PRIVATE_ADDRESSES=true: a customer may make us call our own networks');
  if (config.callbacks.allowPrivateAddresses)
    log.warn('CALLBACK_ALLOW_PRIVATE_ADDRESSES: callbacks may reach the inside of this network');

  const onRedisError = (error: Error) => log.warn({ err: error }, 'redis not reached');
  const redis = openRedis(config.redis.target, 'command', onRedisError);
  const workerRedis = openRedis(config.redis.target, 'blocking', onRedisError);
  const campaignRedis = openRedis(config.redis.target, 'blocking', onRedisError);
  const hintRedis = openRedis(config.redis.target, 'blocking', onRedisError);
  shutdown.add('redis', () =>
    [redis, workerRedis, campaignRedis, hintRedis].forEach((one) => one.disconnect()),
  );

  const dispatcher = startDispatcher({
    db,
    redis,
    workerRedis,
    campaignRedis,
    hintRedis,
    prefix: config.redis.prefix,
    secrets,
    endpoints: config.endpoints,
    apnsClient: config.apnsClient,
    fcm: config.fcm,
    fcmPace: config.fcmPace,
    concurrency: config.concurrency,
    campaignConcurrency: config.campaignConcurrency,
    callbacks: config.callbacks,
    retention: config.retention,
    leaseMs: config.leaseMs,
    log,
  });
  shutdown.add('dispatcher', () => dispatcher.close());

  const health = createHealth(log);
  health.addCheck('database', () => pingDatabase(db));
  health.addCheck('redis', () => redis.ping());
  const server = await openHealthServer(health, config);
  shutdown.add('health', () => server.close());
  shutdown.add('readiness', () => health.drain());

  log.info({ port: server.port, providers: config.providers }, 'ready');
  process.send?.({ type: 'ready', port: server.port });
});
