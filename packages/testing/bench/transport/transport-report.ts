import { isFlat } from '../halves.ts';
import {
  formatCores,
  median,
  noteDisturbance,
  percent,
  perSecond,
  type Report,
  round,
  type Row,
} from '../report.ts';
import { BUSY_CORE } from '../sink/sink.ts';
import type { FarPair, Memory } from '../scenarios/transport.ts';
import type { ByKind, Measured } from './measure.ts';

const NAMES: Readonly<Record<string, string>> = {
  heliograph: 'this transport',
  engine: 'our APNs provider',
  http2: 'node:http2',
  'node-apn': '@parse/node-apn',
  undici: 'undici, allowH2',
};
const GOAL_MICROS = 9;
const GOAL_RATIO = 6;
const GOAL_FAR_SHARE = 0.8;

interface Results {
  readonly near: ByKind;
  readonly far: readonly FarPair[];
  readonly memory: Memory;
}

export function toTransportReport({ near, far, memory }: Results): Report {
  const nearOf = summariseAll(near);
  const ours = pick(nearOf, 'heliograph');
  const bare = pick(nearOf, 'http2');
  const isSinkBusy = ours.sink >= BUSY_CORE;
  const ratio = isSinkBusy ? null : round(ours.rate / bare.rate, 2);
  const cpuRatio = round(bare.cpuMicros / ours.cpuMicros, 2);
  const others = Math.max(...Object.values(nearOf).map((one) => one.others));

  return {
    figures: {
      rate: round(ours.rate),
      yardstick: round(bare.rate),
      ratio,
      cpuMicros: ours.cpuMicros,
      yardstickCpuMicros: bare.cpuMicros,
      cpuRatio,
      rssMb: memory.peakMb,
      near: nearOf,
      far: Object.fromEntries(far.map((pair) => [pair.kind, toFarFigures(pair)])),
      memory,
    },
    rows: [
      ...Object.entries(nearOf).flatMap(([kind, one]) => toNearRows(kind, one)),
      ...toRatioRows(ratio, cpuRatio),
      ...far.map(toFarRow),
      {
        name: 'memory of this transport',
        value: `${memory.halvesMb.join(' MB, ')} MB, by halves`,
        goal: { text: 'flat', met: isFlat(memory.halvesMb) },
      },
      { name: '  pushes', value: `${memory.pushes} accepted, ${memory.counted} by nginx` },
    ],
    notes: [
      ...noteDisturbance({ others }),
      ...(isSinkBusy
        ? [
            `nginx used ${percent(ours.sink)} of a core under this transport: it is the limit, so there is no ratio of rates`,
          ]
        : []),
    ],
  };
}

export type Summary = ReturnType<typeof summarise>;

export function summariseAll(byKind: ByKind): Readonly<Record<string, Summary>> {
  return Object.fromEntries(
    Object.entries(byKind).map(([kind, rounds]) => [kind, summarise(rounds)]),
  );
}

/** Medians of the rounds; the counts are sums. */
function summarise(rounds: readonly Measured[]) {
  const sum = (of: (one: Measured) => number) => rounds.reduce((total, one) => total + of(one), 0);
  const middle = (of: (one: Measured) => number) => median(rounds.map(of));
  return {
    rate: round(middle((one) => one.rate)),
    cpuMicros: round(
      middle((one) => one.cpuMicros),
      1,
    ),
    pushes: sum((one) => one.pushes),
    counted: sum((one) => one.counted),
    client: middle((one) => one.cores.client),
    sink: middle((one) => one.cores.sink),
    others: middle((one) => one.cores.others),
    rounds: rounds.map((one) => round(one.rate)),
  };
}

export function pick(summaries: Readonly<Record<string, Summary>>, kind: string): Summary {
  const found = summaries[kind];
  if (found === undefined) throw new Error(`${kind} was not measured`);
  return found;
}

function toNearRows(kind: string, summary: Summary): Row[] {
  const { rate, cpuMicros, pushes, counted, client, sink } = summary;
  return [
    {
      name: NAMES[kind] ?? kind,
      value: `${perSecond(rate)}, CPU ${cpuMicros} µs`,
      ...(kind === 'heliograph'
        ? { goal: { text: `≤ ${GOAL_MICROS} µs`, met: cpuMicros <= GOAL_MICROS } }
        : {}),
    },
    { name: '  pushes', value: `${pushes} accepted, ${counted} by nginx` },
    { name: '  cores in use', value: formatCores({ client, nginx: sink }) },
  ];
}

function toFarFigures({ near, far }: FarPair) {
  return {
    rate: round(far.rate),
    nearRate: round(near.rate),
    share: round(far.rate / near.rate, 3),
    cpuMicros: round(far.cpuMicros, 1),
    cores: far.cores,
  };
}

/** The engine has as many connections as it opens, the others have one. */
function toFarRow(pair: FarPair): Row {
  const { kind } = pair;
  const { rate, share } = toFarFigures(pair);
  return {
    name: `far: ${NAMES[kind]}`,
    value: `${perSecond(rate)}, ${percent(share)} of near`,
    ...(kind === 'engine'
      ? { goal: { text: `≥ ${percent(GOAL_FAR_SHARE)}`, met: share >= GOAL_FAR_SHARE } }
      : {}),
  };
}

function toRatioRows(ratio: number | null, cpuRatio: number): Row[] {
  const goal = (met: boolean) => ({ text: `≥ ${GOAL_RATIO} ×`, met });
  const ofCpu = { name: 'CPU, node:http2 / this', value: `${cpuRatio} ×` };
  if (ratio === null) return [ofCpu];
  return [
    { name: 'rate, of node:http2', value: `${ratio} ×`, goal: goal(ratio >= GOAL_RATIO) },
    ofCpu,
  ];
}
