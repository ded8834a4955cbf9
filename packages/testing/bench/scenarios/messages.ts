import type { Bench } from '../bench.ts';
import { clearLedger, readLedger, waitUntilDone } from '../ledger.ts';
import { type Load, type SaturateTask, startLoad } from '../load.ts';
import { readCpuMicros, readPeakRssMb, startCpuMeter } from '../process-meter.ts';
import {
  formatCores,
  median,
  noteDisturbance,
  percent,
  perSecond,
  type Report,
  round,
  type Row,
  toCores,
} from '../report.ts';
import { BUSY_CORE, type Sink, startSink } from '../sink/sink.ts';
import { type Stack, startStack } from '../stack.ts';
import {
  type BareHttp2,
  measureBareHttp2,
  noteBusySink,
  toBareRows,
} from '../yardsticks/bare-http2.ts';

const DEVICES = 10_000;
const CONNECTIONS = 64;
/** How long messages are taken in before each wave. */
const SECONDS = 4;
const WAVE_TIMEOUT_MS = 60_000;

/**
 * Messages per second that one dispatcher process sends and records, with a backlog that was accepted before it started. The first wave
 * goes to both platforms, the second to APNs alone, as the yardstick does.
 */
export async function messages(bench: Bench): Promise<Report> {
  const stack = await startStack(bench, DEVICES);
  const sink = await startSink(bench, stack.folder);
  const load = await startLoad(bench.processes);
  const seconds = bench.seconds ?? SECONDS;
  const measureBare = (pushes: number) =>
    measureBareHttp2(bench, sink, stack.sandbox.credentials.apns, pushes);

  const both = await runWave(stack, sink, load, 'both', seconds);
  const firstBare = await measureBare(both.pushes);
  const apns = await runWave(stack, sink, load, 'ios', seconds);
  const secondBare = await measureBare(apns.pushes);
  return toReport(both, apns, [firstBare, secondBare]);
}

function toReport(both: Wave, apns: Wave, bare: readonly BareHttp2[]): Report {
  const yardstick = median(bare.map((one) => one.rate));
  const slower = bare.find((one) => one.rate === yardstick);
  if (slower === undefined) throw new Error('a median is one of the values');
  const nginx = Math.max(...[both, apns, ...bare].map(({ cores }) => cores.nginx));
  const isSinkBusy = nginx >= BUSY_CORE;
  const ratio = isSinkBusy ? null : round(both.rate / yardstick, 3);
  const apnsRatio = isSinkBusy ? null : round(apns.rate / yardstick, 3);

  return {
    figures: {
      rate: round(both.rate),
      yardstick: round(yardstick),
      ratio,
      cpuMicros: round(both.cpuMicros),
      rssMb: both.rssMb,
      postgresCpuMicros: round(both.postgresCpuMicros),
      cores: both.cores,
      apns: {
        rate: round(apns.rate),
        ratio: apnsRatio,
        cpuMicros: round(apns.cpuMicros),
        rssMb: apns.rssMb,
        postgresCpuMicros: round(apns.postgresCpuMicros),
        cores: apns.cores,
      },
      yardstickCpuMicros: round(slower.cpuMicros),
      yardstickCores: slower.cores,
    },
    rows: [
      ...toRows('to both platforms', both, ratio),
      ...toRows('to APNs', apns, apnsRatio),
      ...toBareRows(slower),
    ],
    notes: [
      ...noteDisturbance({ others: Math.max(both.cores.others, apns.cores.others) }),
      ...noteBusySink(nginx),
    ],
  };
}

type Wave = Awaited<ReturnType<typeof runWave>>;

function toRows(name: string, wave: Wave, ratio: number | null): Row[] {
  const ofYardstick = ratio === null ? '' : `, ${percent(ratio)} of the yardstick`;
  return [
    { name: `sent ${name}`, value: `${perSecond(wave.rate)}${ofYardstick}` },
    { name: '  ledger', value: `${wave.pushes} sent, ${wave.received} counted by nginx` },
    {
      name: '  CPU per push',
      value: `dispatcher ${round(wave.cpuMicros)} µs, postgres ${round(wave.postgresCpuMicros)} µs`,
    },
    { name: '  cores in use', value: formatCores(wave.cores) },
    { name: '  dispatcher memory, peak', value: `${wave.rssMb} MB` },
  ];
}

/** Accepts messages while no dispatcher runs, then starts one and waits until they are sent. */
async function runWave(
  stack: Stack,
  sink: Sink,
  load: Load,
  platforms: SaturateTask['platforms'],
  seconds: number,
) {
  const { db } = stack;
  await clearLedger(db);
  const { requests: before } = await sink.count();
  const { accepted } = await load.saturate({
    port: stack.apiPort,
    apiKey: stack.apiKey,
    appId: stack.appId,
    connections: CONNECTIONS,
    devices: DEVICES,
    platforms,
    seconds,
  });

  const dispatcher = await stack.startDispatcher(sink.env);
  const meter = startCpuMeter({
    dispatcher: () => readCpuMicros(dispatcher.pid),
    nginx: () => readCpuMicros(sink.process.pid),
    ...stack.serversCpu,
  });
  await waitUntilDone(db, WAVE_TIMEOUT_MS);
  const cpuMicros = meter.read();
  const rssMb = readPeakRssMb(dispatcher.pid);
  await dispatcher.stop();

  const ledger = await readLedger(db);
  const received = (await sink.count()).requests - before;
  if ([ledger.deliveries, ledger.sent, received].some((count) => count !== accepted))
    throw new Error(
      `${accepted} messages were accepted, ${ledger.deliveries} deliveries are in the ledger, ` +
        `${ledger.sent} of them sent, and nginx counted ${received}`,
    );
  return {
    pushes: ledger.sent,
    received,
    rate: ledger.sent / ledger.seconds,
    cpuMicros: cpuMicros.dispatcher / ledger.sent,
    postgresCpuMicros: cpuMicros.postgres / ledger.sent,
    cores: toCores(cpuMicros, ledger.seconds),
    rssMb,
  };
}
