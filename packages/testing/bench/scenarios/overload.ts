import { sql } from 'kysely';

import type { Bench } from '../bench.ts';
import { type FloodResult, startLoad } from '../load.ts';
import { readPeakRssMb, readRssMb } from '../process-meter.ts';
import { median, percent, perSecond, type Report, round } from '../report.ts';
import { startSampler } from '../sampler.ts';
import { type Stack, startStack } from '../stack.ts';

const DEVICES = 10_000;
const CONNECTIONS = 64;
const CAPACITY_SECONDS = 5;
const SECONDS = 60;
/** What comes is so many times what it can take. */
const FACTOR = 2;
/** Fewer than the load wants, so that the bound is met. */
const MAX_REQUESTS = 500;
/** Open beforehand, as those of callers are that are always there. */
const MAX_CONNECTIONS = 2000;
const SAMPLE_MS = 500;
/** Memory at the end, as a share of what it was after a third of the time. */
const GOAL_GROWTH = 1.15;
const SHED = new Set(['429', '503']);

/** What the api does with twice the messages that it can take: it is to refuse the rest, lose nothing of what it accepted, and not grow. */
export async function overload(bench: Bench): Promise<Report> {
  const stack = await startStack(bench, DEVICES, {
    API_MAX_REQUESTS: `${MAX_REQUESTS}`,
    // Some of the connections are not needed for long.
    HEADERS_TIMEOUT_MS: '300000',
    REQUEST_TIMEOUT_MS: '300000',
  });
  const load = await startLoad(bench.processes);
  const target = { port: stack.apiPort, apiKey: stack.apiKey, appId: stack.appId };
  const { accepted: before, seconds } = await load.saturate({
    ...target,
    connections: CONNECTIONS,
    devices: DEVICES,
    platforms: 'both',
    seconds: CAPACITY_SECONDS,
  });
  const capacity = before / seconds;

  const memory = startSampler(SAMPLE_MS, () => readRssMb(stack.api.pid));
  const flooded = await load.flood({
    ...target,
    connections: MAX_CONNECTIONS,
    devices: DEVICES,
    perSecond: FACTOR * capacity,
    seconds: bench.seconds ?? SECONDS,
    maxConnections: MAX_CONNECTIONS,
  });
  const rssMb = await memory.stop();
  const accepted = flooded.answers[200] ?? 0;
  await verifyStored(stack, before + accepted);
  return toReport(capacity, flooded, rssMb, readPeakRssMb(stack.api.pid));
}

/** An answer is a promise: there must be a row for each, and nothing for what was refused. */
async function verifyStored({ db }: Stack, accepted: number): Promise<void> {
  const { rows } = await sql<{ stored: number }>`SELECT count(*) AS stored FROM messages`.execute(
    db,
  );
  if (rows[0]?.stored !== accepted)
    throw new Error(`${accepted} messages were accepted, ${rows[0]?.stored} are stored`);
}

function toReport(
  capacity: number,
  { answers, unsent, broken, connections, seconds }: FloodResult,
  rssMb: readonly number[],
  peakRssMb: number,
): Report {
  if (broken > 0) throw new Error(`${broken} requests were cut off`);
  const strange = Object.keys(answers).filter((status) => status !== '200' && !SHED.has(status));
  if (strange.length > 0) throw new Error(`requests were answered with ${strange.join(', ')}`);

  const third = Math.floor(rssMb.length / 3);
  const growth = round(median(rssMb.slice(-third)) / median(rssMb.slice(third, 2 * third)), 3);
  const all = Object.values(answers).reduce((sum, count) => sum + count, 0);
  const accepted = answers[200] ?? 0;
  const rate = accepted / seconds;
  const shed = round((all - accepted) / all, 3);
  return {
    figures: {
      rate: round(rate),
      yardstick: round(capacity),
      ratio: round(rate / capacity, 3),
      offered: round((all + unsent) / seconds),
      shed,
      unsent,
      connections,
      growth,
      rssMb: peakRssMb,
    },
    rows: [
      { name: 'capacity', value: `${perSecond(capacity)}, ${CONNECTIONS} connections` },
      {
        name: 'offered',
        value: `${perSecond((all + unsent) / seconds)}, ${connections} connections`,
      },
      { name: 'accepted, all of them stored', value: perSecond(rate) },
      { name: 'refused with 429 or 503', value: percent(shed) },
      {
        name: 'memory at the end, of before',
        value: percent(growth),
        goal: { text: `≤ ${percent(GOAL_GROWTH)}`, met: growth <= GOAL_GROWTH },
      },
      { name: 'api memory, peak', value: `${peakRssMb} MB` },
    ],
    notes: unsent === 0 ? [] : [`${unsent} requests found no connection, and were not sent`],
  };
}
