import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

import { inCheckout } from '../src/checkout.ts';

const STOP_WITHIN_MS = 27_000;
const KEPT_OUTPUT = 4_000;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A TypeScript file of ours rather than a built service. */
  readonly fromSource?: boolean;
}

/** Those that this process has, but for the condition that packages come as sources: what is measured is what production runs. */
const SOURCE_FLAGS = process.execArgv.filter((flag) => !flag.startsWith('--conditions='));

/** A process of the bench: a service, a load generator or a yardstick. It ends when the bench does, whatever happens. */
export class BenchProcess {
  readonly pid: number;
  /** Rejects when it ends without having been asked to. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #isStopping = false;

  constructor(name: string, child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    let output = '';
    const keep = (text: Buffer) => (output = (output + text.toString()).slice(-KEPT_OUTPUT));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);

    this.#exited = new Promise((resolve) => child.once('close', () => resolve()));
    this.failed = new Promise((_resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (!this.#isStopping) reject(new Error(`${name} ended (${signal ?? code}):\n${output}`));
      });
    });
    this.failed.catch(() => undefined);
  }

  /** The next thing that it tells us. */
  next<T>(): Promise<T> {
    const told = new Promise<T>((resolve) =>
      this.#child.once('message', (message) => resolve(message as T)),
    );
    return Promise.race([told, this.failed]);
  }

  /** Gives it a task and resolves with what it answers. One task at a time. */
  ask<T>(task: object): Promise<T> {
    const answer = this.next<T>();
    this.#child.send(task);
    return answer;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#isStopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** The processes of one scenario. */
export class Processes {
  /** Rejects when one of them ends without having been asked to. */
  readonly failure: Promise<never>;
  readonly #running: BenchProcess[] = [];
  readonly #profilePrefix: string | undefined;
  #fail: (error: unknown) => void = () => undefined;
  #ended = false;

  /** With a `profilePrefix` the services write CPU profiles when they end, to files whose paths begin so. */
  constructor(profilePrefix: string | undefined) {
    this.#profilePrefix = profilePrefix;
    this.failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => undefined);
  }

  /** Starts a file of the checkout in a process of its own. */
  start(name: string, file: string, { env = {}, fromSource = false }: StartOptions): BenchProcess {
    if (this.#ended) throw new Error('the scenario is over');
    const flags = fromSource ? SOURCE_FLAGS : this.#profileFlags(name);
    return this.#add(
      name,
      spawn(process.execPath, [...flags, inCheckout(file)], {
        cwd: inCheckout(''),
        // No variable of the developer's own shell decides how fast we are.
        env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        // Ctrl-C is for the bench, which ends them in order; they follow the end of its pipe otherwise.
        detached: true,
      }),
    );
  }

  /** Starts a program by somebody else, which stays in the foreground and knows nothing of us. */
  startProgram(name: string, program: string, args: readonly string[]): BenchProcess {
    if (this.#ended) throw new Error('the scenario is over');
    return this.#add(
      name,
      spawn(program, args, {
        env: { PATH: process.env['PATH'] ?? '' },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      }),
    );
  }

  #add(name: string, child: ChildProcess): BenchProcess {
    const started = new BenchProcess(name, child);
    started.failed.catch((error: unknown) => this.#fail(error));
    this.#running.push(started);
    return started;
  }

  /** Ends all of them, the last one first, and starts no more. */
  async endAll(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#ended = true;
    for (const each of this.#running.toReversed()) await each.stop(signal);
  }

  #profileFlags(name: string): string[] {
    if (this.#profilePrefix === undefined) return [];
    const { dir, base } = path.parse(path.resolve(this.#profilePrefix));
    const file = `${base}${name}-${this.#running.length}.cpuprofile`;
    return ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${file}`];
  }
}
