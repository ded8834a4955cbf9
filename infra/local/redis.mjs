// A Redis of our own: the one on PATH, or Debian's package in our cache.

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fetchProgram, findOnPath } from './debian.mjs';
import {
  SERVER_RECORD,
  demoted,
  makeOpenFolder,
  makeServerFolder,
  throwawayFolder,
} from './folders.mjs';
import { endProcess, exitOf, identify, isAlive, readRecord, until, writeRecord } from './pids.mjs';
import { freePort, ping } from './ports.mjs';

const START_TIMEOUT_MS = 20_000;
const START_TRIES = 3;
const OLDEST = [6, 2];

const STOP = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 3_000],
];
const KILL = [['SIGKILL', 3_000]];

/**
 * Starts Redis on a free loopback port. With a `folder` its data is kept there in an append-only file; without
 * one nothing is written, unless `durable` asks for it, and all is gone at `stop`.
 */
export async function startRedis({ folder, durable = folder !== undefined, signal } = {}) {
  const program = await findRedis(signal);
  const home = folder ?? (await throwawayFolder('redis'));
  const server = new Redis(home, { program, durable, isThrowaway: folder === undefined });
  try {
    await server.prepare();
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class Redis {
  url;
  #home;
  #data;
  #recordFile;
  #isThrowaway;
  #program;
  #durable;
  #password = randomBytes(24).toString('base64url');
  #port;
  #record;
  #exited;

  constructor(home, { program, durable, isThrowaway }) {
    this.#home = home;
    this.#data = path.join(home, 'data');
    this.#recordFile = path.join(home, SERVER_RECORD);
    this.#program = program;
    this.#durable = durable;
    this.#isThrowaway = isThrowaway;
  }

  get pid() {
    return this.#record?.pid;
  }

  /** Ends what a killed launcher left running here. */
  async prepare() {
    makeOpenFolder(this.#home);
    await endProcess(readRecord(this.#recordFile), STOP);
    makeServerFolder(this.#data);
    this.#port = await freePort();
    this.url = `redis://:${this.#password}@127.0.0.1:${this.#port}`;
  }

  /** Starts the server, or starts it again after `kill`, on the same port and data. */
  async start() {
    for (let tries = 1; ; tries++) {
      this.#spawn();
      const isUp = async () => (await this.#isReady()) || !isAlive(this.#record);
      if ((await until(isUp, START_TIMEOUT_MS)) && isAlive(this.#record)) return;
      await this.kill();
      if (tries === START_TRIES) throw new Error(`Redis did not start:\n${this.#log()}`);
    }
  }

  /** Ends the server at once. Its port stays for `start`, and its data as far as it was durable. */
  async kill() {
    await endProcess(this.#record, KILL);
    await this.#exited;
  }

  /** Kills the server and starts it again on the same port. */
  async restart() {
    await this.kill();
    await this.start();
  }

  /** Stops the server; throw-away data is gone afterwards. */
  async stop() {
    await endProcess(this.#record, this.#isThrowaway ? KILL : STOP);
    await this.#exited;
    rmSync(this.#recordFile, { force: true });
    if (this.#isThrowaway) rmSync(this.#home, { recursive: true, force: true });
  }

  #spawn() {
    const log = openSync(path.join(this.#home, 'log'), 'w', 0o600);
    const child = spawn(this.#program, ['-'], {
      ...demoted,
      // Ctrl-C is for the launcher alone, which stops the servers after those who use them.
      detached: true,
      cwd: this.#data,
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    this.#exited = exitOf(child);
    // By standard input, because arguments can be read by everybody.
    child.stdin.once('error', () => undefined);
    child.stdin.end(this.#config());
    this.#record = identify(child.pid);
    writeRecord(this.#recordFile, child.pid, { port: this.#port });
  }

  #config() {
    const settings = {
      port: this.#port,
      bind: '127.0.0.1',
      requirepass: this.#password,
      dir: `"${this.#data}"`,
      // One each for the files of a test run.
      databases: 1024,
      // Jobs must be refused rather than forgotten when the memory is full.
      'maxmemory-policy': 'noeviction',
      appendonly: this.#durable ? 'yes' : 'no',
      save: '""',
    };
    return Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join('');
  }

  async #isReady() {
    return (await ping(this.#port, `AUTH ${this.#password}\r\nPING\r\n`)).includes('+PONG');
  }

  #log() {
    return readFileSync(path.join(this.#home, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }
}

/** HELIOGRAPH_REDIS_FETCH=1 passes over an installed one, so that fetching is tested on every machine. */
async function findRedis(signal) {
  if (process.env.HELIOGRAPH_REDIS_FETCH !== '1') {
    const installed = ['redis-server', 'valkey-server']
      .map(findOnPath)
      .find((program) => program !== undefined && isNewEnough(program));
    if (installed !== undefined) return installed;
  }
  try {
    return await fetchProgram('redis-server', signal);
  } catch (error) {
    throw new Error(
      'There is no Redis here, and it could not be fetched. Install Redis 6.2 or later or Valkey ' +
        `(apt-get install redis-server), or set REDIS_URL to one of yours.\n${error.message}`,
      { cause: error },
    );
  }
}

function isNewEnough(program) {
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(execFileSync(program, ['--version'])) ?? [];
  return major > OLDEST[0] || (Number(major) === OLDEST[0] && minor >= OLDEST[1]);
}
