import { readCpuMicros, startCpuMeter } from '../process-meter.ts';
import { toCores } from '../report.ts';
import type { Sink } from '../sink/sink.ts';
import type { Client, RunTask } from './clients.ts';

const ROUNDS = 3;

export type Measured = Awaited<ReturnType<typeof measure>>;

/** Runs a client, and compares what it says with what nginx counted. */
export async function measure(sink: Sink, client: Client, task: Omit<RunTask, 'type'>) {
  const { requests: before } = await sink.count();
  const meter = startCpuMeter({
    client: () => readCpuMicros(client.process.pid),
    sink: () => readCpuMicros(sink.process.pid),
  });
  const { accepted, seconds, cpuMicros } = await client.run(task);
  const cores = toCores(meter.read(), seconds);
  const counted = (await sink.count()).requests - before;
  if (counted !== accepted)
    throw new Error(`${client.kind} had ${accepted} pushes accepted, and nginx counted ${counted}`);
  return {
    pushes: accepted,
    counted,
    rate: accepted / seconds,
    cpuMicros: cpuMicros / accepted,
    cores,
  };
}

export type ByKind = Readonly<Record<string, readonly Measured[]>>;

/** So many rounds of each, from either end in turns: who comes first finds the machine in another state. */
export async function measureInTurns(
  sink: Sink,
  clients: readonly Client[],
  seconds: number,
): Promise<ByKind> {
  const measured: Record<string, Measured[]> = {};
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    for (const client of turn % 2 === 0 ? clients : clients.toReversed())
      (measured[client.kind] ??= []).push(await measure(sink, client, { seconds }));
  }
  return measured;
}
