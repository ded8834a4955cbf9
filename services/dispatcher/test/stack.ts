import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { countOutcomes, type Db, type Run } from '@heliograph/db';
import { createSandbox, type ReceivedPush, type Sandbox } from '@heliograph/sandbox';
import {
  eventually,
  makeDevice,
  openTestDatabase,
  openTestRedis,
  spawnService,
  type OwnServer,
  type RedisFleet,
  type SpawnedService,
} from '@heliograph/testing';

import { runIn } from './campaign-rig.ts';
import { explainRun } from './explain-run.ts';

const ROOT = join(__dirname, '../../..');
/** The shortest lease that is allowed, so that a take-over does not take a minute. */
const LEASE_MS = 20_000;
const BATCH = 20;

/** The services as processes of their own, on real servers, sending to the fake providers. */
export interface Stack {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly sandbox: Sandbox;
  /** With these variables besides, or in place of the usual ones. */
  startApi(env?: Readonly<Record<string, string>>): Promise<SpawnedService>;
  startDispatcher(env?: Readonly<Record<string, string>>): Promise<SpawnedService>;
  /** Runs the command line with the same settings; answers its exit code and what it said. */
  runCli(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number; readonly said: string }>;
  /** Asks an api, answers what it answered, and rejects where that is no success. */
  call(
    api: SpawnedService,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    requestObject?: object,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** An app that may send to both providers, the first one of the database. Answers its ref. */
  makeSendingApp(): Promise<number>;
  /** An app with devices of so many users, every other one on Android. Answers the users. */
  makeAudience(users: number): Promise<string[]>;
  /** Sends a message to each user, in batches, again while the api refuses. Answers the ids of those that were accepted. */
  post(api: Pick<SpawnedService, 'url'>, users: readonly string[]): Promise<string[]>;
  accepted(): readonly ReceivedPush[];
  /** How many pushes were accepted; costs nothing. */
  countAccepted(): number;
  /** How many deliveries the ledger knows as sent. */
  countSent(messageIds: readonly string[]): Promise<number>;
  /** How many deliveries are under a lease: claimed, and not recorded. */
  countLeased(messageIds: readonly string[]): Promise<number>;
  /** Waits until nothing of the messages is pending. */
  settled(messageIds: readonly string[]): Promise<void>;
  /** Waits until the run is in that state; says what it was waiting for where it does not get there. */
  runIn(runId: string, state: Run['state'], timeoutMs?: number): Promise<Run>;
  close(): Promise<void>;
}

export interface StackServers {
  readonly postgres?: OwnServer;
  readonly redis?: OwnServer;
  /** Several servers that act as one; instead of `redis`. */
  readonly redisFleet?: RedisFleet;
}

export async function openStack(
  servers: StackServers = {},
  settings: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const database = await openTestDatabase(
    servers.postgres === undefined ? {} : { serverUrl: servers.postgres.url },
  );
  const redis = await openTestRedis(servers.redis?.url);
  const sandbox = await createSandbox();
  const folder = await writeCa(sandbox.caPem);
  const running: SpawnedService[] = [];
  const env = {
    DATABASE_URL: database.url,
    ...(servers.redisFleet?.env ?? { REDIS_URL: redis.url }),
    // A hash tag, which a cluster needs and any other Redis takes for a name.
    QUEUE_PREFIX: `{${redis.prefix}}`,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    SECRETS_KEY_FILE: '',
    LOG_LEVEL: 'info',
    LEASE_MS: String(LEASE_MS),
    // As fast from the start as after a minute: these tests are about what gets lost, not about Google's quota.
    FCM_START_RATE_PER_SECOND: '9000',
    APNS_URL: sandbox.apnsUrl,
    APNS_SANDBOX_URL: sandbox.apnsDevelopmentUrl,
    APNS_CA_FILE: folder.caFile,
    FCM_URL: sandbox.fcmUrl,
    FCM_TOKEN_URL: sandbox.tokenUrl,
    FCM_CA_FILE: folder.caFile,
    PROXY_ALLOW_PRIVATE_ADDRESSES: 'true',
    PROXY_CA_FILE: folder.caFile,
    CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true',
    CALLBACK_CA_FILE: folder.caFile,
    ...settings,
  };

  async function start(
    name: 'api' | 'dispatcher',
    changes: Readonly<Record<string, string>> = {},
  ): Promise<SpawnedService> {
    const service = spawnService(name, { ...env, ...changes });
    running.push(service);
    await service.waitReady();
    return service;
  }

  function said(): string {
    return running.map(({ pid, output }) => `${pid}: ${output.slice(-2_000)}`).join('\n');
  }

  async function makeSendingApp(): Promise<number> {
    const api = await start('api');
    await call(api, 'POST', '/admin/app/create', { appId: 1 });
    const { apns, fcm } = sandbox.credentials;
    await call(api, 'PUT', '/admin/app/ios/update', { id: 1, ...apns });
    await call(api, 'PUT', '/admin/app/android/update', { id: 1, ...fcm });
    await stop(api);
    return 1;
  }

  return {
    db: database.db,
    databaseUrl: database.url,
    sandbox,
    startApi: (changes) => start('api', changes),
    startDispatcher: (changes) => start('dispatcher', changes),
    runCli: (args, changes = {}) => runCli(args, { ...env, ...changes }),
    call,
    makeSendingApp,

    async makeAudience(count) {
      await makeSendingApp();
      const users = Array.from({ length: count }, (_, n) => `user-${n}`);
      for (const [n, userId] of users.entries())
        await makeDevice(database.db, 1, {
          userId,
          provider: n % 2 === 0 ? 'apns' : 'fcm',
          pushToken: n.toString(16).padStart(64, '0'),
        });
      return users;
    },

    async post(api, users) {
      const ids: string[] = [];
      for (let from = 0; from < users.length; from += BATCH) {
        const batch = users
          .slice(from, from + BATCH)
          .map((userId) => ({ userId, body: { title: 'Hi' } }));
        const answer = await eventually(() =>
          call(api, 'POST', '/push/message/batch/send', { appId: 1, batch, mode: 'ASYNCHRONOUS' }),
        );
        ids.push(...(answer['messageIds'] as string[]));
      }
      return ids;
    },

    accepted: () => sandbox.received({ accepted: true }),
    countAccepted: () =>
      (['apns', 'fcm', 'proxy'] as const).reduce(
        (sum, name) => sum + sandbox.totals(name).accepted,
        0,
      ),

    async countSent(messageIds) {
      const counts = await countOutcomes(database.db, messageIds);
      return counts.reduce((sum, row) => sum + (row.state === 'sent' ? row.count : 0), 0);
    },

    async countLeased(messageIds) {
      const rows = await database.db
        .selectFrom('deliveries')
        .select('id')
        .where('messageId', 'in', [...messageIds])
        .where('state', '=', 'pending')
        .where('leaseUntil', 'is not', null)
        .execute();
      return rows.length;
    },

    settled: (messageIds) =>
      eventually(
        async () => {
          const counts = await countOutcomes(database.db, messageIds);
          const pending = counts.filter((row) => row.state === 'pending').length;
          if (pending === 0) return;
          throw new Error(`${pending} deliveries are pending; the services said:\n${said()}`);
        },
        { timeoutMs: 100_000 },
      ),

    async runIn(runId, state, timeoutMs) {
      try {
        return await runIn(database.db, runId, state, timeoutMs);
      } catch (cause) {
        const at = { db: database.db, redisUrl: redis.url, prefix: env.QUEUE_PREFIX };
        const why = await explainRun(at, runId).catch(String);
        throw new Error(`The run is not ${state}: ${why}\nThe services said:\n${said()}`, {
          cause,
        });
      }
    },

    async close() {
      await Promise.all(running.map(stop));
      await sandbox.close();
      await database.close();
      await folder.remove();
    },
  };
}

/** Every accepted message arrived, the ledger says so, and what arrived twice is the same push for whoever receives it. */
export async function expectNothingLost(
  stack: Stack,
  messageIds: readonly string[],
  options: { readonly maxRepeats: number },
): Promise<void> {
  await stack.settled(messageIds);
  const counts = await countOutcomes(stack.db, messageIds);
  expect(counts.every((row) => row.state === 'sent')).toBe(true);
  expect(counts.reduce((sum, row) => sum + row.count, 0)).toBe(messageIds.length);

  const arrivals = new Map<string, Set<string>>();
  let repeats = 0;
  for (const push of stack.accepted()) {
    const messageId = toCollapseId(push);
    const seen = arrivals.get(messageId);
    if (seen !== undefined) repeats += 1;
    arrivals.set(messageId, (seen ?? new Set()).add(toIdentity(push)));
  }
  expect(messageIds.filter((id) => !arrivals.has(id))).toEqual([]);
  // One identity per message: token, apns-id and collapse id or tag are the same on every repeat.
  expect([...arrivals.values()].filter((identities) => identities.size !== 1)).toEqual([]);
  expect(repeats).toBeLessThanOrEqual(options.maxRepeats);
}

function toCollapseId(push: ReceivedPush): string {
  return push.headers['apns-collapse-id'] ?? toAndroidTag(push.body) ?? '';
}

/** What makes a repeat of a push the same one for whoever receives it. */
export function toIdentity(push: ReceivedPush): string {
  return [push.token, push.headers['apns-id'], toCollapseId(push)].join(' ');
}

function toAndroidTag(body: unknown): string | undefined {
  return (body as { message?: { android?: { notification?: { tag?: string } } } }).message?.android
    ?.notification?.tag;
}

async function call(
  api: Pick<SpawnedService, 'url'>,
  method: string,
  path: string,
  requestObject?: object,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(api.url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(requestObject === undefined ? {} : { body: JSON.stringify({ requestObject }) }),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = (await response.json()) as { responseObject?: Record<string, unknown> };
  if (response.status !== 200)
    throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer.responseObject ?? {};
}

async function runCli(args: readonly string[], env: Readonly<Record<string, string>>) {
  const main = join(ROOT, 'services/cli/src/main.ts');
  const child = spawn(
    process.execPath,
    ['--conditions=@heliograph/source', '--import', 'tsx', main, ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

async function stop(service: SpawnedService): Promise<void> {
  service.kill('SIGTERM');
  await service.exited;
}

async function writeCa(pem: string) {
  const dir = await mkdtemp(join(tmpdir(), 'heliograph-ca-'));
  const caFile = join(dir, 'ca.pem');
  await writeFile(caFile, pem);
  return { caFile, remove: () => rm(dir, { recursive: true }) };
}
