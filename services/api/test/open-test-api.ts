import { randomBytes } from 'node:crypto';
import { BlockList } from 'node:net';

import { createSecretBox, type SecretBox } from '@heliograph/core';
import {
  findApiKeys,
  findConsoleSessions,
  listInboxAfter,
  listInboxBehind,
  noteApiKeysUsed,
  noteConsoleSessionUsed,
  pingDatabase,
  type Db,
  type InboxPosition,
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
  type CampaignLane,
} from '@heliograph/queue';
import {
  createHealth,
  createLogger,
  type Health,
  type Logger,
  type Tracing,
} from '@heliograph/runtime';
import { createPasswords, type Passwords } from '@heliograph/runtime/passwords';
import {
  openTestDatabase,
  openTestRedis,
  type TestDatabase,
  type TestRedis,
} from '@heliograph/testing';

import { createKeyRing } from '../src/access/key-ring.ts';
import { createKeyUse } from '../src/access/key-use.ts';
import { createRequestLimit } from '../src/access/request-limit.ts';
import { openDirectories } from '../src/activations/open-directories.ts';
import type { PowerAuthOptions } from '../src/activations/power-auth-client.ts';
import { createApp } from '../src/app.ts';
import { listRunProgress } from '../src/campaigns/run-progress.ts';
import { createRunWatcher } from '../src/campaigns/run-watcher.ts';
import { readConsoleFiles } from '../src/console/console-files.ts';
import type { OpenIdProviderOptions } from '../src/console/openid/open-id-provider.ts';
import type { OpenId } from '../src/console/openid/open-id-sign-in.ts';
import type { OpenIdSettings } from '../src/console/openid/open-id.ts';
import { createSignInLimit, type SignInBounds } from '../src/console/sign-in-limit.ts';
import { createSigningKeys } from '../src/developer-keys/signing-keys.ts';
import { openServer, type ConnectionLimits } from '../src/http/server.ts';
import type { TlsIdentity } from '../src/http/tls-identity.ts';
import { createInboxWatcher } from '../src/inbox/inbox-watcher.ts';
import { findMessageStatus } from '../src/messages/find-message-status.ts';
import type { ApiMetrics } from '../src/metrics/api-metrics.ts';
import { createMessageDeps } from '../src/messages/message-deps.ts';
import { sendMessages } from '../src/messages/send-messages.ts';

export interface TestApiOptions {
  /** A Redis, or a PostgreSQL, other than that of `npm test`. */
  readonly redis?: TestRedis;
  readonly databaseServerUrl?: string;
  readonly host?: string;
  readonly tls?: TlsIdentity;
  readonly trustedProxies?: BlockList;
  readonly m800DateWindowSeconds?: number;
  readonly powerAuth?: PowerAuthOptions;
  readonly multipleActivations?: boolean;
  readonly basePaths?: readonly string[];
  readonly bodyLimitBytes?: number;
  readonly campaignBodyLimitBytes?: number;
  readonly syncWaitMs?: number;
  readonly allowPrivateProxies?: boolean;
  readonly now?: () => Date;
  /** How often watched runs are looked at, ms. */
  readonly watchPollMs?: number;
  readonly maxWatches?: number;
  readonly heartbeatMs?: number;
  readonly allowPrivateAddresses?: boolean;
  readonly inbox?: {
    readonly pollMs?: number;
    readonly maxStreams?: number;
    readonly maxStreamsPerUser?: number;
  };
  /** A replica over the same database, Redis and secrets key, which is to be closed before the other. */
  readonly beside?: TestApi;
  /** Off unless given: then callers show keys. */
  readonly auth?: 'on' | 'off';
  readonly ratePerSecond?: number;
  readonly streamCheckMs?: number;
  /** How long a credential that is to be checked waits for that, ms. */
  readonly verifyWaitMs?: number;
  readonly maxRequests?: number;
  readonly limits?: ConnectionLimits;
  readonly tracing?: Tracing | undefined;
  /** Silent unless given. */
  readonly log?: Logger;
  readonly metrics?: ApiMetrics;
  /** There is one unless told otherwise. */
  readonly console?: 'off' | TestConsole;
}

export interface TestConsole {
  /** The folder of the built page; none unless given. */
  readonly folder?: string;
  readonly idleMs?: number;
  readonly maxMs?: number;
  readonly allowHttp?: boolean;
  readonly bounds?: SignInBounds;
  /** How long sign-ins wait for Redis; longer than any test unless given. */
  readonly patienceMs?: number;
  readonly passwords?: Passwords;
  /** By whom people sign in beside passwords, and how long that may take. */
  readonly openId?: OpenIdSettings & OpenIdProviderOptions;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text where it is JSON. What a test looks at is there, or the test fails. */
  readonly body: AnswerBody;
}

