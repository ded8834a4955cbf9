// Everything that runs: PostgreSQL, Redis, the sandbox, api and dispatcher.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ensureSandboxApp } from './admin.mjs';
import { ensureApiKey } from './api-key.mjs';
import { ROOT } from './folders.mjs';
import { isFree, waitForHttp } from './ports.mjs';
import { endLeftServices, startService } from './processes.mjs';
import { run } from './run.mjs';
import { startServers } from './servers.mjs';
import { unlessStopped } from './signals.mjs';

const READY_TIMEOUT_MS = 30_000;
const STOP_ORDER = ['api', 'dispatcher', 'sandbox', 'servers'];

/**
 * Starts everything below `folder` and resolves once api and dispatcher say that they are ready. `postgres` and
 * `redis` are the options of `startServers`. On failure, and when `signal` fires, all is stopped again.
 */
export async function startStack(options) {
  const stack = new Stack(options);
  try {
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

class Stack {
  /** Where the api listens, and a key for everything there: `{ baseUrl, key }`. */
  api;
  /** Where the sandbox tells what it received; undefined with live providers. */
  controlUrl;
  /** Where api and dispatcher tell what they measure. */
  metricsUrls;
  /** Where LivePerson's pushes are taken; undefined with live providers. */
  livePersonUrl;
  /** The folder of the sandbox, what it accepts, and where its customers listen; undefined with live providers. */
  sandbox;
  /** The app that the sandbox accepts; undefined with live providers. */
  appId;
  #folder;
  #providers;
  #port;
  #serverOptions;
  #signal;
  #running = {};

  constructor({ folder, providers, port, postgres, redis, signal }) {
    this.#folder = folder;
    this.#providers = providers;
    this.#port = port;
    this.#serverOptions = { postgres, redis, signal };
    this.#signal = signal;
  }

  async start() {
    await endLeftServices(this.#folder);
    // Only now: what was just ended may have held it.
    await assertFree(this.#port);
    this.#running.servers = await startServers(this.#serverOptions);
    const { postgres, redis } = this.#running.servers;
    const env = {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      PROVIDERS: this.#providers,
      SECRETS_KEY_FILE: process.env.SECRETS_KEY_FILE ?? secretsKey(this.#folder),
      HOST: process.env.HOST ?? '127.0.0.1',
    };

    await this.#migrate(env);
    const sandbox = this.#providers === 'sandbox' ? await this.#startSandbox() : undefined;
    await this.#startServices({ ...env, ...sandbox?.env });
    const { DATABASE_URL } = env;
    const file = path.join(this.#folder, `api-${this.#providers}.key`);
    this.api = await this.#untilStopped(ensureApiKey(this.api.baseUrl, file, DATABASE_URL));
    if (sandbox !== undefined) {
      this.appId = await ensureSandboxApp(this.api, sandbox.credentials);
    }
  }

  /** Rejects when a service ends by itself. */
  failure() {
    const services = Object.values(this.#running).filter((each) => each.failed !== undefined);
    return Promise.race(services.map((service) => service.failed));
  }

  async stop() {
    for (const name of STOP_ORDER) {
      const each = this.#running[name];
      delete this.#running[name];
      await each?.stop();
    }
  }

  async #migrate({ DATABASE_URL, PROVIDERS }) {
    const main = path.join(ROOT, 'packages/db/dist/migrate-main.js');
    const env = { ...process.env, DATABASE_URL, PROVIDERS };
    await run(process.execPath, [main], { cwd: ROOT, env, signal: this.#signal });
  }

  async #startSandbox() {
    const folder = path.join(this.#folder, 'sandbox');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const sandbox = await this.#startService('sandbox', {
      main: 'packages/sandbox/dist/main.js',
      env: { SANDBOX_DIR: folder, CONTROL_PORT: '0' },
    });
    this.controlUrl = sandbox.controlUrl;
    const { proxyUrl, callbackUrl } = sandbox;
    const credentials = JSON.parse(readFileSync(path.join(folder, 'credentials.json'), 'utf8'));
    this.sandbox = { folder, credentials, proxyUrl, callbackUrl };
    return { credentials, env: sandboxEnv(sandbox, folder) };
  }

  async #startServices(env) {
    const [api, dispatcher] = await Promise.all([
      this.#startService('api', {
        main: 'services/api/dist/main.js',
        env: { ...env, PORT: `${this.#port}`, METRICS_PORT: process.env.METRICS_PORT ?? '0' },
      }),
      this.#startService('dispatcher', {
        main: 'services/dispatcher/dist/main.js',
        env: { ...env, HOST: '127.0.0.1', PORT: '0' },
      }),
    ]);
    this.api = { baseUrl: `http://127.0.0.1:${api.port}` };
    const ports = [api.metricsPort, dispatcher.port];
    this.metricsUrls = ports.map((port) => `http://127.0.0.1:${port}/metrics`);
    if (api.livePersonPort !== undefined)
      this.livePersonUrl = `https://127.0.0.1:${api.livePersonPort}`;
    const ready = '/actuator/health/readiness';
    await Promise.all([
      this.#untilStopped(waitForHttp(this.api.baseUrl + ready, READY_TIMEOUT_MS)),
      this.#untilStopped(
        waitForHttp(`http://127.0.0.1:${dispatcher.port}${ready}`, READY_TIMEOUT_MS),
      ),
    ]);
  }

  async #startService(name, { main, env }) {
    const service = startService(name, { main, env, folder: this.#folder });
    this.#running[name] = service;
    return this.#untilStopped(service.ready);
  }

  /** What we wait for, unless someone wants us gone or a service ends first. */
  #untilStopped(waiting) {
    return unlessStopped(this.#signal, Promise.race([waiting, this.failure()]));
  }
}

async function assertFree(port) {
  if (port === 0 || (await isFree(port))) return;
  throw new Error(
    `Port ${port} is in use. Stop what listens there, or choose another: PORT=8081 npm start`,
  );
}

/** Where the fake providers are. The customers' servers are on this machine too, which only a sandbox may call. */
function sandboxEnv({ apnsUrl, apnsDevelopmentUrl, fcmUrl, tokenUrl }, folder) {
  const ca = path.join(folder, 'ca.pem');
  return {
    APNS_URL: apnsUrl,
    APNS_SANDBOX_URL: apnsDevelopmentUrl,
    APNS_CA_FILE: ca,
    FCM_URL: fcmUrl,
    FCM_TOKEN_URL: tokenUrl,
    FCM_CA_FILE: ca,
    PROXY_ALLOW_PRIVATE_ADDRESSES: 'true',
    PROXY_CA_FILE: ca,
    CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true',
    CALLBACK_CA_FILE: ca,
    LIVEPERSON_PORT: '0',
    LIVEPERSON_TLS_CERT_FILE: path.join(folder, 'server.pem'),
    LIVEPERSON_TLS_KEY_FILE: path.join(folder, 'server-key.pem'),
    LIVEPERSON_CLIENT_CA_FILE: ca,
  };
}

/** The key that seals providers' keys in the database: without it, they are lost. */
function secretsKey(folder) {
  const file = path.join(folder, 'secrets.key');
  if (!existsSync(file))
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return file;
}
