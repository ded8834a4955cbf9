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
import { type Stack, startStack } from '../stack.ts';
import { sendByHttp2 } from '../yardsticks/http2.ts';

const DEVICES = 10_000;
const CONNECTIONS = 64;
/** How long messages are taken in before each wave. */
const SECONDS = 4;
const WAVE_TIMEOUT_MS = 60_000;
/** A sink that uses so much of a core is what is measured. */
const BUSY_CORE = 0.95;

/**
 * Messages per second that one dispatcher process sends and records, with a backlog that was accepted before it started. The first wave
 * goes to both platforms, the second to APNs alone, as the yardstick does.
 */
export async function messages(bench: Bench): Promise<Report> {
  const stack = await startStack(bench, DEVICES);
  const load = await startLoad(bench.processes);
  const seconds = bench.seconds ?? SECONDS;

  const both = await runWave(stack, load, 'both', seconds);
  const firstBare = await measureBare(bench, stack, both.pushes);
  const apns = await runWave(stack, load, 'ios', seconds);
  const secondBare = await measureBare(bench, stack, apns.pushes);

  const yardstick = median([firstBare.rate, secondBare.rate]);
  const sink = Math.max(firstBare.sink, secondBare.sink);
  const isSinkBusy = sink >= BUSY_CORE;
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
      yardstickCpuMicros: round(firstBare.cpuMicros),
      yardstickCores: { client: firstBare.client, sandbox: firstBare.sink },
    },
    rows: [
      ...toRows('to both platforms', both, ratio),
      ...toRows('to APNs', apns, apnsRatio),
      { name: 'yardstick', value: `${perSecond(yardstick)}, bare node:http2 to APNs` },
      { name: '  CPU per push', value: `client ${round(firstBare.cpuMicros)} µs` },
      { name: '  cores in use', value: formatCores({ client: firstBare.client, sandbox: sink }) },
    ],
    notes: [
      ...noteDisturbance({ others: Math.max(both.cores.others, apns.cores.others) }),
      ...(isSinkBusy
        ? [
            `the sandbox used ${percent(sink)} of a core under the yardstick: it is the limit, so there is no ratio`,
          ]
        : []),
    ],
  };
}

type Wave = Awaited<ReturnType<typeof runWave>>;

function toRows(name: string, wave: Wave, ratio: number | null): Row[] {
  const ofYardstick = ratio === null ? '' : `, ${percent(ratio)} of the yardstick`;
  return [
    { name: `sent ${name}`, value: `${perSecond(wave.rate)}${ofYardstick}` },
    { name: '  ledger', value: `${wave.pushes} sent, ${wave.received} received` },
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
  load: Load,
  platforms: SaturateTask['platforms'],
  seconds: number,
) {
  const { db, sandbox } = stack;
  await clearLedger(db);
  await sandbox.clear();
  const { accepted } = await load.saturate({
    port: stack.apiPort,
    appId: stack.appId,
    connections: CONNECTIONS,
    devices: DEVICES,
    platforms,
    seconds,
  });

  const dispatcher = await stack.startDispatcher();
  const meter = startCpuMeter({
    dispatcher: () => readCpuMicros(dispatcher.pid),
    sandbox: () => readCpuMicros(sandbox.process.pid),
    ...stack.serversCpu,
  });
  await waitUntilDone(db, WAVE_TIMEOUT_MS);
  const cpuMicros = meter.read();
  const rssMb = readPeakRssMb(dispatcher.pid);
  await dispatcher.stop();

  const ledger = await readLedger(db);
  const { apns, fcm } = await sandbox.received(0);
  const received = apns.accepted + fcm.accepted;
  if ([ledger.deliveries, ledger.sent, received].some((count) => count !== accepted))
    throw new Error(
      `${accepted} messages were accepted, ${ledger.deliveries} deliveries are in the ledger, ` +
        `${ledger.sent} of them sent, and the sandbox accepted ${received}`,
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

/** As many pushes as the wave had, equal to one of them, by a client that does nothing else. */
async function measureBare(bench: Bench, { sandbox }: Stack, pushes: number) {
  const [push] = (await sandbox.received(1)).apns.pushes;
  if (push === undefined) throw new Error('no push reached APNs');
  const meter = startCpuMeter({ sandbox: () => readCpuMicros(sandbox.process.pid) });
  const result = await sendByHttp2(bench.processes, {
    url: sandbox.apnsUrl,
    caFile: sandbox.caFile,
    credentials: sandbox.credentials.apns,
    push,
    pushes,
    devices: DEVICES,
  });
  const { sandbox: sink } = toCores(meter.read(), result.seconds);
  return {
    rate: pushes / result.seconds,
    cpuMicros: result.cpuMicros / pushes,
    client: round(result.cpuMicros / 1e6 / result.seconds, 2),
    sink,
  };
}
