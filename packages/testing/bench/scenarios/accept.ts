import { sql } from 'kysely';

import type { Bench } from '../bench.ts';
import { type Load, startLoad } from '../load.ts';
import { readCpuMicros, readPeakRssMb, startCpuMeter } from '../process-meter.ts';
import {
  formatCores,
  median,
  noteDisturbance,
  percent,
  perSecond,
  type Report,
  round,
  toCores,
} from '../report.ts';
import { type Stack, startStack } from '../stack.ts';

const DEVICES = 10_000;
const CONNECTIONS = 64;
const ROUNDS = 3;
const SECONDS = 5;
const WARM_UP_SECONDS = 2;
const GOAL = 0.6;
/** A generator that has no core to itself any more measures itself. */
const BUSY_CORE = 0.95;

interface Server {
  readonly pid: number;
  readonly port: number;
}

/** Messages per second that one api process validates, stores and announces. Nothing takes them away meanwhile. */
export async function accept(bench: Bench): Promise<Report> {
  const stack = await startStack(bench, DEVICES);
  const api = { pid: stack.api.pid, port: stack.apiPort };
  const bare = await startBareExpress(bench);
  const load = await startLoad(bench.processes);
  const seconds = bench.seconds ?? SECONDS;

  await measure(stack, load, bare, WARM_UP_SECONDS);
  const warmUp = await measure(stack, load, api, WARM_UP_SECONDS);
  const ofBare: Round[] = [];
  const ofApi: Round[] = [];
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    ofBare.push(await measure(stack, load, bare, seconds));
    ofApi.push(await measure(stack, load, api, seconds));
  }
  await verifyStored(
    stack,
    [warmUp, ...ofApi].reduce((sum, one) => sum + one.accepted, 0),
  );
  return toReport(ofApi, ofBare, readPeakRssMb(api.pid));
}

async function startBareExpress({ processes }: Bench): Promise<Server> {
  const file = 'packages/testing/bench/yardsticks/express-main.ts';
  const started = processes.start('express', file, { fromSource: true });
  const { port } = await started.next<{ readonly port: number }>();
  return { pid: started.pid, port };
}

type Round = Awaited<ReturnType<typeof measure>>;

async function measure(stack: Stack, load: Load, server: Server, seconds: number) {
  // Nobody takes jobs here. A full lane is announced to no more, which would make the rest of the run cheaper.
  await stack.redis.flushdb();
  const meter = startCpuMeter({
    server: () => readCpuMicros(server.pid),
    ...stack.serversCpu,
  });
  const result = await load.saturate({
    port: server.port,
    apiKey: stack.apiKey,
    appId: stack.appId,
    connections: CONNECTIONS,
    devices: DEVICES,
    platforms: 'both',
    seconds,
  });
  const { others, ...used } = meter.read();
  const cpuMicros = {
    ...used,
    load: result.cpuMicros,
    others: Math.max(0, others - result.cpuMicros),
  };
  return {
    accepted: result.accepted,
    rate: result.accepted / result.seconds,
    cpuMicros: cpuMicros.server / result.accepted,
    postgresCpuMicros: cpuMicros.postgres / result.accepted,
    cores: toCores(cpuMicros, result.seconds),
  };
}

/** An answer is a promise: there must be a row for each, and a delivery. */
async function verifyStored({ db }: Stack, accepted: number): Promise<void> {
  const { rows } = await sql<{ messages: number; deliveries: number }>`
    SELECT (SELECT count(*) FROM messages) AS messages,
      (SELECT count(*) FROM deliveries) AS deliveries`.execute(db);
  const stored = rows[0];
  if (stored?.messages !== accepted || stored.deliveries !== accepted)
    throw new Error(
      `${accepted} messages were accepted, ${stored?.messages} are stored, with ${stored?.deliveries} deliveries`,
    );
}

function toReport(ofApi: readonly Round[], ofBare: readonly Round[], rssMb: number): Report {
  const rate = median(ofApi.map((one) => one.rate));
  const yardstick = median(ofBare.map((one) => one.rate));
  const ratio = round(rate / yardstick, 3);
  const cpuMicros = round(median(ofApi.map((one) => one.cpuMicros)));
  const yardstickCpuMicros = round(median(ofBare.map((one) => one.cpuMicros)));
  const postgresCpuMicros = round(median(ofApi.map((one) => one.postgresCpuMicros)));
  const cores = coresAt(ofApi, rate);
  const bareCores = coresAt(ofBare, yardstick);
  const others = Math.max(...[...ofApi, ...ofBare].map((one) => one.cores.others));

  return {
    figures: {
      rate: round(rate),
      yardstick: round(yardstick),
      ratio,
      cpuMicros,
      yardstickCpuMicros,
      postgresCpuMicros,
      rssMb,
      cores,
      rounds: {
        rate: ofApi.map((one) => round(one.rate)),
        yardstick: ofBare.map((one) => round(one.rate)),
      },
    },
    rows: [
      { name: 'accepted messages', value: `${perSecond(rate)}, ${CONNECTIONS} connections` },
      { name: 'yardstick', value: `${perSecond(yardstick)}, bare Express` },
      {
        name: 'ratio',
        value: percent(ratio),
        goal: { text: `≥ ${percent(GOAL)}`, met: ratio >= GOAL },
      },
      {
        name: 'CPU per message',
        value: `api ${cpuMicros} µs, postgres ${postgresCpuMicros} µs; yardstick ${yardstickCpuMicros} µs`,
      },
      { name: 'cores in use', value: formatCores(cores) },
      { name: '  of the yardstick', value: formatCores(bareCores) },
      { name: 'api memory, peak', value: `${rssMb} MB` },
    ],
    notes: [
      ...noteDisturbance({ others }),
      ...(bareCores.load < BUSY_CORE
        ? []
        : ['the load generator is busy: the yardstick may be faster']),
    ],
  };
}

function coresAt(rounds: readonly Round[], rate: number): Round['cores'] {
  const found = rounds.find((one) => one.rate === rate);
  if (found === undefined) throw new Error('a median is one of the values');
  return found.cores;
}
