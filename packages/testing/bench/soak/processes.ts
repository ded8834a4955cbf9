import type { BenchProcess, Processes } from '../processes.ts';
import type { SandboxCredentials } from '../sandbox.ts';
import type { ServerCounts } from './faulty-server.ts';

const FOLDER = 'packages/testing/bench/soak';

export interface OpenTask {
  readonly type: 'open';
  readonly url: string;
  readonly caFile: string;
  readonly credentials: SandboxCredentials['apns'];
  /** All that there will be. */
  readonly pushes: number;
  readonly deadlineMs: number;
}

export type SenderTask =
  | OpenTask
  /** All pushes with lower numbers than `end` that were not sent yet. */
  | { readonly type: 'send'; readonly end: number }
  | { readonly type: 'close' };

export interface Sent {
  readonly type: 'sent';
  readonly seconds: number;
  /** Of the sender's process. */
  readonly cpuMicros: number;
}

export interface Closed {
  readonly type: 'closed';
  readonly leftHandles: readonly string[];
  /** Base64 of a byte per push, as `SendLedger` has them. */
  readonly ends: string;
  readonly lastAttempts: string;
  readonly endedAgain: number;
  readonly requeues: number;
  readonly singles: number;
  readonly stops: number;
}

export type SenderAnswer = { readonly type: 'opened' } | Sent | Closed;

export interface ServerAnswer extends ServerCounts {
  /** Base64 of a byte per push, as `Acceptance` has them. */
  readonly accepted: string;
  readonly acceptedAgain: number;
}

export interface SoakServer {
  readonly process: BenchProcess;
  readonly url: string;
  look(): Promise<ServerAnswer>;
}

export async function startFaultyServer(
  processes: Processes,
  options: { readonly folder: string; readonly pushes: number; readonly tooLateMs: number },
): Promise<SoakServer> {
  const started = processes.start('faulty server', `${FOLDER}/faulty-server-main.ts`, {
    fromSource: true,
    env: {
      SOAK_DIR: options.folder,
      SOAK_PUSHES: String(options.pushes),
      SOAK_TOO_LATE_MS: String(options.tooLateMs),
    },
  });
  const { url } = await started.next<{ readonly url: string }>();
  return { process: started, url, look: () => started.ask<ServerAnswer>({}) };
}

export interface Sender {
  readonly process: BenchProcess;
  sendUpTo(end: number): Promise<Sent>;
  close(): Promise<Closed>;
}

export async function startSender(
  processes: Processes,
  target: Omit<OpenTask, 'type'>,
): Promise<Sender> {
  const started = processes.start('sender', `${FOLDER}/sender-main.ts`, { fromSource: true });
  await started.next();
  const ask = <T>(task: SenderTask) => started.ask<T>(task);
  await ask({ type: 'open', ...target });
  return {
    process: started,
    sendUpTo: (end) => ask<Sent>({ type: 'send', end }),
    close: () => ask<Closed>({ type: 'close' }),
  };
}
