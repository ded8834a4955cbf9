import { Cluster, Redis } from 'ioredis';

import type { RedisTarget, RedisTls } from './redis-settings.ts';

/** One Redis, or a cluster of them: what we do with it is the same, since all our keys are in one slot. */
export type RedisClient = Redis | Cluster;

/**
 * `command` is for callers who rather have an error now than an answer later; `blocking` is what BullMQ's workers need, and waits.
 */
export type RedisUse = 'command' | 'blocking';

type OnError = (error: Error) => void;

/** A connection that comes back by itself, for ever, to whichever Redis is the primary by then. */
export function openRedis(target: RedisTarget, use: RedisUse, onError: OnError): RedisClient;
export function openRedis(url: string, use: RedisUse, onError: OnError): Redis;
export function openRedis(
  target: string | RedisTarget,
  use: RedisUse,
  onError: OnError,
): RedisClient {
  const redis = connect(typeof target === 'string' ? { kind: 'single', url: target } : target, use);
  redis.on('error', onError);
  return redis;
}

function connect(target: RedisTarget, use: RedisUse): RedisClient {
  const options = {
    ...optionsFor(use),
    ...(target.tls === undefined ? {} : { tls: toTlsOptions(target.tls) }),
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
  };
  switch (target.kind) {
    case 'single':
      return new Redis(target.url, options);
    case 'sentinel':
      return new Redis({ ...options, ...sentinelOptions(target) });
    case 'cluster':
      return new Cluster([...target.nodes], {
        redisOptions: options,
        enableOfflineQueue: use === 'blocking',
        clusterRetryStrategy: retryDelay,
        // By address as the nodes tell it: a name is looked up when the connection is made, and checked against the certificate.
        dnsLookup: (address, callback) => callback(null, address),
      });
  }
}

function optionsFor(use: RedisUse) {
  return {
    maxRetriesPerRequest: use === 'blocking' ? null : 1,
    enableOfflineQueue: use === 'blocking',
    connectTimeout: 5_000,
    ...(use === 'command' ? { commandTimeout: 2_000 } : {}),
    retryStrategy: retryDelay,
    // A primary that was replaced refuses writes: connect anew, and ask it of the one that is primary now.
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 2_000);
}

function sentinelOptions(target: Extract<RedisTarget, { kind: 'sentinel' }>) {
  return {
    sentinels: [...target.sentinels],
    name: target.name,
    // Told by the sentinels, rather than found out by a primary that hangs and closes no connection.
    failoverDetector: true,
    sentinelRetryStrategy: retryDelay,
    ...(target.sentinelUsername === undefined ? {} : { sentinelUsername: target.sentinelUsername }),
    ...(target.sentinelPassword === undefined ? {} : { sentinelPassword: target.sentinelPassword }),
    ...(target.tls === undefined
      ? {}
      : { enableTLSForSentinelMode: true, sentinelTLS: toTlsOptions(target.tls) }),
  };
}

function toTlsOptions({ ca, cert, key }: RedisTls) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The clock of Redis, ms since the epoch. Rejects when Redis does not answer. */
export async function readRedisTimeMs(redis: RedisClient): Promise<number> {
  const [seconds, micros] = (await redis.time()).map(Number);
  if (seconds === undefined || micros === undefined) throw new Error('Redis told no time');
  return seconds * 1000 + micros / 1000;
}