interface AnswerBody {
  readonly status: string;
  readonly responseObject: {
    readonly id: number;
    readonly code: string;
    readonly message: string;
    readonly violations: readonly unknown[];
    readonly messageIds: readonly string[];
    readonly applicationList: readonly unknown[];
    readonly pauseList: readonly unknown[];
    readonly heldList: readonly unknown[];
    readonly deliveries: readonly unknown[];
    readonly application: unknown;
    readonly ios: unknown;
  };
}

/** What replicas have in common. */
interface Backing {
  readonly database: TestDatabase;
  readonly redis: TestRedis;
  readonly key: Buffer;
}

export interface TestApi {
  readonly backing: Backing;
  readonly db: Db;
  /** The connection of this one to Redis. */
  readonly redisConnection: ReturnType<typeof openRedis>;
  readonly secrets: SecretBox;
  readonly health: Health;
  readonly campaignLane: CampaignLane;
  /** The runs that were looked at together for those who watch, one entry per look. */
  readonly looks: readonly (readonly string[])[];
  /** The positions that were read after for streams of inboxes, one entry per statement. */
  readonly inboxReads: readonly (readonly InboxPosition[])[];
  /** The ids of API keys that were looked up, one entry per statement. */
  readonly keyReads: readonly (readonly string[])[];
  readonly redis: TestRedis;
  readonly url: string;
  /** Sends a JSON body, or no body at all. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** POSTs `{ requestObject }`. */
  post(path: string, requestObject: unknown): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** Sends these bytes as they are. */
  raw(path: string, body: string | Buffer, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

/** The api as `main.ts` builds it, over a database and a Redis of its own, behind real HTTP. */
export async function openTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { beside } = options;
  const backing = beside?.backing ?? (await openBacking(options));
  const { database, key } = backing;
  const redisPlace = options.redis ?? backing.redis;
  const { url: redisUrl, prefix } = redisPlace;
  const { tracing, log = createLogger('test', 'silent') } = options;
  const redis = openRedis(redisUrl, 'command', () => undefined);
  const lane = openLane(redis, { prefix, onError: () => undefined });
  const campaignLane = openCampaignLane(redis, { prefix, onError: () => undefined });
  const { db } = database;
  const syncWaitMs = options.syncWaitMs ?? 50;
  const messages = createMessageDeps({
    db,
    lane,
    syncWaitMs,
    log,
    tracing,
    onError: () => undefined,
  });
  const draining = new AbortController();
  const looks: (readonly string[])[] = [];
  const runWatcher = createRunWatcher({
    read(runIds) {
      looks.push(runIds);
      return listRunProgress(db, runIds);
    },
    onError: () => undefined,
    pollMs: options.watchPollMs ?? 20,
    ...(options.maxWatches === undefined ? {} : { maxWatches: options.maxWatches }),
  });
  const inboxReads: (readonly InboxPosition[])[] = [];
  const inboxWatcher = createInboxWatcher({
    read(positions, limit) {
      inboxReads.push(positions.map(({ userId, after }) => ({ userId, after })));
      return listInboxAfter(db, positions, limit);
    },
    findBehind: (positions) => listInboxBehind(db, positions),
    onError: () => undefined,
    maxStreams: 1000,
    // A test that does not say so finds nothing by it.
    pollMs: 3_600_000,
    ...options.inbox,
  });
  const subscriber = openRedis(redisUrl, 'blocking', () => undefined);
  const subscribed = subscribeInbox(subscriber, prefix, (ids) => inboxWatcher.hint(ids));
  if (options.redis === undefined) await subscribed;
  else subscribed.catch(() => undefined);

  const directories = openDirectories(db, options.powerAuth, log);
  const secrets = createSecretBox(key);
  const keyReads: (readonly string[])[] = [];
  const use = createKeyUse({
    write: (keyIds) => noteApiKeysUsed(db, keyIds),
    onError: () => undefined,
  });
  const health = createHealth(log);
  health.addCheck('database', () => pingDatabase(db));

  const isConsoleOff = options.console === 'off';
  const consoleOptions = options.console === 'off' ? {} : (options.console ?? {});
  const dateWindowSeconds = options.m800DateWindowSeconds ?? 300;
  const app = createApp({
    db,
    log,
    tracing,
    health,
    secrets,
    signingKeys: createSigningKeys({ db, secrets }),
    nonces: createNonces(redis, {
      prefix,
      ttlMs: 2 * dateWindowSeconds * 1000,
      onError: () => undefined,
    }),
    m800DateWindowSeconds: dateWindowSeconds,
    trustedProxies: options.trustedProxies ?? new BlockList(),
    acceptor: messages.acceptor,
    activations: directories.activations,
    applications: directories.applications,
    messages: {
      send: (request) => sendMessages(messages, request),
      findStatus: (id) => findMessageStatus({ db }, id),
    },
    campaignLane,
    callbacks: { allowPrivateAddresses: options.allowPrivateAddresses ?? false },
    runWatcher,
    inboxWatcher,
    announceInbox: (userIds) => void publishInbox(redis, prefix, userIds, () => undefined),
    announceCheck: () => void publishCheck(redis, prefix, () => undefined),
    verifyWaitMs: options.verifyWaitMs,
    random: () => 0.5,
    syncWaitMs,
    draining: draining.signal,
    heartbeatMs: options.heartbeatMs,
    fcm: {},
    allowPrivateProxies: options.allowPrivateProxies ?? false,
    access: {
      isOff: options.auth !== 'on',
      keys: createKeyRing({
        read(ids) {
          keyReads.push(ids);
          return findApiKeys(db, ids);
        },
      }),
      sessions: isConsoleOff
        ? undefined
        : {
            idleMs: consoleOptions.idleMs ?? 3_600_000,
            maxMs: consoleOptions.maxMs ?? 12 * 3_600_000,
            allowHttp: consoleOptions.allowHttp ?? false,
            trustedProxies: options.trustedProxies ?? new BlockList(),
            ring: createKeyRing({ read: (ids) => findConsoleSessions(db, ids) }),
            noteUse: (id, at) => noteConsoleSessionUsed(db, id, at),
          },
      defaultRatePerSecond: options.ratePerSecond ?? 0,
      limit: createRequestLimit({
        rate: createRequestRate(redis, { prefix }),
        onError: () => undefined,
      }),
      use,
      streamCheckMs: options.streamCheckMs,
    },
    passwords: consoleOptions.passwords ?? createPasswords(),
    console: isConsoleOff
      ? undefined
      : {
          signInLimit: createSignInLimit({
            attempts: createAttempts(redis, { prefix }),
            onError: () => undefined,
            patienceMs: consoleOptions.patienceMs ?? 60_000,
            ...(consoleOptions.bounds && { bounds: consoleOptions.bounds }),
          }),
          openId: consoleOptions.openId && (await openOpenId(consoleOptions.openId)),
          files:
            consoleOptions.folder === undefined
              ? undefined
              : readConsoleFiles(consoleOptions.folder),
        },
    maxRequests: options.maxRequests ?? 2000,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    multipleActivations: options.multipleActivations ?? true,
    info: {
      applicationName: 'powerauth-push',
      applicationDisplayName: 'PowerAuth Push Server',
      applicationEnvironment: 'test',
      version: '1.2.3',
      buildTime: new Date('2026-01-02T03:04:05.678Z'),
      providers: 'sandbox',
    },
    basePaths: options.basePaths ?? ['/'],
    bodyLimitBytes: options.bodyLimitBytes ?? 1024 * 1024,
    largeBodyLimitBytes: options.campaignBodyLimitBytes ?? 64 * 1024 * 1024,
    now: options.now ?? (() => new Date()),
  });
  const { host = '127.0.0.1', tls, limits } = options;
  const server = await openServer(app, { host, port: 0, tls, limits });
  const url = `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${server.port}`;

  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(url + path, { redirect: 'manual', ...init });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type') === 'application/json' && text !== '';
    const body: AnswerBody = JSON.parse(isJson ? text : 'null');
    return { status: answer.status, headers: answer.headers, text, body };
  };
  const api: TestApi = {
    backing,
    db,
    redisConnection: redis,
    secrets,
    health,
    campaignLane,
    looks,
    inboxReads,
    keyReads,
    redis: redisPlace,
    url,
    call: (method, path, body, headers = {}) =>
      send(path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    post: (path, requestObject) => api.call('POST', path, { requestObject }),
    get: (path) => send(path, {}),
    raw: (path, body, headers = { 'content-type': 'application/json' }) =>
      send(path, { method: 'POST', headers, body }),
    async close() {
      messages.waiter.close();
      draining.abort();
      runWatcher.close();
      inboxWatcher.close();
      await server.close();
      await use.close();
      await messages.acceptor.close();
      await directories.close();
      await lane.close();
      await campaignLane.close();
      redis.disconnect();
      subscriber.disconnect();
      if (beside === undefined) await database.close();
    },
  };
  return api;
}

/** As `main.ts` does it: a test that needs no provider does not load what one takes. */
async function openOpenId(settings: OpenIdSettings & OpenIdProviderOptions): Promise<OpenId> {
  const { createOpenIdProvider } = await import('../src/console/openid/open-id-provider.ts');
  return { settings, provider: createOpenIdProvider(settings, settings) };
}

async function openBacking({ redis, databaseServerUrl }: TestApiOptions): Promise<Backing> {
  return {
    database: await openTestDatabase(
      databaseServerUrl === undefined ? {} : { serverUrl: databaseServerUrl },
    ),
    redis: redis ?? (await openTestRedis()),
    key: randomBytes(32),
  };
}
