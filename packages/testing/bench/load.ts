import type { Processes } from './processes.ts';

interface Target {
  readonly port: number;
  /** Of the api; a yardstick does not look at it. */
  readonly apiKey: string;
  readonly appId: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface SaturateTask extends Target {
  readonly kind: 'saturate';
  /** Messages go to so many devices from the first on, which is even, of both platforms or of one. */
  readonly devices: number;
  readonly firstDevice?: number;
  readonly platforms: 'both' | 'ios' | 'android';
}

export interface SaturateResult {
  readonly accepted: number;
  readonly refused: number;
  readonly seconds: number;
}

export interface PaceTask extends Target {
  readonly kind: 'pace';
  readonly perSecond: number;
  readonly firstDevice: number;
}

export interface PaceResult {
  /** When each request began, in the order of the devices; ms since the epoch. */
  readonly startedAtMs: readonly number[];
  /** How long each took to be answered, in the order of the answers. */
  readonly answerMs: readonly number[];
  readonly refused: number;
}

export type LoadTask = SaturateTask | PaceTask;

/** The CPU time that the generator itself used. */
interface Cost {
  readonly cpuMicros: number;
}

/** A load generator in a process of its own. A request that is refused fails the bench. */
export interface Load {
  saturate(task: Omit<SaturateTask, 'kind'>): Promise<SaturateResult & Cost>;
  pace(task: Omit<PaceTask, 'kind'>): Promise<PaceResult & Cost>;
}

export async function startLoad(processes: Processes): Promise<Load> {
  const generator = processes.start('load', 'packages/testing/bench/load-main.ts', {
    fromSource: true,
  });
  await generator.next();

  async function run<T extends { readonly refused: number }>(task: LoadTask): Promise<T> {
    const result = await generator.ask<T>(task);
    if (result.refused > 0) throw new Error(`${result.refused} requests were refused`);
    return result;
  }
  return {
    saturate: (task) => run({ kind: 'saturate', ...task }),
    pace: (task) => run({ kind: 'pace', ...task }),
  };
}
