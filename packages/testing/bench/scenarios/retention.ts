import { setTimeout as sleep } from 'node:timers/promises';

import { toUuidFloor } from '@heliograph/core';
import { createPartitions, purgeMessages, type Db } from '@heliograph/db';
import { sql } from 'kysely';

import type { Bench } from '../bench.ts';
import { toDevice } from '../devices.ts';
import { waitUntilDone } from '../ledger.ts';
import { type Load, startLoad } from '../load.ts';
import { median, percentile, perSecond, type Report, round, type Row } from '../report.ts';
import { type Stack, startStack } from '../stack.ts';
import { readArrivals } from './latency.ts';

const PER_SECOND = 200;
const SECONDS = 4;
/** Rounds alone and beside a purge, in turns. */
const PAIRS = 5;
const WARM_UP_SECONDS = 3;
const CONNECTIONS = 64;
const DONE_WITHIN_MS = 30_000;
/** Less than a minute of filling on a slow disk. */
const DELIVERIES = 300_000;
const DELIVERIES_PER_MESSAGE = 2;
const DAY_MS = 24 * 3_600_000;
/** Old days are so far apart that between them there are some without a partition. */
const DAYS_APART = 30;
/** So much of what is old is on those, and so in the default partition, where it goes row by row. */
const SHARE_OF_DEFAULT = 0.2;
const ROWS_AT_ONCE = 5000;
const REST_MS = 50;
/** The purge begins when the messages are under way. */
const HEAD_START_MS = 500;
const GOAL_RATIO = 2;

/**
 * What purging old messages costs those that are sent meanwhile: how long a message takes from the start of its request to the provider, at
 * an even pace, alone and beside a purge, in turns. What is old fills days, which are dropped, and a part of the default partition, which goes
 * in batches, as a dispatcher does it.
 */
export async function retention(bench: Bench): Promise<Report> {
  const deliveries = bench.deliveries ?? DELIVERIES;
  const seconds = bench.seconds ?? SECONDS;
  const [warmUps, measured] = [PER_SECOND * WARM_UP_SECONDS, Math.round(PER_SECOND * seconds)];
  const stack = await startStack(bench, warmUps + 2 * PAIRS * measured);
  const days = await fill(stack.db, deliveries);
  // It is the bench that purges, so that it knows when.
  await stack.startDispatcher({ RETENTION_MESSAGES_DAYS: '0' });
  const load = await startLoad(bench.processes);
  await measureDelays(stack, load, 0, WARM_UP_SECONDS);

  const pairs: Pair[] = [];
  for (const [n, day] of days.entries()) {
    const first = warmUps + 2 * n * measured;
    const alone = await measureDelays(stack, load, first, seconds);
    const [sent, purge] = await Promise.all([
      measureDelays(stack, load, first + measured, seconds),
      sleep(HEAD_START_MS).then(() => purgeUntil(stack.db, day + (DAYS_APART - 1) * DAY_MS)),
    ]);
    const beside = sent.filter(
      ({ startedAtMs }) => startedAtMs >= purge.startedAtMs && startedAtMs <= purge.endedAtMs,
    );
    pairs.push({ alone: toFigures(alone), beside: toFigures(beside), purge });
  }
  await expectPurged(stack.db, days.at(-1) ?? 0);
  return toReport(deliveries, pairs);
}

interface Pair {
  readonly alone: Figures;
  /** Of the messages that began while the purge was at it. */
  readonly beside: Figures;
  readonly purge: Purge;
}

interface Sent {
  /** By the machine's clock. */
  readonly startedAtMs: number;
  readonly delayMs: number;
}

