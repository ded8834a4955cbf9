import { setTimeout as sleep } from 'node:timers/promises';

import type { Bench } from '../bench.ts';
import { startCampaignFlood } from '../campaign-flood.ts';
import { toDevice } from '../devices.ts';
import { waitUntilDone } from '../ledger.ts';
import { type Load, startLoad } from '../load.ts';
import { readCpuMicros, readPeakRssMb, startCpuMeter } from '../process-meter.ts';
import {
  formatCores,
  noteDisturbance,
  percentile,
  perSecond,
  type Report,
  round,
  type Row,
  toCores,
} from '../report.ts';
import type { BenchProcess } from '../processes.ts';
import { type Sink, startSink } from '../sink/sink.ts';
import { createBenchApp, type Stack, startStack } from '../stack.ts';

const PER_SECOND = 200;
const SECONDS = 15;
/** Connections are made and code is compiled meanwhile, as in a server that did not start this second. */
const WARM_UP_SECONDS = 3;
const CONNECTIONS = 64;
const MIN_DEVICES = 10_000;
const SETTLE_MS = 500;
const DONE_WITHIN_MS = 15_000;
const GOAL_P50_MS = 10;
const GOAL_P99_MS = 50;
const GOAL_LOADED_P99_MS = 250;
const FLOOD_APP = 'flood';

/**
 * How long a message takes from the start of its request to the provider, at an even pace: on an idle stack, and while campaigns of another
 * app saturate the dispatcher. Messages go to the sandbox, which knows when each arrived, the campaigns to nginx.
 */
export async function latency(bench: Bench): Promise<Report> {
  const seconds = bench.seconds ?? SECONDS;
  const warmUps = PER_SECOND * WARM_UP_SECONDS;
  const measured = Math.round(PER_SECOND * seconds);
  // A device for each message: a push is known by its token.
  const stack = await startStack(bench, Math.max(MIN_DEVICES, warmUps + 2 * measured));
  const sink = await startSink(bench, stack.folder);
  const { apns } = stack.sandbox.credentials;
  const floodRef = await createBenchApp(stack.client, FLOOD_APP, {
    apns: { ...apns, environment: 'DEVELOPMENT' },
  });
  const dispatcher = await stack.startDispatcher({ APNS_SANDBOX_URL: sink.nearUrl });
  const load = await startLoad(bench.processes);
  const measure = (firstDevice: number, forSeconds = seconds) =>
    measureDelays({ stack, sink, dispatcher, load, firstDevice, seconds: forSeconds });

  await measure(0, WARM_UP_SECONDS);
  await sleep(SETTLE_MS);
  const idle = await measure(warmUps);
  const flood = await startCampaignFlood(stack, sink, FLOOD_APP, floodRef);
  const { requests: before } = await sink.count();
  const loaded = await measure(warmUps + measured);
  const pushes = (await sink.count()).requests - before;
  await flood.stop();
  return toReport(idle, loaded, pushes / loaded.wallSeconds, readPeakRssMb(dispatcher.pid));
}

interface Measurement {
  readonly stack: Stack;
  readonly sink: Sink;
  readonly dispatcher: BenchProcess;
  readonly load: Load;
  readonly firstDevice: number;
  readonly seconds: number;
}

type Delays = Awaited<ReturnType<typeof measureDelays>>;

