import { sql } from 'kysely';

import type { Bench } from '../bench.ts';
import { createCampaign } from '../campaigns.ts';
import { toDevice } from '../devices.ts';
import { readCpuMicros, readPeakRssMb, startCpuMeter } from '../process-meter.ts';
import {
  formatCores,
  median,
  noteDisturbance,
  perSecond,
  type Report,
  round,
  type Row,
  toCores,
} from '../report.ts';
import { type Stack, startStack } from '../stack.ts';
import { COPIED_USERS, createCopyYardstick } from '../yardsticks/copy.ts';

const USERS = 1_000_000;
/** A request takes no more. */
const MAX_USERS = 1_000_000;
const REQUESTS = 10;
const ROUNDS = 3;
const GOAL = 5;

/** How long the api takes to add users to a campaign, in ten requests and in one, beside a COPY of the same users. */
export async function audience(bench: Bench): Promise<Report> {
  const users = bench.users ?? USERS;
  if (users > MAX_USERS) throw new Error(`A request adds ${MAX_USERS} users at most.`);
  const stack = await startStack(bench, 0);
  const campaignId = await createCampaign(stack);
  const userIds = Array.from({ length: users }, (_, n) => toDevice(n).userId);
  const copy = await createCopyYardstick(bench, stack.db, campaignId, userIds);
  const inTen = toBodies(userIds, REQUESTS);
  const inOne = toBodies(userIds, 1);
  const measureCopy = () => measure(stack, COPIED_USERS, users, copy);
  const measureAdding = (bodies: readonly string[]) =>
    measure(stack, 'campaign_users', users, () => addAll(stack, campaignId, bodies));

  const rounds: Round[] = [];
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    // From either end in turns: who comes first finds the machine in another state.
    const isCopyFirst = turn % 2 === 0;
    const first = isCopyFirst ? await measureCopy() : undefined;
    const ten = await measureAdding(inTen);
    const one = await measureAdding(inOne);
    rounds.push({ copy: first ?? (await measureCopy()), ten, one });
  }
  return toReport(users, rounds, readPeakRssMb(stack.api.pid));
}

type Measured = Awaited<ReturnType<typeof measure>>;

interface Round {
  readonly copy: Measured;
  readonly ten: Measured;
  readonly one: Measured;
}

function toBodies(userIds: readonly string[], requests: number): readonly string[] {
  const each = Math.ceil(userIds.length / requests);
  return Array.from({ length: requests }, (_, n) =>
    JSON.stringify({ requestObject: userIds.slice(n * each, (n + 1) * each) }),
  );
}

/** One request after the other. */
async function addAll(
  { client }: Stack,
  campaignId: number,
  bodies: readonly string[],
): Promise<void> {
  for (const body of bodies)
    await client.send(`/push/campaign/${campaignId}/user/add`, body, 'PUT');
}

/** Fills a table that was empty, on a server that has nothing left to write. */
async function measure(stack: Stack, table: string, users: number, fill: () => Promise<void>) {
  const { db } = stack;
  await sql`TRUNCATE campaign_users, ${sql.id(COPIED_USERS)}`.execute(db);
  await sql`CHECKPOINT`.execute(db);
  const meter = startCpuMeter({ api: () => readCpuMicros(stack.api.pid), ...stack.serversCpu });
  const startedAt = performance.now();
  await fill();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuMicros = meter.read();

  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${sql.id(table)}`.execute(db);
  if (rows[0]?.count !== users)
    throw new Error(`${users} users were added, and ${table} holds ${rows[0]?.count}`);
  return {
    seconds,
    cpuMicros: cpuMicros.api / users,
    postgresCpuMicros: cpuMicros.postgres / users,
    cores: toCores(cpuMicros, seconds),
  };
}

function toReport(users: number, rounds: readonly Round[], rssMb: number): Report {
  const ten = summarise(rounds, 'ten');
  const one = summarise(rounds, 'one');
  const copySeconds = median(rounds.map(({ copy }) => copy.seconds));
  const copyCpuMicros = round(median(rounds.map(({ copy }) => copy.postgresCpuMicros)), 2);
  const others = Math.max(
    ...rounds.flatMap((each) => [each.copy, each.ten, each.one]).map(({ cores }) => cores.others),
  );
  const ofRounds = (name: keyof Round) => rounds.map((each) => round(each[name].seconds, 2));

  return {
    figures: {
      users,
      rate: round(users / ten.seconds),
      yardstick: round(users / copySeconds),
      ratio: ten.ratio,
      cpuMicros: ten.cpuMicros,
      postgresCpuMicros: ten.postgresCpuMicros,
      rssMb,
      cores: ten.cores,
      oneRequest: {
        rate: round(users / one.seconds),
        ratio: one.ratio,
        cpuMicros: one.cpuMicros,
        postgresCpuMicros: one.postgresCpuMicros,
        cores: one.cores,
      },
      yardstickCpuMicros: copyCpuMicros,
      seconds: { ten: ofRounds('ten'), one: ofRounds('one'), copy: ofRounds('copy') },
    },
    rows: [
      ...toRows(`in ${REQUESTS} requests`, users, ten),
      ...toRows('in one request', users, one),
      { name: 'yardstick', value: `${toTime(users, copySeconds)}, COPY from a file` },
      { name: '  CPU per user', value: `postgres ${copyCpuMicros} µs` },
      { name: 'api memory, peak', value: `${rssMb} MB` },
    ],
    notes: noteDisturbance({ others }),
  };
}

type Summary = ReturnType<typeof summarise>;

/** Medians; the ratio is that of the pairs, each measured within seconds. */
function summarise(rounds: readonly Round[], name: 'ten' | 'one') {
  const measured = rounds.map((each) => each[name]);
  const seconds = median(measured.map((each) => each.seconds));
  const middle = measured.find((each) => each.seconds === seconds);
  if (middle === undefined) throw new Error('a median is one of the values');
  return {
    seconds,
    ratio: round(median(rounds.map((each) => each[name].seconds / each.copy.seconds)), 2),
    cpuMicros: round(median(measured.map((each) => each.cpuMicros)), 2),
    postgresCpuMicros: round(median(measured.map((each) => each.postgresCpuMicros)), 2),
    cores: middle.cores,
  };
}

function toRows(name: string, users: number, summary: Summary): Row[] {
  const { seconds, ratio, cpuMicros, postgresCpuMicros, cores } = summary;
  return [
    { name: `users ${name}`, value: toTime(users, seconds) },
    {
      name: '  time, of that of COPY',
      value: `${ratio} times`,
      goal: { text: `≤ ${GOAL} times`, met: ratio <= GOAL },
    },
    { name: '  CPU per user', value: `api ${cpuMicros} µs, postgres ${postgresCpuMicros} µs` },
    { name: '  cores in use', value: formatCores(cores) },
  ];
}

function toTime(users: number, seconds: number): string {
  return `${round(seconds, 1)} s, ${perSecond(users / seconds)}`;
}
