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

export interface FloodTask extends Target {
  readonly kind: 'flood';
  readonly perSecond: number;
  /** Messages go to them in turns. */
  readonly devices: number;
  readonly maxConnections: number;
}

export interface FloodResult {
  /** How many answers had each status. */
  readonly answers: Readonly<Record<number, number>>;
  /** Requests for which there was no connection. */
  readonly unsent: number;
  /** Requests whose connection ended before the answer. */
  readonly broken: number;
  readonly connections: number;
  readonly seconds: number;
}

export type LoadTask = SaturateTask | PaceTask | FloodTask;

/** The CPU time that the generator itself used. */
interface Cost {
  readonly cpuMicros: number;
}

/** A load generator in a process of its own. A request that is refused fails the bench, but for floods. */
export interface Load {
  saturate(task: Omit<SaturateTask, 'kind'>): Promise<SaturateResult & Cost>;
  pace(task: Omit<PaceTask, 'kind'>): Promise<PaceResult & Cost>;
  /** Here requests may be refused. */
  flood(task: Omit<FloodTask, 'kind'>): Promise<FloodResult & Cost>;
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
    flood: (task) => generator.ask<FloodResult & Cost>({ kind: 'flood', ...task }),
  };
}