/** Sends a message each to devices from the first on, and waits until all have arrived. */
async function measureDelays({ stack, sink, dispatcher, load, firstDevice, seconds }: Measurement) {
  const meter = startCpuMeter({
    api: () => readCpuMicros(stack.api.pid),
    dispatcher: () => readCpuMicros(dispatcher.pid),
    sandbox: () => readCpuMicros(stack.sandbox.process.pid),
    nginx: () => readCpuMicros(sink.process.pid),
    ...stack.serversCpu,
  });
  const startedAt = performance.now();
  const {
    startedAtMs,
    answerMs,
    cpuMicros: loadMicros,
  } = await load.pace({
    port: stack.apiPort,
    apiKey: stack.apiKey,
    appId: stack.appId,
    connections: CONNECTIONS,
    perSecond: PER_SECOND,
    seconds,
    firstDevice,
  });
  const { others, ...own } = meter.read();
  const cpuMicros = { ...own, load: loadMicros, others: Math.max(0, others - loadMicros) };
  const wallSeconds = (performance.now() - startedAt) / 1000;
  await waitUntilDone(stack.db, DONE_WITHIN_MS);

  const arrivedAtMs = await readArrivals(stack);
  const delays = startedAtMs.map((at, index) => {
    const arrivedAt = arrivedAtMs.get(toDevice(firstDevice + index).pushToken);
    if (arrivedAt === undefined) throw new Error(`message ${index} did not arrive`);
    return arrivedAt - at;
  });
  const toMicros = (of: number) => round(of / delays.length);
  return {
    messages: delays.length,
    p50Ms: percentile(delays, 50),
    p95Ms: percentile(delays, 95),
    p99Ms: percentile(delays, 99),
    maxMs: percentile(delays, 100),
    answerP50Ms: round(percentile(answerMs, 50), 1),
    answerP99Ms: round(percentile(answerMs, 99), 1),
    cpuMicros: toMicros(cpuMicros.dispatcher),
    apiCpuMicros: toMicros(cpuMicros.api),
    postgresCpuMicros: toMicros(cpuMicros.postgres),
    cores: toCores(cpuMicros, wallSeconds),
    wallSeconds,
  };
}

function toReport(
  { wallSeconds: _idleSeconds, ...idle }: Delays,
  { wallSeconds: _loadedSeconds, ...loaded }: Delays,
  campaignRate: number,
  rssMb: number,
): Report {
  const loadedP99: Row = toGoalRow('  p99', loaded.p99Ms, GOAL_LOADED_P99_MS);
  return {
    figures: {
      rate: PER_SECOND,
      ...idle,
      rssMb,
      loaded: { ...loaded, campaignRate: round(campaignRate) },
    },
    rows: [
      { name: 'messages', value: `${idle.messages} at ${PER_SECOND} /s` },
      toGoalRow('accept to provider, p50', idle.p50Ms, GOAL_P50_MS),
      { name: '  p95', value: `${idle.p95Ms} ms` },
      toGoalRow('  p99', idle.p99Ms, GOAL_P99_MS),
      { name: '  max', value: `${idle.maxMs} ms` },
      toAnswerRow(idle),
      {
        name: 'CPU per message',
        value: `api ${idle.apiCpuMicros} µs, dispatcher ${idle.cpuMicros} µs, postgres ${idle.postgresCpuMicros} µs`,
      },
      { name: 'cores in use', value: formatCores(idle.cores) },
      { name: 'beside campaigns of', value: perSecond(campaignRate) },
      { name: '  p50', value: `${loaded.p50Ms} ms` },
      { name: '  p95', value: `${loaded.p95Ms} ms` },
      loadedP99,
      { name: '  max', value: `${loaded.maxMs} ms` },
      toAnswerRow(loaded),
      { name: '  cores in use', value: formatCores(loaded.cores) },
      { name: 'dispatcher memory, peak', value: `${rssMb} MB` },
    ],
    notes: noteDisturbance(idle.cores),
  };
}

function toAnswerRow({ answerP50Ms, answerP99Ms }: Omit<Delays, 'wallSeconds'>): Row {
  return {
    name: '  answer of the api',
    value: `p50 ${answerP50Ms} ms, p99 ${answerP99Ms} ms`,
  };
}

function toGoalRow(name: string, ms: number, goalMs: number): Row {
  return { name, value: `${ms} ms`, goal: { text: `≤ ${goalMs} ms`, met: ms <= goalMs } };
}

/** When the push to each token arrived, by the clock that the generator has too. */
export async function readArrivals({ sandbox, devices }: Stack): Promise<Map<string, number>> {
  const { apns, fcm } = await sandbox.received(devices);
  return new Map(
    [...apns.pushes, ...fcm.pushes].map(({ token, at }) => [token, Date.parse(at)] as const),
  );
}
