import type { Bench } from '../bench.ts';
import { median, type Report, round } from '../report.ts';
import type { CheckAnswer, CheckTask } from '../signature/checker-main.ts';

const ROUNDS = 5;
const SECONDS = 1;
const GOAL_MICROS = 50;
const KINDS = ['right', 'wrong', 'bare'] as const;

type Kind = (typeof KINDS)[number];

/** What it costs the api to check the signature of a request with a body of a kilobyte, apart from the database and Redis. */
export async function signature(bench: Bench): Promise<Report> {
  const checker = bench.processes.start(
    'signature',
    'packages/testing/bench/signature/checker-main.ts',
    { fromSource: true },
  );
  await checker.next();
  const micros: Record<Kind, number[]> = { right: [], wrong: [], bare: [] };
  for (let turn = 0; turn < ROUNDS; turn += 1)
    for (const kind of KINDS) {
      const task: CheckTask = { kind, seconds: bench.seconds ?? SECONDS };
      const answer = await checker.ask<CheckAnswer>(task);
      if (answer.type === 'failed') throw new Error(answer.reason);
      micros[kind].push(answer.microsPerCheck);
    }
  return toReport(micros);
}

function toReport(micros: Readonly<Record<Kind, readonly number[]>>): Report {
  const [right, wrong, bare] = KINDS.map((kind) => round(median(micros[kind]), 1));
  const ratio = round(median(micros.right.map((one, turn) => one / (micros.bare[turn] ?? one))), 2);
  return {
    figures: { checkMicros: right, refusalMicros: wrong, bareMicros: bare, ratio },
    rows: [
      {
        name: 'a right signature',
        value: `${right} µs of CPU`,
        goal: { text: `≤ ${GOAL_MICROS} µs`, met: (right ?? Infinity) <= GOAL_MICROS },
      },
      { name: 'a wrong signature', value: `${wrong} µs of CPU` },
      { name: 'one MD5 and one HMAC', value: `${bare} µs of CPU` },
      { name: 'right to bare', value: `${ratio}` },
    ],
    notes: [],
  };
}
