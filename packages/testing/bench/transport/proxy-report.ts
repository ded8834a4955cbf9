import {
  formatCores,
  noteDisturbance,
  perSecond,
  type Report,
  round,
  type Row,
} from '../report.ts';
import { BUSY_CORE } from '../sink/sink.ts';
import type { ByKind } from './measure.ts';
import { pick, summariseAll, type Summary } from './transport-report.ts';

const NAMES: Readonly<Record<string, string>> = {
  proxy: 'our proxy provider',
  'undici-agent': 'bare undici',
};
const GOAL_RATE = 2_000;
const GOAL_RATIO = 0.8;

export function toProxyReport(measured: ByKind): Report {
  const byKind = summariseAll(measured);
  const ours = pick(byKind, 'proxy');
  const bare = pick(byKind, 'undici-agent');
  const ratio = round(ours.rate / bare.rate, 2);
  const cpuRatio = round(bare.cpuMicros / ours.cpuMicros, 2);
  const perCore = round(1e6 / ours.cpuMicros);
  const isSinkBusy = Math.max(ours.sink, bare.sink) >= BUSY_CORE;

  return {
    figures: {
      rate: ours.rate,
      yardstick: bare.rate,
      ratio,
      cpuRatio,
      perCore,
      byKind,
    },
    rows: [
      ...Object.entries(byKind).flatMap(([kind, one]) => toRows(kind, one)),
      {
        name: 'on one core of ours',
        value: perSecond(perCore),
        goal: { text: `≥ ${perSecond(GOAL_RATE)}`, met: perCore >= GOAL_RATE },
      },
      {
        name: 'rate, of bare undici',
        value: `${ratio} ×`,
        goal: { text: `≥ ${GOAL_RATIO} ×`, met: ratio >= GOAL_RATIO },
      },
      { name: 'CPU, bare undici / this', value: `${cpuRatio} ×` },
    ],
    notes: [
      ...noteDisturbance({ others: Math.max(ours.others, bare.others) }),
      ...(isSinkBusy ? ['nginx was the limit: the ratio of CPU says more than that of rates'] : []),
    ],
  };
}

function toRows(kind: string, { rate, cpuMicros, pushes, counted, client, sink }: Summary): Row[] {
  return [
    { name: NAMES[kind] ?? kind, value: `${perSecond(rate)}, CPU ${cpuMicros} µs` },
    { name: '  pushes', value: `${pushes} accepted, ${counted} by nginx` },
    { name: '  cores in use', value: formatCores({ client, nginx: sink }) },
  ];
}