async function measureDelays(
  stack: Stack,
  load: Load,
  firstDevice: number,
  seconds: number,
): Promise<readonly Sent[]> {
  const { startedAtMs } = await load.pace({
    port: stack.apiPort,
    apiKey: stack.apiKey,
    appId: stack.appId,
    connections: CONNECTIONS,
    perSecond: PER_SECOND,
    seconds,
    firstDevice,
  });
  await waitUntilDone(stack.db, DONE_WITHIN_MS);
  const arrivals = await readArrivals(stack);
  return startedAtMs.map((at, index) => {
    const arrivedAt = arrivals.get(toDevice(firstDevice + index).pushToken);
    if (arrivedAt === undefined) throw new Error(`message ${index} did not arrive`);
    return { startedAtMs: at, delayMs: arrivedAt - at };
  });
}

/** Old messages that were sent: equally many for each pair, on a day of its own and on one without a partition. Answers the days. */
async function fill(db: Db, deliveries: number): Promise<readonly number[]> {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const messages = Math.round(deliveries / DELIVERIES_PER_MESSAGE / PAIRS);
  const inDefault = Math.round(messages * SHARE_OF_DEFAULT);
  const days = Array.from(
    { length: PAIRS },
    (_, n) => today - (PAIRS + 1 - n) * DAYS_APART * DAY_MS,
  );
  for (const day of days) {
    await createPartitions(db, new Date(day));
    await fillDay(db, day, messages - inDefault);
    await fillDay(db, day + (DAYS_APART / 2) * DAY_MS, inDefault);
  }
  // Or the server would begin with it in the middle of what is measured.
  await sql`VACUUM (ANALYZE) messages, deliveries`.execute(db);
  await sql`CHECKPOINT`.execute(db);
  return days;
}

async function fillDay(db: Db, day: number, messages: number): Promise<void> {
  // A UUIDv7 of the day: a number in place of its random part, and below it room for the deliveries.
  const prefix = `${toUuidFloor(day + 3_600_000).slice(0, 13)}-7000-8000-`;
  const history = JSON.stringify([
    {
      at: new Date(day).toISOString(),
      outcome: 'sent',
      status: 200,
      endpoint: 'api.push.apple.com',
      environment: 'production',
      credentialVersion: 1,
      latencyMs: 31,
    },
  ]);
  await sql`
    WITH old AS (
      INSERT INTO messages (id, app_ref, user_id, silent, personal, priority, body, awaited, expires_at, created_at)
      SELECT (${prefix} || lpad(to_hex(n), 8, '0') || '0000')::uuid, 1, 'old-' || n, false, false, 'HIGH',
        '{"title":"An old message","body":"It was read long ago, and nobody asks for it any more."}', false,
        ${new Date(day + DAY_MS)}, ${new Date(day)}
      FROM generate_series(1, ${messages}::integer) n
    )
    INSERT INTO deliveries (id, message_id, app_ref, device_id, provider, state, attempts, lease_epoch, finished_at, history)
    SELECT (${prefix} || lpad(to_hex(n), 8, '0') || lpad(to_hex(d), 4, '0'))::uuid,
      (${prefix} || lpad(to_hex(n), 8, '0') || '0000')::uuid, 1, n, 'apns', 'sent', 1, 1, ${new Date(day)}, ${history}::jsonb
    FROM generate_series(1, ${messages}::integer) n CROSS JOIN generate_series(1, ${DELIVERIES_PER_MESSAGE}::integer) d`.execute(
    db,
  );
}

interface Purge {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly partitions: number;
  readonly rows: number;
  /** How often a partition could not be locked in time. */
  readonly busy: number;
  /** The longest look or batch. */
  readonly longestMs: number;
}

async function purgeUntil(db: Db, beforeMs: number): Promise<Purge> {
  const startedAtMs = Date.now();
  const sums = { partitions: 0, rows: 0, busy: 0, longestMs: 0 };
  for (;;) {
    const partAt = performance.now();
    const purged = await purgeMessages(db, new Date(beforeMs), ROWS_AT_ONCE);
    sums.longestMs = Math.max(sums.longestMs, performance.now() - partAt);
    sums.partitions += purged.dropped.length;
    sums.rows += purged.rows;
    sums.busy += purged.busy.length;
    if (!purged.more && purged.busy.length === 0) break;
    await sleep(REST_MS);
  }
  return { ...sums, startedAtMs, endedAtMs: Date.now() };
}

