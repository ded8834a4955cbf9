// A Redis of our own: the one on PATH, or Debian's package in our cache.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fetchProgram, findOnPath } from './debian.mjs';
import { makeServerFolder, throwawayFolder, writeServerFiles } from './folders.mjs';
import { OwnedServer } from './owned-server.mjs';
import { ping } from './ports.mjs';

const START_TIMEOUT_MS = 20_000;
const OLDEST = [6, 2];

const STOP = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 3_000],
];
const KILL = [['SIGKILL', 3_000]];

/**
 * Starts Redis on a free loopback port. With a `folder` its data is kept there in an append-only file; without
 * one nothing is written, unless `durable` asks for it, and all is gone at `stop`. `lines` are added to its configuration and
 * `files` to its folder; with `sentinel` it watches others instead of keeping data.
 */
export async function startRedis({
  folder,
  durable = folder !== undefined,
  password,
  lines = [],
  files = {},
  sentinel = false,
  signal,
} = {}) {
  const program = await findRedis(signal);
  const Server = sentinel ? Sentinel : Redis;
  const server = new Server({
    home: folder ?? (await throwawayFolder('redis')),
    isThrowaway: folder === undefined,
    program,
    durable,
    password,
    lines,
    files,
  });
  return server.open();
}

class Redis extends OwnedServer {
  #program;
  #durable;
  #password;
  #lines;
  #files;

  constructor({ home, isThrowaway, program, durable, password, lines, files }) {
    super({
      name: 'Redis',
      home,
      isThrowaway,
      startTimeoutMs: START_TIMEOUT_MS,
      stopSignals: STOP,
      killSignals: KILL,
    });
    this.#program = program;
    this.#durable = durable;
    this.#password = password ?? randomBytes(24).toString('base64url');
    this.#lines = lines;
    this.#files = files;
  }

  prepare() {
    makeServerFolder(this.data);
    writeServerFiles(this.data, this.#files);
    this.url = `redis://:${this.#password}@127.0.0.1:${this.port}`;
  }

  command() {
    // By standard input, because arguments can be read by everybody.
    return { program: this.#program, args: ['-'], input: this.config() };
  }

  async isReady() {
    return (await ping(this.port, `AUTH ${this.#password}\r\nPING\r\n`)).includes('+PONG');
  }

  get program() {
    return this.#program;
  }

  config() {
    const settings = { ...this.access(), ...this.settings() };
    const all = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    return [...all, ...this.#lines, ''].join('\n');
  }

  access() {
    return {
      port: this.port,
      bind: '127.0.0.1',
      requirepass: this.#password,
      dir: `"${this.data}"`,
    };
  }

  settings() {
    return {
      // One each for the files of a test run.
      databases: 1024,
      // Jobs must be refused rather than forgotten when the memory is full.
      'maxmemory-policy': 'noeviction',
      appendonly: this.#durable ? 'yes' : 'no',
      save: '""',
    };
  }
}

/** Keeps its configuration in a file, into which it writes what it learned. */
class Sentinel extends Redis {
  prepare() {
    super.prepare();
    writeServerFiles(this.data, { 'sentinel.conf': this.config() });
  }

  command() {
    return { program: this.program, args: [path.join(this.data, 'sentinel.conf'), '--sentinel'] };
  }

  settings() {
    return {};
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
