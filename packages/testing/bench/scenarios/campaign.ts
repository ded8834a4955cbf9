import { setTimeout as sleep } from 'node:timers/promises';

import type { Db } from '@heliograph/db';
import type { Bench } from '../bench.ts';
import {
  addApnsUsers,
  type BenchRun,
  createCampaign,
  readLastArrival,
  readRunLedger,
  type RunLedger,
  startRun,
  waitForPushes,
  waitForSilence,
  waitUntilOver,
} from '../campaigns.ts';
import { insertApnsDevices } from '../devices.ts';
import { isFlat, toHalves } from '../halves.ts';
import { readCpuMicros, readPeakRssMb, readRssMb, startCpuMeter } from '../process-meter.ts';
import type { BenchProcess } from '../processes.ts';
import { readKeysBytes } from '../redis-memory.ts';
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
import { startSampler } from '../sampler.ts';
import { followSink } from '../sink/follow-sink.ts';
import { BUSY_CORE, type Sink, startSink } from '../sink/sink.ts';
import { type Stack, startStack } from '../stack.ts';
import {
  type BareHttp2,
  measureBareHttp2,
  noteBusySink,
  toBareRows,
} from '../yardsticks/bare-http2.ts';

const DEVICES = 100_000;
/** The small campaign, which shows what depends on the size, has so much of the audience. */
const SMALL_SHARE = 0.1;
const MAX_BARE_PUSHES = 50_000;
/** A dispatcher that has just said that it is ready may still be busy with its start. */
const SETTLE_MS = 1_000;
const SAMPLE_EVERY_MS = 200;
/** Pause and cancel come after so much of the audience each. */
const CONTROL_AFTER = 0.08;
const SILENCE_MS = 1_500;
/** The sandbox takes no more streams at once. */
const MAX_IN_FLIGHT = 1000;

const GOAL_FIRST_PUSH_MS = 2_000;
const GOAL_CONTROL_MS = 1_000;
const GOAL_RSS_MB = 256;
/** A shorter run says nothing about that: a process takes a while to get to the size at which it stays. */
const MIN_SECONDS_FOR_FLAT = 60;
/** What Redis holds for a campaign ten times as large may be so much more: a few jobs come and go while it is looked at. */
const SAME_REDIS_KB = 8;

/**
 * A campaign to devices on APNs, sent by one dispatcher process: how fast, from when on, with how much memory, and how soon it stops when
 * it is told to. A smaller one comes first: what of the figures depends on the audience.
 */
export async function campaign(bench: Bench): Promise<Report> {
  const devices = bench.devices ?? DEVICES;
  const smallDevices = Math.round(devices * SMALL_SHARE);
  const stack = await startStack(bench, 0);
  const sink = await startSink(bench, stack.folder);
  await insertApnsDevices(stack.db, stack.appRef, devices);
  const smallCampaign = await createCampaign(stack);
  await addApnsUsers(stack.db, smallCampaign, smallDevices);
  const largeCampaign = await createCampaign(stack);
  await addApnsUsers(stack.db, largeCampaign, devices);

  const measureBare = () =>
    measureBareHttp2(
      bench,
      sink,
      stack.sandbox.credentials.apns,
      Math.min(devices, MAX_BARE_PUSHES),
    );

  const small = await measureRun(stack, sink, smallCampaign, smallDevices);
  const firstBare = await measureBare();
  const large = await measureRun(stack, sink, largeCampaign, devices);
  const secondBare = await measureBare();
  const controls = await measureControls(stack, largeCampaign, devices);

  return toReport({ devices, small, large, bare: [firstBare, secondBare], controls });
}

type Measured = Awaited<ReturnType<typeof measureRun>>;

