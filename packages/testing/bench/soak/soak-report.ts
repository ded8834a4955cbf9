import { formatCores, noteDisturbance, perSecond, type Report, round } from '../report.ts';
import type { MeasuredSoak } from '../scenarios/soak.ts';
import type { Judgement } from './judge-soak.ts';
import type { Closed, ServerAnswer } from './processes.ts';

interface Results {
  readonly pushes: number;
  readonly measured: MeasuredSoak;
  readonly peakMb: number;
  readonly closed: Closed;
  readonly server: ServerAnswer;
  readonly judgement: Judgement;
}

export function toSoakReport(results: Results): Report {
  const { pushes, measured, peakMb, closed, server, judgement } = results;
  const { sent, ambiguous, ambiguousAccepted, unprocessed } = judgement;
  const { requeues, singles, stops } = closed;
  const { connections, faults } = server;
  const { cores, halvesMb } = measured;
  const rate = round(measured.rate);
  const cpuMicros = round(measured.cpuMicros, 1);

  return {
    figures: {
      rate,
      cpuMicros,
      rssMb: peakMb,
      rssHalvesMb: halvesMb,
      pushes,
      singles,
      outcomes: { sent, ambiguous, ambiguousAccepted, unprocessed },
      requeues,
      stops,
      connections,
      faults,
      cores,
    },
    rows: [
      { name: 'rate', value: `${perSecond(rate)}, CPU ${cpuMicros} µs` },
      { name: 'pushes', value: `${pushes}, ${singles} of them single` },
      { name: '  sent', value: `${sent}, all accepted, once` },
      { name: '  ambiguous', value: `${ambiguous}, ${ambiguousAccepted} accepted` },
      { name: '  unprocessed', value: `${unprocessed}, none accepted` },
      { name: 'requeues', value: String(requeues) },
      { name: 'connections', value: String(connections) },
      {
        name: 'faults of the server',
        value: `${faults.goaway} farewells, ${faults.reset} resets, ${faults.slow} late answers`,
      },
      { name: 'memory of the sender', value: `${halvesMb.join(' MB, ')} MB, by halves` },
      { name: 'cores in use', value: formatCores(cores) },
    ],
    notes: noteDisturbance(cores),
  };
}
