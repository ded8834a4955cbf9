import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { insertApiKey, type Db } from '@heliograph/db';
import { Redis } from 'ioredis';
import { sql } from 'kysely';

import { openTestDatabase } from '../src/database.ts';
import { openTestRedis } from '../src/redis.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { Bench } from './bench.ts';
import { insertDevices } from './devices.ts';
import { readCpuMicros, readParentPid, readTreeCpuMicros } from './process-meter.ts';
import type { BenchProcess } from './processes.ts';
import { type BenchSandbox, type SandboxCredentials, startSandbox } from './sandbox.ts';

const APP_ID = '1';

/** An installation of its own: empty ledger, one app with credentials for both providers, devices 0 to n - 1. */
export interface Stack {
  readonly db: Db;
  readonly redis: Redis;
  /** Holds what the sandbox wrote: certificates, and credentials for them. */
  readonly folder: string;
  readonly sandbox: BenchSandbox;
  readonly api: BenchProcess;
  readonly apiPort: number;
  /** For everything, without a limit. */
  readonly apiKey: string;
  readonly client: ApiClient;
  readonly appId: string;
  /** The id of the app's row. */
  readonly appRef: number;
  readonly devices: number;
  /** CPU time of the servers behind the services, for `startCpuMeter`. */
  readonly serversCpu: {
    readonly postgres: () => number;
    readonly redis: () => number;
  };
  /** It sends to the sandbox, unless `env` says otherwise. */
  startDispatcher(env?: Readonly<Record<string, string>>): Promise<BenchProcess>;
}

/** Starts the sandbox and the api from their builds; the dispatcher waits until the scenario wants it. */
export async function startStack(
  bench: Bench,
  devices: number,
  apiEnv: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-bench-'));
  bench.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const database = await openTestDatabase({ serverUrl: bench.databaseUrl, poolSize: 2 });
  bench.onEnd(() => database.close());
  const { url: redisUrl, prefix } = await openTestRedis(bench.redisUrl);
  const redis = new Redis(redisUrl);
  bench.onEnd(() => redis.disconnect());

  const sandbox = await startSandbox(bench.processes, folder);
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    QUEUE_PREFIX: prefix,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    PROVIDERS: 'sandbox',
    LOG_LEVEL: 'warn',
    PORT: '0',
    // What is measured is ours, not how carefully Google wants to be approached.
    FCM_RATE_PER_SECOND: '1000000',
    FCM_START_RATE_PER_SECOND: '1000000',
    ...sandbox.env,
  };
  const api = bench.processes.start('api', 'services/api/dist/main.js', {
    env: { ...env, ...apiEnv },
  });
  const { port: apiPort } = await api.next<{ readonly port: number }>();
  const { text: apiKey } = await insertApiKey(database.db, {
    name: 'bench',
    scopes: ['admin'],
    appRef: null,
    ratePerSecond: null,
    expiresAt: null,
  });
  const client = createApiClient(apiPort, apiKey);
  const appRef = await createBenchApp(client, APP_ID, sandbox.credentials);
  if (devices > 0) await insertDevices(database.db, appRef, devices);

  return {
    db: database.db,
    redis,
    folder,
    sandbox,
    api,
    apiPort,
    apiKey,
    client,
    appId: APP_ID,
    appRef,
    devices,
    serversCpu: await createServersCpu(database.db, redis),
    async startDispatcher(more = {}) {
      const main = 'services/dispatcher/dist/main.js';
      const dispatcher = bench.processes.start('dispatcher', main, { env: { ...env, ...more } });
      await dispatcher.next();
      return dispatcher;
    },
  };
}

export interface AppCredentials {
  /** In `DEVELOPMENT` pushes go to the url of that environment. */
  readonly apns?: SandboxCredentials['apns'] & { readonly environment?: 'DEVELOPMENT' };
  readonly fcm?: SandboxCredentials['fcm'];
}

/** As an administrator would. Answers the row's id. */
export async function createBenchApp(
  client: ApiClient,
  appId: string,
  { apns, fcm }: AppCredentials,
): Promise<number> {
  const app = { appId, appName: `Bench ${appId}` };
  const { id } = await client.call<{ readonly id: number }>('/admin/app/create', app);
  if (apns !== undefined) await client.call('/admin/app/ios/update', { id, ...apns });
  if (fcm !== undefined) await client.call('/admin/app/android/update', { id, ...fcm });
  return id;
}

async function createServersCpu(db: Db, redis: Redis): Promise<Stack['serversCpu']> {
  const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db);
  const postmaster = readParentPid(rows[0]?.pid ?? 0);
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  return {
    postgres: () => readTreeCpuMicros(postmaster),
    redis: () => readCpuMicros(redisPid),
  };
}
