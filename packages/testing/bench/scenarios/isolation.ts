import { generateKeyPairSync } from 'node:crypto';

import { sql } from 'kysely';

import type { Bench } from '../bench.ts';
import { insertDevices } from '../devices.ts';
import { clearLedger, readAppLedger, waitUntilDone } from '../ledger.ts';
import { type Load, startLoad } from '../load.ts';
import { readCpuMicros, startCpuMeter } from '../process-meter.ts';
import type { BenchProcess } from '../processes.ts';
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
import { type Sink, startSink } from '../sink/sink.ts';
import { createBenchApp, type Stack, startStack } from '../stack.ts';

const PAIRS = 5;
/** How long messages are taken in before each wave. */
const SECONDS = 1.5;
const CONNECTIONS = 64;
/** The neighbours have some messages, not as many as the healthy app. */
const NEIGHBOUR_CONNECTIONS = 8;
const NEIGHBOUR_SHARE = 0.5;
const DEVICES = 10_000;
const WAVE_TIMEOUT_MS = 60_000;
const GOAL_SHARE = 0.25;

/** An app and its devices, and what makes messages for them. */
interface Tenant {
  readonly appId: string;
  readonly appRef: number;
  readonly firstDevice: number;
  readonly platforms: 'ios' | 'android';
  readonly connections: number;
  readonly load: Load;
}

interface Tenants {
  readonly healthy: Tenant;
  /** Its provider takes pushes and never answers. */
  readonly hanging: Tenant;
  /** Its provider refuses its key. */
  readonly refused: Tenant;
  readonly silent: BenchProcess;
  /** What makes a dispatcher send each to its provider. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What an app whose provider hangs and an app with a bad key cost a healthy one: the healthy one's rate and p99 with a backlog of all three,
 * beside those with a backlog of its own alone. Each wave has a new dispatcher. A p99 is from the start of an attempt to the recording of its
 * outcome, which is what a full provider, recorder or database makes longer; in a backlog the time before is the backlog's.
 */
export async function isolation(bench: Bench): Promise<Report> {
  const stack = await startStack(bench, DEVICES);
  const sink = await startSink(bench, stack.folder);
  const tenants = await createTenants(bench, stack, sink);
  const seconds = bench.seconds ?? SECONDS;
  const alone = () => runWave(stack, sink, tenants, [], seconds);
  const beside = () => runWave(stack, sink, tenants, [tenants.hanging, tenants.refused], seconds);

  await alone();
  const pairs: Pair[] = [];
  for (let turn = 0; turn < PAIRS; turn += 1) {
    // Either comes first in turns: who does finds the machine in another state.
    const first = turn % 2 === 0 ? await alone() : undefined;
    const withOthers = await beside();
    pairs.push({ alone: first ?? (await alone()), beside: withOthers });
  }
  return toReport(pairs);
}

async function createTenants(bench: Bench, stack: Stack, sink: Sink): Promise<Tenants> {
  const { client, db, sandbox, folder } = stack;
  const silent = bench.processes.start('silent', 'packages/testing/bench/sink/silent-main.ts', {
    fromSource: true,
    env: { SILENT_DIR: folder },
  });
  const { url: silentUrl } = await silent.next<{ readonly url: string }>();

  async function createTenant(
    appId: string,
    appRef: number,
    place: number,
    platforms: Tenant['platforms'],
  ): Promise<Tenant> {
    const firstDevice = place * DEVICES;
    if (place > 0) await insertDevices(db, appRef, DEVICES, firstDevice);
    const connections = place === 0 ? CONNECTIONS : NEIGHBOUR_CONNECTIONS;
    const load = await startLoad(bench.processes);
    return { appId, appRef, firstDevice, platforms, connections, load };
  }
  const { fcm, apns } = sandbox.credentials;
  const hangingRef = await createBenchApp(client, 'hanging', { fcm });
  const refusedRef = await createBenchApp(client, 'refused', {
    apns: {
      ...apns,
      keyId: 'UNKNOWN000',
      privateKeyBase64: createKey(),
      environment: 'DEVELOPMENT',
    },
  });
  return {
    healthy: await createTenant(stack.appId, stack.appRef, 0, 'ios'),
    hanging: await createTenant('hanging', hangingRef, 1, 'android'),
    refused: await createTenant('refused', refusedRef, 2, 'ios'),
    silent,
    env: {
      APNS_URL: sink.nearUrl,
      APNS_SANDBOX_URL: sandbox.apnsDevelopmentUrl,
      FCM_URL: silentUrl,
    },
  };
}

/** One that no provider knows. */
function createKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return Buffer.from(pem).toString('base64');
}

type Wave = Awaited<ReturnType<typeof runWave>>;

interface Pair {
  readonly alone: Wave;
  readonly beside: Wave;
}

