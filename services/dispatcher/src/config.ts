import { APNS_CLIENTS, PRODUCTION_ENDPOINTS, type ProviderEndpoints } from '@heliograph/providers';
import { readRedisSettings } from '@heliograph/queue';
import { EnvReader, LOG_LEVELS, readDatabaseUrl, readKeySource } from '@heliograph/runtime';

import { CALLBACK_DEFAULTS, type CallbackSettings } from './callbacks/callbacks.ts';
import { FCM_PACE } from './pacing/pacers.ts';
import { RETENTION_DEFAULTS, type RetentionSettings } from './retention/retention.ts';
import { LEASE_MS } from './send/lease-book.ts';

/** Throws with every mistake in the environment at once. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const read = new EnvReader(env);
  return read.finish({
    databaseUrl: readDatabaseUrl(read),
    // The sweep and the keeper of runs each hold one while they use another.
    poolSize: read.int('DATABASE_POOL_SIZE', 10, { min: 4, max: 1000 }),
    redis: readRedisSettings(read),
    keySource: readKeySource(read),
    providers: read.oneOf('PROVIDERS', ['live', 'sandbox'], 'live'),
    endpoints: readEndpoints(read),
    apnsClient: read.oneOf('APNS_CLIENT', APNS_CLIENTS, 'engine'),
    concurrency: read.int('CONCURRENCY', 32, { min: 1, max: 1000 }),
    campaignConcurrency: read.int('CAMPAIGN_CONCURRENCY', 16, { min: 1, max: 1000 }),
    fcm: { dataNotificationOnly: read.bool('FCM_DATA_NOTIFICATION_ONLY', false) },
    fcmPace: {
      ceiling: read.int('FCM_RATE_PER_SECOND', FCM_PACE.ceiling, { min: 1, max: 1_000_000 }),
      base: read.int('FCM_START_RATE_PER_SECOND', FCM_PACE.base, { min: 1, max: 1_000_000 }),
    },
    callbacks: readCallbacks(read),
    retention: readRetention(read),
    // Longer than the longest send of a provider, with room to record it.
    leaseMs: read.int('LEASE_MS', LEASE_MS, { min: 20_000, max: 3_600_000 }),
    host: read.str('HOST', '127.0.0.1'),
    port: read.int('PORT', 0, { min: 0, max: 65_535 }),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  });
}

function readEndpoints(read: EnvReader): ProviderEndpoints {
  const { apns, fcm } = PRODUCTION_ENDPOINTS;
  const apnsCa = read.optionalFile('APNS_CA_FILE')?.toString('utf8');
  const fcmCa = read.optionalFile('FCM_CA_FILE')?.toString('utf8');
  const proxyCa = read.optionalFile('PROXY_CA_FILE')?.toString('utf8');
  return {
    apns: {
      production: read.url('APNS_URL', apns.production),
      development: read.url('APNS_SANDBOX_URL', apns.development),
      ...(apnsCa === undefined ? {} : { ca: apnsCa }),
    },
    fcm: {
      url: read.url('FCM_URL', fcm.url),
      tokenUrl: read.url('FCM_TOKEN_URL', fcm.tokenUrl),
      allowedTokenUris: fcm.allowedTokenUris,
      ...(fcmCa === undefined ? {} : { ca: fcmCa }),
    },
    proxy: {
      allowPrivateAddresses: read.bool('PROXY_ALLOW_PRIVATE_ADDRESSES', false),
      ...(proxyCa === undefined ? {} : { ca: proxyCa }),
    },
  };
}

function readCallbacks(read: EnvReader): CallbackSettings {
  const { concurrency, perHost, allowPrivateAddresses } = CALLBACK_DEFAULTS;
  const ca = read.optionalFile('CALLBACK_CA_FILE')?.toString('utf8');
  return {
    concurrency: read.int('CALLBACK_CONCURRENCY', concurrency, { min: 4, max: 1000 }),
    perHost: read.int('CALLBACK_PER_HOST', perHost, { min: 1, max: 100 }),
    allowPrivateAddresses: read.bool('CALLBACK_ALLOW_PRIVATE_ADDRESSES', allowPrivateAddresses),
    ...(ca === undefined ? {} : { ca }),
  };
}

function readRetention(read: EnvReader): RetentionSettings {
  const { days, stale } = RETENTION_DEFAULTS;
  const bounds = { min: 0, max: 36_500 };
  return {
    days: {
      messages: read.int('RETENTION_MESSAGES_DAYS', days.messages, bounds),
      campaignDevices: read.int('RETENTION_CAMPAIGNS_DAYS', days.campaignDevices, bounds),
      campaignRuns: read.int('RETENTION_RUNS_DAYS', days.campaignRuns, bounds),
      inbox: read.int('RETENTION_INBOX_DAYS', days.inbox, bounds),
      audit: read.int('RETENTION_AUDIT_DAYS', days.audit, bounds),
    },
    stale: {
      days: read.int('STALE_DEVICE_DAYS', stale.days, bounds),
      maxPercent: read.int('STALE_DEVICE_MAX_PERCENT', stale.maxPercent, { min: 0, max: 100 }),
    },
  };
}
