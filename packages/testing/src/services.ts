import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { inCheckout } from './checkout.ts';

const MAIN = {
  api: 'services/api/src/main.ts',
  dispatcher: 'services/dispatcher/src/main.ts',
  sandbox: 'packages/sandbox/src/main.ts',
} as const;

export type ServiceName = keyof typeof MAIN;

/** What a service tells its parent once it is ready: `port`, or the sandbox's URLs. */
export interface ServiceReady {
  readonly type: string;
  readonly port?: number;
  readonly [fact: string]: unknown;
}

export interface SpawnedService {
  readonly pid: number;
  /** Resolves with what the service said when it was ready; rejects with its output when it ended instead. */
  waitReady(): Promise<ServiceReady>;
  /** Where it listens; known once it is ready. */
  readonly url: string;
  /** Everything it wrote so far. */
  readonly output: string;
  kill(signal?: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** Runs a service from its sources in a process of its own, on a free port. It ends with the test's process. */
export function spawnService(name: ServiceName, env: Record<string, string>): SpawnedService {
  const folder = mkdtempSync(path.join(tmpdir(), `heliograph-${name}-`));
  const child = spawn(
    process.execPath,
    ['--conditions=@heliograph/source', '--import', 'tsx', inCheckout(MAIN[name])],
    {
      cwd: inCheckout(''),
      env: { ...inherited(), ...defaults(folder), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  let output = '';
  let url = '';
  const keep = (text: Buffer) => (output += text.toString());
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);

  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code ?? signal ?? 1);
    });
  });
  const ready = new Promise<ServiceReady>((resolve, reject) => {
    child.once('message', (facts: ServiceReady) => {
      url = `http://127.0.0.1:${facts.port}`;
      resolve(facts);
    });
    child.once('error', reject);
    child.once('close', (code, signal) =>
      reject(new Error(`${name} ended (${signal ?? code}) before it was ready:\n${output}`)),
    );
  });
  detach(child);
  // Whoever waits hears of it; a test that doesn't wait is not to die of it.
  ready.catch(() => undefined);

  return {
    pid: child.pid ?? 0,
    waitReady: () => ready,
    get url() {
      return url;
    },
    get output() {
      return output;
    },
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    exited,
  };
}

/** A test that fails before its `kill` is not to keep Jest from ending, which ends the service as well. */
function detach(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream instanceof Socket) stream.unref();
  }
}

/** No variable of the developer's own shell decides how a test ends. */
function inherited(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
}

function defaults(folder: string): Record<string, string> {
  const keyFile = path.join(folder, 'secrets.key');
  writeFileSync(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  return {
    HOST: '127.0.0.1',
    AUTH: 'off',
    PORT: '0',
    PROVIDERS: 'sandbox',
    SECRETS_KEY_FILE: keyFile,
    SANDBOX_DIR: path.join(folder, 'sandbox'),
    APNS_PORT: '0',
    FCM_PORT: '0',
    CONTROL_PORT: '0',
  };
}
