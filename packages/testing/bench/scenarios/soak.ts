import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Bench } from '../bench.ts';
import { isFlat, toHalves } from '../halves.ts';
import { readCpuMicros, readPeakRssMb, readRssMb, startCpuMeter } from '../process-meter.ts';
import { type Report, toCores } from '../report.ts';
import { startSampler } from '../sampler.ts';
import { writeIdentity } from '../sink/sink.ts';
import { judgeSoak } from '../soak/judge-soak.ts';
import {
  type Closed,
  type Sender,
  type ServerAnswer,
  type SoakServer,
  startFaultyServer,
  startSender,
} from '../soak/processes.ts';
import { toSoakReport } from '../soak/soak-report.ts';

const PUSHES = 200_000;
/** Sent before memory is looked at. */
const WARM_UP_SHARE = 0.25;
const DEADLINE_MS = 1_000;
const TOO_LATE_MS = 1_500;
const SAMPLE_EVERY_MS = 100;
/** Of the faults that a hundredth of all pushes are to meet, so many at least did. */
const FAULTS_SHARE = 0.9;

/**
 * Our provider for APNs against a server that goes away, resets streams and answers late, a hundredth of all requests each: whether every push
 * has one outcome, whether the server's own books bear it out, and whether anything is left behind.
 */
export async function soak(bench: Bench): Promise<Report> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-soak-'));
  bench.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const credentials = await writeIdentity(folder);
  const pushes = bench.pushes ?? PUSHES;
  const server = await startFaultyServer(bench.processes, {
    folder,
    pushes,
    tooLateMs: TOO_LATE_MS,
  });
  const sender = await startSender(bench.processes, {
    url: server.url,
    caFile: path.join(folder, 'ca.pem'),
    credentials,
    pushes,
    deadlineMs: DEADLINE_MS,
  });

  const warmUp = Math.floor(pushes * WARM_UP_SHARE);
  await sender.sendUpTo(warmUp);
  const measured = await measure(server, sender, warmUp, pushes);
  const peakMb = readPeakRssMb(sender.process.pid);
  const closed = await sender.close();
  const looked = await server.look();
  const judgement = judgeSoak({
    ends: toBytes(closed.ends),
    lastAttempts: toBytes(closed.lastAttempts),
    endedAgain: closed.endedAgain,
    accepted: toBytes(looked.accepted),
    acceptedAgain: looked.acceptedAgain,
  });
  const faults = [
    ...judgement.faults,
    ...listLeftovers(closed, measured),
    ...listSpared(looked, pushes),
    ...(closed.singles === 0 ? ['no push was sent by itself'] : []),
  ];
  if (faults.length > 0) throw new Error(`soak: ${faults.join('; ')}`);
  return toSoakReport({ pushes, measured, peakMb, closed, server: looked, judgement });
}

export type MeasuredSoak = Awaited<ReturnType<typeof measure>>;

/** Sends the pushes from `first` on. */
async function measure(server: SoakServer, sender: Sender, first: number, end: number) {
  const { pid } = sender.process;
  const meter = startCpuMeter({
    sender: () => readCpuMicros(pid),
    server: () => readCpuMicros(server.process.pid),
  });
  const rss = startSampler(SAMPLE_EVERY_MS, () => readRssMb(pid));
  const { seconds, cpuMicros } = await sender.sendUpTo(end);
  return {
    seconds,
    rate: (end - first) / seconds,
    cpuMicros: cpuMicros / (end - first),
    cores: toCores(meter.read(), seconds),
    halvesMb: toHalves(await rss.stop()),
  };
}

function listLeftovers({ leftHandles }: Closed, { halvesMb }: MeasuredSoak): string[] {
  return [
    ...(leftHandles.length > 0 ? [`the sender is left with ${leftHandles.join(', ')}`] : []),
    ...(isFlat(halvesMb) ? [] : [`the sender's memory grew from ${halvesMb.join(' MB to ')} MB`]),
  ];
}

/** A server that was no trouble proves nothing. */
function listSpared({ faults }: ServerAnswer, pushes: number): string[] {
  const least = (pushes / 100) * FAULTS_SHARE;
  const counts = [
    [faults.goaway, 'went away'],
    [faults.reset, 'reset streams'],
    [faults.slow, 'was slow'],
  ] as const;
  return counts.flatMap(([count, text]) =>
    count < least ? [`the server ${text} ${count} times, which is not enough`] : [],
  );
}

function toBytes(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}