/** Sends the campaign with a new dispatcher that has nothing else to do. */
async function measureRun(stack: Stack, sink: Sink, campaignId: number, devices: number) {
  const { db, redis } = stack;
  const dispatcher = await startFresh(stack, sink.env);
  const rssStartMb = readRssMb(dispatcher.pid);
  const meter = startCpuMeter({
    dispatcher: () => readCpuMicros(dispatcher.pid),
    api: () => readCpuMicros(stack.api.pid),
    nginx: () => readCpuMicros(sink.process.pid),
    ...stack.serversCpu,
  });
  const rss = startSampler(SAMPLE_EVERY_MS, () => readRssMb(dispatcher.pid));
  const redisBytes = startSampler(SAMPLE_EVERY_MS, () => readKeysBytes(redis));
  const follower = await followSink(sink);
  const startedAt = performance.now();

  const run = await startRun(stack, campaignId);
  const { createdAt, materialisedAt } = await waitUntilOver(db, run);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuMicros = meter.read();
  const rssMb = readPeakRssMb(dispatcher.pid);
  const rssSamples = await rss.stop();
  const redisSamples = await redisBytes.stop();
  await dispatcher.stop();

  const { count, firstAtMs, lastAtMs } = await follower.stop();
  const ledger = await readBalancedLedger(db, run);
  if ([ledger.targeted, ledger.sent, count].some((each) => each !== devices))
    throw new Error(
      `the campaign is for ${devices} devices; its run targeted ${ledger.targeted} and sent to ${ledger.sent}, ` +
        `and nginx counted ${count} pushes`,
    );
  const sendingSeconds = (lastAtMs - firstAtMs) / 1000;
  return {
    pushes: count,
    rate: count / sendingSeconds,
    nginxWhileSending: cpuMicros.nginx / 1e6 / sendingSeconds,
    firstPushMs: firstAtMs - run.requestedAtMs,
    frozenMs: (materialisedAt?.getTime() ?? Number.NaN) - createdAt.getTime(),
    cpuMicros: cpuMicros.dispatcher / count,
    postgresCpuMicros: cpuMicros.postgres / count,
    cores: toCores(cpuMicros, seconds),
    rssStartMb,
    rssMb,
    rssHalvesMb: toHalves(rssSamples),
    seconds,
    redisKb: round(Math.max(...redisSamples) / 1024, 1),
    imbalance: ledger.imbalance,
  };
}

/** Nothing of what came before is left in the sandbox, in Redis or in the dispatcher. */
async function startFresh(stack: Stack, env: Sink['env'] = {}): Promise<BenchProcess> {
  await stack.sandbox.clear();
  await stack.redis.flushdb();
  const dispatcher = await stack.startDispatcher(env);
  await sleep(SETTLE_MS);
  return dispatcher;
}

/** The run's ledger; throws where it does not balance. */
async function readBalancedLedger(db: Db, { id }: BenchRun): Promise<RunLedger> {
  const ledger = await readRunLedger(db, id);
  if (ledger.imbalance !== 0)
    throw new Error(
      `the ledger of the run is out of balance by ${ledger.imbalance}: ${JSON.stringify(ledger)}`,
    );
  return ledger;
}

/** Pauses a run while it sends, resumes it, and cancels it. To the sandbox, which knows when each push came, and which one came twice. */
async function measureControls(stack: Stack, campaignId: number, devices: number) {
  const { db, client, sandbox } = stack;
  const dispatcher = await startFresh(stack);
  const run = await startRun(stack, campaignId);
  const control = async (name: string) => {
    const requestedAtMs = Date.now();
    await client.call(`/push/campaign/${campaignId}/run/${name}`, { runId: run.id });
    return requestedAtMs;
  };
  const share = Math.round(devices * CONTROL_AFTER);

  await waitForPushes(sandbox, share);
  const pausedAtMs = await control('pause');
  await waitForSilence(sandbox, SILENCE_MS);
  const pauseMs = Math.max(0, (await readLastArrival(sandbox)) - pausedAtMs);
  const { accepted: atPause } = (await sandbox.received(0)).apns;

  await control('resume');
  await waitForPushes(sandbox, atPause + share);
  const cancelledAtMs = await control('cancel');
  await waitForSilence(sandbox, SILENCE_MS);
  await waitUntilOver(db, run);
  const cancelMs = Math.max(0, (await readLastArrival(sandbox)) - cancelledAtMs);
  await dispatcher.stop();

  const ledger = await readBalancedLedger(db, run);
  const { accepted, duplicates } = (await sandbox.received(0)).apns;
  if (duplicates > 0) throw new Error(`${duplicates} pushes arrived twice`);
  const unrecorded = accepted - ledger.sent;
  if (unrecorded < 0 || unrecorded > MAX_IN_FLIGHT)
    throw new Error(
      `the run that was cancelled sent ${ledger.sent} by its ledger, and the sandbox accepted ${accepted}`,
    );
  if (ledger.sent === ledger.targeted) throw new Error('the run was over before it was cancelled');
  return { pauseMs, cancelMs, ...ledger, accepted, unrecorded };
}