async function expectPurged(db: Db, lastDay: number): Promise<void> {
  const floor = toUuidFloor(lastDay + (DAYS_APART - 1) * DAY_MS);
  const { rows } = await sql<{ left: number }>`
    SELECT (SELECT count(*) FROM deliveries WHERE id < ${floor}::uuid)
      + (SELECT count(*) FROM messages WHERE id < ${floor}::uuid) AS "left"`.execute(db);
  if (rows[0]?.left !== 0) throw new Error(`${rows[0]?.left} old rows are left`);
}

function toReport(deliveries: number, pairs: readonly Pair[]): Report {
  const sum = (of: (purge: Purge) => number) =>
    pairs.reduce((all, { purge }) => all + of(purge), 0);
  const middle = (of: (pair: Pair) => number) => round(median(pairs.map(of)), 2);
  const purgeSeconds = sum(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs) / 1000;
  const counts = {
    partitions: sum((purge) => purge.partitions),
    rows: sum((purge) => purge.rows),
    busy: sum((purge) => purge.busy),
    longestMs: round(Math.max(...pairs.map(({ purge }) => purge.longestMs))),
  };
  const ratios = {
    ratio: middle(({ alone, beside }) => beside.p99Ms / alone.p99Ms),
    p50Ratio: middle(({ alone, beside }) => beside.p50Ms / alone.p50Ms),
    maxRatio: middle(({ alone, beside }) => beside.maxMs / alone.maxMs),
  };
  const [alone, beside] = [
    toMedians(pairs.map((p) => p.alone)),
    toMedians(pairs.map((p) => p.beside)),
  ];
  return {
    figures: {
      deliveries,
      purgeSeconds: round(purgeSeconds, 1),
      rate: round(deliveries / purgeSeconds),
      yardstick: alone,
      beside,
      ...ratios,
      ...counts,
    },
    rows: [
      { name: 'old deliveries', value: deliveries.toLocaleString('en') },
      {
        name: 'purged',
        value: `in ${round(purgeSeconds, 1)} s: ${counts.partitions} partitions, ${counts.rows} messages one by one`,
      },
      { name: '  that is', value: perSecond(deliveries / purgeSeconds) },
      { name: '  locks not had in time', value: `${counts.busy}` },
      { name: '  longest part', value: `${counts.longestMs} ms` },
      toRow('messages alone', alone),
      toRow('  beside the purge', beside),
      {
        name: '  ratio of p99',
        value: `${ratios.ratio}`,
        goal: { text: `≤ ${GOAL_RATIO}`, met: ratios.ratio <= GOAL_RATIO },
      },
      { name: '  of p50, of the slowest', value: `${ratios.p50Ratio}, ${ratios.maxRatio}` },
    ],
    notes: pairs.some(({ beside: { messages } }) => messages < PER_SECOND / 2)
      ? ['a purge was over within half a second: name more --deliveries']
      : [],
  };
}

interface Figures {
  readonly messages: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

function toFigures(sent: readonly Sent[]): Figures {
  const delays = sent.map(({ delayMs }) => delayMs);
  return {
    messages: delays.length,
    p50Ms: percentile(delays, 50),
    p99Ms: percentile(delays, 99),
    maxMs: percentile(delays, 100),
  };
}

function toMedians(all: readonly Figures[]): Figures {
  return {
    messages: all.reduce((sum, { messages }) => sum + messages, 0),
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
    maxMs: median(all.map(({ maxMs }) => maxMs)),
  };
}

function toRow(name: string, { messages, p50Ms, p99Ms, maxMs }: Figures): Row {
  return {
    name,
    value: `${messages}: p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`,
  };
}