/** Accepts messages of the healthy app and its neighbours, starts a dispatcher, and waits until the healthy one's are sent. */
async function runWave(
  stack: Stack,
  sink: Sink,
  tenants: Tenants,
  neighbours: readonly Tenant[],
  seconds: number,
) {
  const { db } = stack;
  const { healthy } = tenants;
  await clearLedger(db);
  await sql`TRUNCATE pauses, answer_counts, token_faults, guard_decisions`.execute(db);
  await stack.redis.flushdb();
  const { requests: before } = await sink.count();
  const silentBefore = await countSilent(tenants);
  // The neighbours' stand in front. One after the other, so that the healthy app's are as many as without them.
  const ofNeighbours = await Promise.all(
    neighbours.map((tenant) => accept(stack, tenant, seconds * NEIGHBOUR_SHARE)),
  );
  const accepted = await accept(stack, healthy, seconds);

  const dispatcher = await stack.startDispatcher(tenants.env);
  const readyAtMs = Date.now();
  const meter = startCpuMeter({
    dispatcher: () => readCpuMicros(dispatcher.pid),
    nginx: () => readCpuMicros(sink.process.pid),
    ...stack.serversCpu,
  });
  await waitUntilDone(db, WAVE_TIMEOUT_MS, healthy.appRef);
  const cpuMicros = meter.read();
  const hung = (await countSilent(tenants)) - silentBefore;
  // A graceful stop would wait for the provider that hangs.
  await dispatcher.stop('SIGKILL');

  const ledger = await readAppLedger(db, healthy.appRef);
  const counted = (await sink.count()).requests - before;
  if ([ledger.sent, counted].some((count) => count !== accepted))
    throw new Error(
      `${accepted} messages of the healthy app were accepted, ${ledger.sent} sent, and nginx counted ${counted}`,
    );
  if (neighbours.length > 0) await verifyNeighbours(stack, tenants, hung);
  // From then on, not from its first attempt: neighbours that keep it from starting cost it that, too.
  const tookSeconds = (ledger.finishedAtMs - readyAtMs) / 1000;
  return {
    pushes: ledger.sent,
    ofNeighbours: ofNeighbours.reduce((sum, count) => sum + count, 0),
    rate: ledger.sent / tookSeconds,
    p99Ms: ledger.p99Ms,
    cores: toCores(cpuMicros, tookSeconds),
  };
}

async function accept(
  { apiPort, apiKey }: Stack,
  tenant: Tenant,
  seconds: number,
): Promise<number> {
  const { appId, firstDevice, platforms, connections, load } = tenant;
  const port = apiPort;
  const devices = DEVICES;
  const task = { port, apiKey, appId, connections, devices, firstDevice, platforms, seconds };
  return (await load.saturate(task)).accepted;
}

async function countSilent({ silent }: Tenants): Promise<number> {
  return (await silent.ask<{ readonly requests: number }>({})).requests;
}

/** Neighbours that are well prove nothing. */
async function verifyNeighbours(
  { db }: Stack,
  { hanging, refused }: Tenants,
  hung: number,
): Promise<void> {
  const { rows } = await sql<{ sent: number; pauses: number }>`
    SELECT (SELECT count(*) FROM pauses WHERE app_ref = ${refused.appRef}) AS pauses,
      (SELECT count(*) FROM deliveries
        WHERE app_ref IN (${hanging.appRef}, ${refused.appRef}) AND state = 'sent') AS sent`.execute(
    db,
  );
  const found = rows[0];
  if (hung === 0)
    throw new Error('the healthy app was done before the provider hung: take a larger --seconds');
  if (found?.pauses === 0) throw new Error('the bad key was not refused');
  if (found?.sent !== 0) throw new Error(`${found?.sent} messages of bad neighbours were sent`);
}

function toReport(pairs: readonly Pair[]): Report {
  const middle = (of: (pair: Pair) => number) => median(pairs.map(of));
  const rate = middle(({ beside }) => beside.rate);
  const rateAlone = middle(({ alone }) => alone.rate);
  const ratio = round(
    middle(({ alone, beside }) => beside.rate / alone.rate),
    3,
  );
  const p99Ms = round(middle(({ beside }) => beside.p99Ms));
  const p99AloneMs = round(middle(({ alone }) => alone.p99Ms));
  const p99Ratio = round(
    middle(({ alone, beside }) => beside.p99Ms / alone.p99Ms),
    3,
  );
  const waves = pairs.flatMap(({ alone, beside }) => [alone, beside]);
  const others = Math.max(...waves.map(({ cores }) => cores.others));
  const last = pairs.at(-1);
  if (last === undefined) throw new Error('there are pairs');

  return {
    figures: {
      rate: round(rate),
      yardstick: round(rateAlone),
      ratio,
      p99Ms,
      p99AloneMs,
      p99Ratio,
      cores: last.beside.cores,
      pairs: pairs.map(({ alone, beside }) => ({
        rate: [round(alone.rate), round(beside.rate)],
        p99Ms: [round(alone.p99Ms), round(beside.p99Ms)],
      })),
    },
    rows: [
      {
        name: 'healthy app, alone',
        value: `${perSecond(rateAlone)}, p99 ${p99AloneMs} ms`,
      },
      { name: '  beside bad neighbours', value: `${perSecond(rate)}, p99 ${p99Ms} ms` },
      {
        name: 'rate, of that alone',
        value: percent(ratio),
        goal: { text: `≥ ${percent(1 - GOAL_SHARE)}`, met: ratio >= 1 - GOAL_SHARE },
      },
      {
        name: 'p99, of that alone',
        value: percent(p99Ratio),
        goal: { text: `≤ ${percent(1 + GOAL_SHARE)}`, met: p99Ratio <= 1 + GOAL_SHARE },
      },
      {
        name: 'messages in the last pair',
        value: `${last.beside.pushes}, and ${last.beside.ofNeighbours} of the neighbours`,
      },
      { name: 'cores in use', value: formatCores(last.alone.cores) },
      { name: '  beside bad neighbours', value: formatCores(last.beside.cores) },
    ],
    notes: noteDisturbance({ others }),
  };
}
