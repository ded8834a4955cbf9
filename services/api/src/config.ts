import { BlockList } from 'node:net';

import { readRedisSettings } from '@heliograph/queue';
import {
  EnvReader,
  LOG_LEVELS,
  readDatabaseUrl,
  readKeySource,
  readTracing,
} from '@heliograph/runtime';

import type { PowerAuthOptions } from './activations/power-auth-client.ts';
import { readOpenId } from './console/openid/read-open-id.ts';
import { isLoopback } from './http/loopback.ts';
import type { ListenAddress } from './http/server.ts';
import { findTlsMistake, type TlsIdentity } from './http/tls-identity.ts';
import { parseAddresses } from './http/trusted-proxies.ts';
import { findIdentityMistakes, type ListenerOptions } from './surfaces/liveperson/listener.ts';

const MIB = 1024 * 1024;
/** Used nonces are remembered for three hours: longer than twice this. */
const MAX_DATE_WINDOW_SECONDS = 3600;

/** Throws with every mistake in the environment at once. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const read = new EnvReader(env);
  return read.finish({
    host: read.str('HOST', '127.0.0.1'),
    authOff: readAuthOff(read),
    ratePerSecond: read.int('API_RATE_PER_SECOND', 0, { min: 0, max: 1_000_000 }),
    maxRequests: read.int('API_MAX_REQUESTS', 2000, { min: 1, max: 1_000_000 }),
    limits: {
      maxConnections: read.int('API_MAX_CONNECTIONS', 20_000, { min: 1, max: 1_000_000 }),
      headersTimeoutMs: read.int('HEADERS_TIMEOUT_MS', 60_000, { min: 1000, max: 300_000 }),
      requestTimeoutMs: read.int('REQUEST_TIMEOUT_MS', 120_000, { min: 1000, max: 3_600_000 }),
    },
    port: read.int('PORT', 8080, { min: 0, max: 65_535 }),
    tls: readTls(read),
    trustedProxies: readTrustedProxies(read),
    basePaths: readBasePaths(read),
    bodyLimitBytes: read.int('BODY_LIMIT_BYTES', MIB, { min: 1024, max: 64 * MIB }),
    campaignBodyLimitBytes: read.int('CAMPAIGN_BODY_LIMIT_BYTES', 64 * MIB, {
      min: 1024,
      max: 256 * MIB,
    }),
    databaseUrl: readDatabaseUrl(read),
    poolSize: read.int('DATABASE_POOL_SIZE', 10, { min: 2, max: 1000 }),
    redis: readRedisSettings(read),
    tracing: readTracing(read, 'heliograph-api'),
    keySource: readKeySource(read),
    providers: read.oneOf('PROVIDERS', ['live', 'sandbox'], 'live'),
    fcm: { dataNotificationOnly: read.bool('FCM_DATA_NOTIFICATION_ONLY', false) },
    m800DateWindowSeconds: read.int('M800_DATE_WINDOW_SECONDS', 300, {
      min: 1,
      max: MAX_DATE_WINDOW_SECONDS,
    }),
    allowPrivateProxies: read.bool('PROXY_ALLOW_PRIVATE_ADDRESSES', false),
    syncWaitMs: read.int('SYNC_WAIT_MS', 5_000, { min: 0, max: 300_000 }),
    inboxMaxStreams: read.int('INBOX_MAX_STREAMS', 10_000, { min: 0, max: 1_000_000 }),
    multipleActivations: read.bool('MULTIPLE_ACTIVATIONS', true),
    powerAuth: readPowerAuth(read),
    livePerson: readLivePerson(read),
    applicationName: read.str('APPLICATION_NAME', 'powerauth-push'),
    applicationDisplayName: read.str('APPLICATION_DISPLAY_NAME', 'PowerAuth Push Server'),
    applicationEnvironment: read.str('APPLICATION_ENVIRONMENT', ''),
    buildTime: readBuildTime(read),
    callbacks: {
      allowPrivateAddresses: read.bool('CALLBACK_ALLOW_PRIVATE_ADDRESSES', false),
    },
    metrics: readMetrics(read),
    console: readConsole(read),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  });
}

/** Undefined where nobody asks for what is measured. */
function readMetrics(read: EnvReader): ListenAddress | undefined {
  if (read.optional('METRICS_PORT') === undefined) return undefined;
  return {
    host: read.str('METRICS_HOST', '127.0.0.1'),
    port: read.int('METRICS_PORT', undefined, { min: 0, max: 65_535 }),
  };
}

const BASE_PATH = /^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/;

/** Comma-separated: the same endpoints under each of them. */
function readBasePaths(read: EnvReader): readonly string[] {
  const paths = read.str('BASE_PATH', '/').split(',');
  if (!paths.every((path) => BASE_PATH.test(path)))
    read.refuse('BASE_PATH must be paths that begin with a slash, separated by commas');
  return paths;
}

