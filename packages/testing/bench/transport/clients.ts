import type { BenchProcess, Processes } from '../processes.ts';
import type { Driven } from './drive.ts';
import type { ClientKind, PushTarget } from './push-client.ts';

export interface OpenTask {
  readonly type: 'open';
  readonly kind: ClientKind;
  readonly target: PushTarget;
}

/** For so long, or so many pushes. */
export interface RunTask {
  readonly type: 'run';
  readonly seconds?: number;
  readonly pushes?: number;
}

export type ClientTask = OpenTask | RunTask;

export interface ClientRun extends Driven {
  /** CPU time of the client's process meanwhile. */
  readonly cpuMicros: number;
}

export type ClientAnswer =
  | { readonly type: 'opened' }
  | ({ readonly type: 'ran' } & ClientRun)
  | { readonly type: 'failed'; readonly reason: string };

/** A client in a process of its own, with its connection open. */
export interface Client {
  readonly kind: ClientKind;
  readonly process: BenchProcess;
  /** Rejects where a push was not answered with 200. */
  run(task: Omit<RunTask, 'type'>): Promise<ClientRun>;
}

export async function startClient(
  processes: Processes,
  kind: ClientKind,
  target: PushTarget,
): Promise<Client> {
  const started = processes.start(kind, 'packages/testing/bench/transport/client-main.ts', {
    fromSource: true,
  });
  await started.next();
  const ask = async (task: ClientTask) => {
    const answer = await started.ask<ClientAnswer>(task);
    if (answer.type === 'failed') throw new Error(`${kind}: ${answer.reason}`);
    return answer;
  };
  await ask({ type: 'open', kind, target });

  return {
    kind,
    process: started,
    async run(task) {
      const answer = await ask({ type: 'run', ...task });
      if (answer.type !== 'ran') throw new Error(`${kind} did not run`);
      if (answer.refused > 0) throw new Error(`${kind} had ${answer.refused} pushes refused`);
      return answer;
    },
  };
}
