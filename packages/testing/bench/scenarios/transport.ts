import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Bench } from '../bench.ts';
import { toHalves } from '../halves.ts';
import { readPeakRssMb, readRssMb } from '../process-meter.ts';
import { median, type Report } from '../report.ts';
import { startSampler } from '../sampler.ts';
import { type Sink, startSink, writeIdentity } from '../sink/sink.ts';
import { toBenchPush } from '../transport/bench-push.ts';
import { type Client, startClient } from '../transport/clients.ts';
import { measure, measureInTurns, type Measured } from '../transport/measure.ts';
import type { ClientKind, PushTarget } from '../transport/push-client.ts';
import { toTransportReport } from '../transport/transport-report.ts';

const KINDS: readonly ClientKind[] = ['heliograph', 'engine', 'http2', 'node-apn', 'undici'];
const SECONDS = 2.5;
const WARM_UP_SECONDS = 1;
/** The fewest streams that APNs was seen to allow once it trusts a connection. */
const IN_FLIGHT = 500;
/** With an answer that takes long, it is the streams that limit a connection. */
const FAR_IN_FLIGHT = 1000;
/** The engine opens more of them, one a second. */
const FAR_IN_FLIGHT_OF_ENGINE = 8000;
const GROW_SECONDS = 6;
const PUSHES = 1_000_000;
const SAMPLE_EVERY_MS = 100;

/**
 * Our HTTP/2 transport beside others, each over one connection from a process of its own to nginx: how fast, how dear, what of that is left
 * when answers take long, and whether a million pushes leave memory behind.
 */
export async function transport(bench: Bench): Promise<Report> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-transport-'));
  bench.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const credentials = await writeIdentity(folder);
  const sink = await startSink(bench, folder);
  const target = {
    url: sink.nearUrl,
    caFile: sink.caFile,
    credentials,
    ...toBenchPush(credentials.bundle, Date.now()),
    inFlight: IN_FLIGHT,
  };
  const clients = await startAll(bench, sink, () => target);
  const near = await measureInTurns(sink, clients, bench.seconds ?? SECONDS);
  const memory = await measureMemory(sink, clients, bench.pushes ?? PUSHES);
  const farClients = await startAll(bench, sink, (kind) => ({
    ...target,
    url: sink.farUrl,
    inFlight: kind === 'engine' ? FAR_IN_FLIGHT_OF_ENGINE : FAR_IN_FLIGHT,
  }));
  const far = await measurePairs(sink, clients, farClients, bench.seconds ?? SECONDS);
  return toTransportReport({ near, far, memory });
}

/** Each with its connection open, and warm. */
async function startAll(
  bench: Bench,
  sink: Sink,
  toTarget: (kind: ClientKind) => PushTarget,
): Promise<readonly Client[]> {
  const clients: Client[] = [];
  for (const kind of KINDS) {
    const client = await startClient(bench.processes, kind, toTarget(kind));
    await measure(sink, client, { seconds: kind === 'engine' ? GROW_SECONDS : WARM_UP_SECONDS });
    clients.push(client);
  }
  return clients;
}

export interface FarPair {
  readonly kind: ClientKind;
  readonly near: Measured;
  readonly far: Measured;
}

/** Each once more near and then far, so that both found the machine in much the same state. */
async function measurePairs(
  sink: Sink,
  clients: readonly Client[],
  farClients: readonly Client[],
  seconds: number,
): Promise<readonly FarPair[]> {
  const pairs: FarPair[] = [];
  for (const farClient of farClients) {
    const { kind } = farClient;
    const client = clients.find((one) => one.kind === kind);
    if (client === undefined) throw new Error(`${kind} was not started`);
    const near = await measure(sink, client, { seconds });
    pairs.push({ kind, near, far: await measure(sink, farClient, { seconds }) });
  }
  return pairs;
}

export type Memory = Awaited<ReturnType<typeof measureMemory>>;

/** What our client's process holds while it sends so many pushes over the connection that it has had all the time. */
async function measureMemory(sink: Sink, clients: readonly Client[], pushes: number) {
  const client = clients.find(({ kind }) => kind === 'heliograph');
  if (client === undefined) throw new Error('our client is one of them');
  const startMb = readRssMb(client.process.pid);
  const rss = startSampler(SAMPLE_EVERY_MS, () => readRssMb(client.process.pid));
  const { counted, rate } = await measure(sink, client, { pushes });
  const samples = await rss.stop();
  return {
    pushes,
    counted,
    rate,
    startMb,
    halvesMb: toHalves(samples),
    medianMb: median(samples),
    peakMb: readPeakRssMb(client.process.pid),
  };
}
