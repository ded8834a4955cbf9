import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

import { inCheckout } from './checkout.ts';

export interface OwnServerOptions {
  /** Writes to disk as production does, so that what was committed survives `kill`. Off by default. */
  readonly durable?: boolean;
  /** Put into the server's folder, readable by it alone. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface OwnPostgresOptions extends OwnServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
}

export interface OwnRedisOptions extends OwnServerOptions {
  /** For servers that have to know each other's; a random one by default. */
  readonly password?: string;
  /** Added to the configuration. */
  readonly lines?: readonly string[];
  /** Watches other servers instead of keeping data. */
  readonly sentinel?: boolean;
}

/** A throw-away server that a test may kill. It ends with the test's process, whatever happens. */
export interface OwnServer {
  readonly url: string;
  readonly pid: number;
  /** Ends the server without a farewell. */
  readonly kill: () => Promise<void>;
  /** Starts it again after `kill`, with the same URL and what data it kept. */
  readonly start: () => Promise<void>;
  /** `kill` and `start`. */
  readonly restart: () => Promise<void>;
  /** Stops it for good and deletes its data. */
  readonly stop: () => Promise<void>;
}

export function startOwnPostgres(options: OwnPostgresOptions = {}): Promise<OwnServer> {
  return startOwn('postgres', options);
}

export function startOwnRedis(options: OwnRedisOptions = {}): Promise<OwnServer> {
  return startOwn('redis', options);
}

interface Answer {
  readonly id?: number;
  readonly url?: string;
  readonly pid: number;
  readonly error?: string;
}

/** In a process of its own: Jest runs us as CommonJS, in which the launchers cannot be imported. */
async function startOwn(kind: 'postgres' | 'redis', options: OwnServerOptions): Promise<OwnServer> {
  const launcher = fork(inCheckout('infra/local/serve.mjs'), [kind, JSON.stringify(options)], {
    execArgv: [],
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const first = await answerOf(launcher, (answer) => answer.url !== undefined);
  detach(launcher);
  let { pid } = first;
  let calls = 0;

  const call = async (verb: 'kill' | 'start' | 'restart') => {
    const id = ++calls;
    const answered = answerOf(launcher, (answer) => answer.id === id);
    launcher.send({ id, verb });
    const answer = await answered;
    if (answer.error !== undefined) throw new Error(answer.error);
    pid = answer.pid;
  };
  return {
    url: first.url ?? '',
    get pid() {
      return pid;
    },
    kill: () => call('kill'),
    start: () => call('start'),
    restart: () => call('restart'),
    async stop() {
      if (launcher.exitCode !== null || launcher.signalCode !== null) return;
      launcher.ref();
      const exited = once(launcher, 'exit');
      launcher.disconnect();
      await exited;
    },
  };
}

/** A test that fails before its `stop` is not to keep Jest from ending, which ends the server as well. */
function detach(launcher: ChildProcess): void {
  launcher.unref();
  launcher.channel?.unref();
  if (launcher.stderr instanceof Socket) launcher.stderr.unref();
}

function answerOf(launcher: ChildProcess, isIt: (answer: Answer) => boolean): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let said = '';
    const onMessage = (answer: Answer) => isIt(answer) && settle(answer);
    const onStderr = (text: Buffer) => (said += text.toString());
    const onExit = () => settle(undefined);
    const settle = (answer: Answer | undefined) => {
      launcher.off('message', onMessage).off('exit', onExit);
      launcher.stderr?.off('data', onStderr);
      if (answer === undefined) return reject(new Error(`The server's launcher ended. ${said}`));
      resolve(answer);
    };
    launcher.on('message', onMessage).once('exit', onExit);
    launcher.stderr?.on('data', onStderr);
  });
}