function toReport({
  devices,
  small,
  large,
  bare,
  controls,
}: {
  readonly devices: number;
  readonly small: Measured;
  readonly large: Measured;
  readonly bare: readonly BareHttp2[];
  readonly controls: Awaited<ReturnType<typeof measureControls>>;
}): Report {
  const yardstick = median(bare.map((one) => one.rate));
  const slower = bare.find((one) => one.rate === yardstick);
  if (slower === undefined) throw new Error('a median is one of the values');
  const nginx = Math.max(large.nginxWhileSending, ...bare.map(({ cores }) => cores.nginx));
  const ratio = nginx >= BUSY_CORE ? null : round(large.rate / yardstick, 3);
  const [firstHalfMb, secondHalfMb] = large.rssHalvesMb;
  const isLongEnough = large.seconds >= MIN_SECONDS_FOR_FLAT;
  const rssFlat = isLongEnough ? isFlat(large.rssHalvesMb) : null;
  const ledgerImbalance = small.imbalance + large.imbalance + controls.imbalance;
  const redisRow = `${large.redisKb} KB, of a tenth ${small.redisKb} KB`;

  return {
    figures: {
      devices,
      rate: round(large.rate),
      yardstick: round(yardstick),
      ratio,
      cpuMicros: round(large.cpuMicros),
      postgresCpuMicros: round(large.postgresCpuMicros),
      yardstickCpuMicros: round(slower.cpuMicros),
      firstPushMs: large.firstPushMs,
      firstPushMsSmall: small.firstPushMs,
      frozenMs: large.frozenMs,
      rssStartMb: large.rssStartMb,
      rssMb: large.rssMb,
      rssHalvesMb: large.rssHalvesMb,
      rssFlat,
      redisKb: large.redisKb,
      redisKbSmall: small.redisKb,
      pauseMs: controls.pauseMs,
      cancelMs: controls.cancelMs,
      cancelled: {
        targeted: controls.targeted,
        sent: controls.sent,
        received: controls.accepted,
      },
      ledgerImbalance,
      cores: large.cores,
      yardstickCores: slower.cores,
    },
    rows: [
      {
        name: 'sent to APNs',
        value: `${perSecond(large.rate)}${ratio === null ? '' : `, ${percent(ratio)} of the yardstick`}`,
      },
      { name: '  ledger', value: `${large.pushes} sent, ${large.pushes} counted by nginx` },
      {
        name: '  CPU per push',
        value: `dispatcher ${round(large.cpuMicros)} µs, postgres ${round(large.postgresCpuMicros)} µs`,
      },
      { name: '  cores in use', value: formatCores(large.cores) },
      ...toBareRows(slower),
      toGoalRow('first push', large.firstPushMs, GOAL_FIRST_PUSH_MS),
      { name: '  of a tenth', value: `${small.firstPushMs} ms` },
      { name: 'audience frozen', value: `${large.frozenMs} ms` },
      {
        name: 'dispatcher memory, peak',
        value: `${large.rssMb} MB, ${large.rssStartMb} MB at its start`,
        goal: { text: `≤ ${GOAL_RSS_MB} MB`, met: large.rssMb <= GOAL_RSS_MB },
      },
      {
        name: '  medians of the halves',
        value: `${firstHalfMb} MB, ${secondHalfMb} MB`,
        ...(rssFlat === null ? {} : { goal: { text: 'flat', met: rssFlat } }),
      },
      {
        name: 'Redis, at most',
        value: redisRow,
        goal: { text: 'the same', met: large.redisKb <= small.redisKb + SAME_REDIS_KB },
      },
      toGoalRow('last push after a pause', controls.pauseMs, GOAL_CONTROL_MS),
      toGoalRow('last push after a cancel', controls.cancelMs, GOAL_CONTROL_MS),
      {
        name: '  ledger',
        value: `${controls.targeted} in the audience, ${controls.sent} sent, ${controls.accepted} received`,
      },
      {
        name: 'ledgers out of balance by',
        value: `${ledgerImbalance}`,
        goal: { text: '0', met: ledgerImbalance === 0 },
      },
    ],
    notes: [...noteDisturbance(large.cores), ...noteBusySink(nginx)],
  };
}

function toGoalRow(name: string, ms: number, goalMs: number): Row {
  return { name, value: `${ms} ms`, goal: { text: `≤ ${goalMs} ms`, met: ms <= goalMs } };
}
