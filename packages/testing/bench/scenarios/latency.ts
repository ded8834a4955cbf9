import { setTimeout as sleep } from 'node:timers/promises';

import type { Bench } from '../bench.ts';
import { toDevice } from '../devices.ts';
import { waitUntilDone } from '../ledger.ts';
import { startLoad } from '../load.ts';
import { readCpuMicros, readPeakRssMb, startCpuMeter } from '../process-meter.ts';
import {
  formatCores,
  noteDisturbance,
  percentile,
  type Report,
  round,
  toCores,
} from '../report.ts';
import { type Stack, startStack } from '../stack.ts';

const PER_SECOND = 200;
const SECONDS = 20;
/** Connections are made and code is compiled meanwhile, as in a server that did not start this second. */
const WARM_UP_SECONDS = 3;
const CONNECTIONS = 64;
const MIN_DEVICES = 10_000;
const SETTLE_MS = 500;
const DONE_WITHIN_MS = 15_000;
const GOAL_P50_MS = 10;
const GOAL_P99_MS = 50;

/** How long a message takes from the start of its request to the provider, at an even pace on an idle stack. */
export async function latency(bench: Bench): Promise<Report> {
  const seconds = bench.seconds ?? SECONDS;
  const warmUps = PER_SECOND * WARM_UP_SECONDS;
  const measured = Math.round(PER_SECOND * seconds);
  // A device for each message: a push is known by its token.
  const stack = await startStack(bench, Math.max(MIN_DEVICES, warmUps + measured));
  const dispatcher = await stack.startDispatcher();
  const load = await startLoad(bench.processes);
  const pace = (forSeconds: number, firstDevice: number) =>
    load.pace({
      port: stack.apiPort,
      appId: stack.appId,
      connections: CONNECTIONS,
      perSecond: PER_SECOND,
      seconds: forSeconds,
      firstDevice,
    });

  await pace(WARM_UP_SECONDS, 0);
  await waitUntilDone(stack.db, DONE_WITHIN_MS);
  await sleep(SETTLE_MS);

  const meter = startCpuMeter({
    api: () => readCpuMicros(stack.api.pid),
    dispatcher: () => readCpuMicros(dispatcher.pid),
    sandbox: () => readCpuMicros(stack.sandbox.process.pid),
    ...stack.serversCpu,
  });
  const { startedAtMs, answerMs, cpuMicros: loadMicros } = await pace(seconds, warmUps);
  const { others, ...own } = meter.read();
  const cpuMicros = { ...own, load: loadMicros, others: Math.max(0, others - loadMicros) };
  await waitUntilDone(stack.db, DONE_WITHIN_MS);

  const arrivedAtMs = await readArrivals(stack);
  const delays = startedAtMs.map((startedAt, index) => {
    const arrivedAt = arrivedAtMs.get(toDevice(warmUps + index).pushToken);
    if (arrivedAt === undefined) throw new Error(`message ${index} did not arrive`);
    return arrivedAt - startedAt;
  });
  const [p50Ms, p95Ms, p99Ms, maxMs] = [50, 95, 99, 100].map((at) => percentile(delays, at));
  const answerP50Ms = round(percentile(answerMs, 50), 1);
  const answerP99Ms = round(percentile(answerMs, 99), 1);
  const apiMicros = round(cpuMicros.api / measured);
  const postgresMicros = round(cpuMicros.postgres / measured);
  const dispatcherMicros = round(cpuMicros.dispatcher / measured);
  const rssMb = readPeakRssMb(dispatcher.pid);
  const cores = toCores(cpuMicros, seconds);

  return {
    figures: {
      rate: PER_SECOND,
      p50Ms,
      p95Ms,
      p99Ms,
      maxMs,
      answerP50Ms,
      answerP99Ms,
      cpuMicros: dispatcherMicros,
      apiCpuMicros: apiMicros,
      postgresCpuMicros: postgresMicros,
      rssMb,
      cores,
    },
    rows: [
      { name: 'messages', value: `${delays.length} at ${PER_SECOND} /s` },
      toGoalRow('accept to provider, p50', p50Ms, GOAL_P50_MS),
      { name: 'p95', value: `${p95Ms} ms` },
      toGoalRow('p99', p99Ms, GOAL_P99_MS),
      { name: 'max', value: `${maxMs} ms` },
      { name: 'answer of the api', value: `p50 ${answerP50Ms} ms, p99 ${answerP99Ms} ms` },
      {
        name: 'CPU per message',
        value: `api ${apiMicros} µs, dispatcher ${dispatcherMicros} µs, postgres ${postgresMicros} µs`,
      },
      { name: 'cores in use', value: formatCores(cores) },
      { name: 'dispatcher memory, peak', value: `${rssMb} MB` },
    ],
    notes: noteDisturbance(cores),
  };
}

function toGoalRow(name: string, ms = Number.NaN, goalMs: number) {
  return { name, value: `${ms} ms`, goal: { text: `≤ ${goalMs} ms`, met: ms <= goalMs } };
}

/** When the push to each token arrived, by the clock that the generator has too. */
async function readArrivals({ sandbox, devices }: Stack): Promise<Map<string, number>> {
  const { apns, fcm } = await sandbox.received(devices);
  return new Map(
    [...apns.pushes, ...fcm.pushes].map(({ token, at }) => [token, Date.parse(at)] as const),
  );
}
