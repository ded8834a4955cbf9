// What our PostgreSQL and our Redis have in common: a folder, a port, and a process that is ours to kill.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SERVER_RECORD, demoted, makeOpenFolder } from './folders.mjs';
import { endProcess, exitOf, identify, isAlive, readRecord, until, writeRecord } from './pids.mjs';
import { freePort } from './ports.mjs';

const START_TRIES = 3;

/** A server adds `prepare`, `command`, `isReady` and, where it can tell, `findOrphan`. */
export class OwnedServer {
  /** Set by `prepare`. */
  url;
  home;
  data;
  port;
  isThrowaway;
  #name;
  #startTimeoutMs;
  #stopSignals;
  #killSignals;
  #recordFile;
  #record;
  #exited;

  constructor({ name, home, isThrowaway, startTimeoutMs, stopSignals, killSignals }) {
    this.home = home;
    this.data = path.join(home, 'data');
    this.isThrowaway = isThrowaway;
    this.#name = name;
    this.#startTimeoutMs = startTimeoutMs;
    this.#stopSignals = stopSignals;
    this.#killSignals = killSignals;
    this.#recordFile = path.join(home, SERVER_RECORD);
  }

  get pid() {
    return this.#record?.pid;
  }

  /** Ends what a killed launcher left running here, and starts the server on a free port. On failure, nothing is left. */
  async open(signal) {
    try {
      makeOpenFolder(this.home);
      await endProcess(readRecord(this.#recordFile) ?? this.findOrphan(), this.#stopSignals);
      this.port = await freePort();
      await this.prepare(signal);
      await this.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this;
  }

  /** Starts the server, or starts it again after `kill`, on the same port and data. */
  async start() {
    for (let tries = 1; ; tries++) {
      this.#spawn();
      const isUp = async () => (await this.isReady()) || !isAlive(this.#record);
      if ((await until(isUp, this.#startTimeoutMs)) && isAlive(this.#record)) return;
      // Tried again: after a SIGKILL, PostgreSQL's shared memory is in use until the last backend has noticed.
      await this.kill();
      if (tries === START_TRIES) throw new Error(`${this.#name} did not start:\n${this.#log()}`);
    }
  }

  /** Ends the server at once. Its port stays for `start`, and its data as far as it was durable. */
  async kill() {
    await endProcess(this.#record, this.#killSignals);
    await this.#exited;
  }

  /** Kills the server and starts it again on the same port. */
  async restart() {
    await this.kill();
    await this.start();
  }

  /** Stops the server; throw-away data is gone afterwards. */
  async stop() {
    await endProcess(this.#record, this.isThrowaway ? this.#killSignals : this.#stopSignals);
    await this.#exited;
    rmSync(this.#recordFile, { force: true });
    if (this.isThrowaway) rmSync(this.home, { recursive: true, force: true });
  }

  /** The record of a server that runs here though nobody wrote it down. */
  findOrphan() {
    return undefined;
  }

  #spawn() {
    const { program, args, env, input } = this.command();
    const log = openSync(path.join(this.home, 'log'), 'w', 0o600);
    const child = spawn(program, args, {
      ...demoted,
      // Ctrl-C is for the launcher alone, which stops the servers after those who use them.
      detached: true,
      cwd: this.data,
      env,
      stdio: [input === undefined ? 'ignore' : 'pipe', log, log],
    });
    closeSync(log);
    this.#exited = exitOf(child);
    child.stdin?.once('error', () => undefined);
    child.stdin?.end(input);
    this.#record = identify(child.pid);
    writeRecord(this.#recordFile, child.pid, { port: this.port });
  }

  #log() {
    return readFileSync(path.join(this.home, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }
}