/** Whether anybody may do anything: only where nobody but this machine comes to us, or the address is named once more. */
function readAuthOff(read: EnvReader): boolean {
  if (read.oneOf('AUTH', ['on', 'off'], 'on') === 'on') return false;
  const host = read.str('HOST', '127.0.0.1');
  const allowed = read.optional('AUTH_OFF_HOST');
  if (!isLoopback(host) && host !== allowed)
    read.refuse(
      `AUTH=off lets anybody who reaches ${host} do anything: set HOST to a loopback address, or AUTH_OFF_HOST to the same address`,
    );
  return true;
}

/** Undefined where plain HTTP is to be served. */
function readTls(read: EnvReader): TlsIdentity | undefined {
  const cert = read.optionalFile('TLS_CERT_FILE');
  const key = read.optionalFile('TLS_KEY_FILE');
  const clientCa = read.optionalFile('TLS_CLIENT_CA_FILE');
  if (cert === undefined && key === undefined) {
    if (clientCa !== undefined) read.refuse('TLS_CLIENT_CA_FILE needs TLS_CERT_FILE');
    return undefined;
  }
  if (cert === undefined || key === undefined) {
    read.refuse('TLS_CERT_FILE and TLS_KEY_FILE come together');
    return undefined;
  }
  const identity = { cert, key, clientCa };
  const mistake = findTlsMistake(identity);
  if (mistake !== undefined) read.refuse(mistake);
  return identity;
}

/** Comma-separated addresses and ranges. */
function readTrustedProxies(read: EnvReader): BlockList {
  const addresses = parseAddresses(read.str('TRUSTED_PROXIES', ''));
  if (addresses === undefined)
    read.refuse('TRUSTED_PROXIES must be addresses or ranges (10.1.0.0/16), separated by commas');
  return addresses ?? new BlockList();
}

/** Undefined with the local activation directory. */
function readPowerAuth(read: EnvReader): PowerAuthOptions | undefined {
  if (read.oneOf('ACTIVATION_DIRECTORY', ['local', 'powerauth'], 'local') === 'local')
    return undefined;
  const clientToken = read.optional('POWERAUTH_CLIENT_TOKEN');
  const clientSecret = read.optional('POWERAUTH_CLIENT_SECRET');
  if ((clientToken === undefined) !== (clientSecret === undefined))
    read.refuse('POWERAUTH_CLIENT_TOKEN and POWERAUTH_CLIENT_SECRET come together');
  return {
    url: read.url('POWERAUTH_URL'),
    credentials:
      clientToken === undefined || clientSecret === undefined
        ? undefined
        : { clientToken, clientSecret },
    timeoutMs: read.int('POWERAUTH_TIMEOUT_MS', 10_000, { min: 100, max: 300_000 }),
    acceptInvalidTls: read.bool('POWERAUTH_ACCEPT_INVALID_TLS', false),
  };
}

/** Undefined where we are nobody's proxy. */
function readLivePerson(read: EnvReader): ListenerOptions | undefined {
  const files = [
    read.optional('LIVEPERSON_TLS_CERT_FILE'),
    read.optional('LIVEPERSON_TLS_KEY_FILE'),
    read.optional('LIVEPERSON_CLIENT_CA_FILE'),
  ].filter((path) => path !== undefined);
  const address = read.optional('LIVEPERSON_PORT') ?? read.optional('LIVEPERSON_HOST');
  if (files.length === 0 && address === undefined) return undefined;
  const identity = {
    cert: read.file('LIVEPERSON_TLS_CERT_FILE'),
    key: read.file('LIVEPERSON_TLS_KEY_FILE'),
    clientCa: read.file('LIVEPERSON_CLIENT_CA_FILE'),
  };
  // One that is not named is reported as that.
  if (files.length === 3)
    for (const mistake of findIdentityMistakes(identity)) read.refuse(mistake);
  return {
    identity,
    host: read.str('LIVEPERSON_HOST', '127.0.0.1'),
    port: read.int('LIVEPERSON_PORT', undefined, { min: 0, max: 65_535 }),
  };
}

const MINUTE_MS = 60_000;

/** Undefined where there is no console, and nobody signs in. */
function readConsole(read: EnvReader) {
  const isOn = read.oneOf('CONSOLE', ['on', 'off'], 'on') === 'on';
  const sessions = {
    idleMs: MINUTE_MS * read.int('CONSOLE_IDLE_MINUTES', 60, { min: 5, max: 1440 }),
    maxMs: 60 * MINUTE_MS * read.int('CONSOLE_SESSION_HOURS', 12, { min: 1, max: 168 }),
    allowHttp: read.bool('CONSOLE_ALLOW_HTTP', false),
  };
  const openId = readOpenId(read, sessions);
  return isOn ? { ...sessions, openId } : undefined;
}

function readBuildTime(read: EnvReader): Date | undefined {
  const value = read.optional('BUILD_TIME');
  if (value === undefined) return undefined;
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) {
    read.refuse('BUILD_TIME is not a date');
    return undefined;
  }
  return at;
}
