// The services: started with a pipe to us, stopped in order, and ended for sure.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './folders.mjs';
import { endProcess, exitOf, identify, readRecord, sendSignal, writeRecord } from './pids.mjs';

/** A service drains within 25 s by itself. */
const STOP = [
  ['SIGTERM', 27_000],
  ['SIGKILL', 3_000],
];

/**
 * Starts a service that tells us by IPC when it is ready. It exits when the pipe breaks, so a killed launcher
 * takes it along; its record in `folder` lets the next start end what did not even notice.
 */
export function startService(name, { main, env, folder }) {
  const records = path.join(folder, 'run');
  const logs = path.join(folder, 'logs');
  for (const each of [records, logs]) mkdirSync(each, { recursive: true });

  const log = path.join(logs, `${name}.log`);
  const out = openSync(log, 'w', 0o600);
  const child = spawn(process.execPath, [path.join(ROOT, main)], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    // In a process group of its own: Ctrl-C is for the launcher, which knows the order.
    detached: true,
    stdio: ['ignore', out, out, 'ipc'],
  });
  closeSync(out);
  return new Service(name, { child, log, record: path.join(records, `${name}.json`) });
}

/** Ends the services that a killed launcher left behind. */
export async function endLeftServices(folder) {
  const records = path.join(folder, 'run');
  mkdirSync(records, { recursive: true });
  for (const name of readdirSync(records)) {
    const file = path.join(records, name);
    await endProcess(readRecord(file), STOP);
    rmSync(file, { force: true });
  }
}

class Service {
  name;
  /** Resolves with what the service said when it was ready; rejects when it ended instead. */
  ready;
  /** Rejects when the service ends without having been asked to. */
  failed;
  #log;
  #recordFile;
  #record;
  #exited;
  #isStopping = false;

  constructor(name, { child, log, record }) {
    this.name = name;
    this.#log = log;
    this.#recordFile = record;
    this.#record = identify(child.pid);
    writeRecord(record, child.pid);
    this.#exited = exitOf(child);
    this.failed = this.#exited.then((code) => this.#onExit(code));
    this.ready = Promise.race([
      new Promise((resolve) => child.once('message', resolve)),
      this.failed,
    ]);
    // Whoever waits hears of it; the launcher is not to die of the rest.
    this.failed.catch(() => undefined);
    this.ready.catch(() => undefined);
  }

  async stop() {
    this.#isStopping = true;
    // Whoever presses Ctrl-C again is in a hurry, and so is a service that is told twice.
    const hurry = () => sendSignal(this.#record.pid, 'SIGTERM');
    process.on('SIGINT', hurry);
    await endProcess(this.#record, STOP);
    await this.#exited;
    process.off('SIGINT', hurry);
    rmSync(this.#recordFile, { force: true });
  }

  #onExit(code) {
    if (this.#isStopping) return;
    const end = readFileSync(this.#log, 'utf8').trim().split('\n').slice(-15).join('\n');
    throw new Error(`${this.name} ended (${code ?? 'killed'}). The end of ${this.#log}:\n${end}`);
  }
}
