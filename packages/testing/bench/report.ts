/** What a scenario found out. */
export interface Report {
  /** For programs: one JSON object. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** For people. */
  readonly rows: readonly Row[];
  /** What to know before believing the figures. */
  readonly notes: readonly string[];
}

export interface Row {
  readonly name: string;
  readonly value: string;
  readonly goal?: { readonly text: string; readonly met: boolean };
}

const NAME_WIDTH = 26;
const VALUE_WIDTH = 30;

/** The report as a table of its rows. */
export function formatReport(scenario: string, { rows, notes }: Report): string {
  const lines = rows.map(({ name, value, goal }) => {
    const verdict =
      goal === undefined ? '' : `${goal.text.padEnd(16)} ${goal.met ? 'met' : 'MISSED'}`;
    return `  ${name.padEnd(NAME_WIDTH)}${value.padEnd(VALUE_WIDTH)}${verdict}`.trimEnd();
  });
  return [scenario, ...lines, ...notes.map((note) => `  ! ${note}`), ''].join('\n');
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The smallest value that is not below `rank` percent of all. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * rank) / 100) - 1)] ?? Number.NaN;
}

export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')} /s`;
}

export function percent(share: number): string {
  return `${round(share * 100, share < 1 ? 1 : 0)} %`;
}

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

/** How busy each process was: 1 is a whole core. */
export function toCores<Name extends string>(
  cpuMicros: Readonly<Record<Name, number>>,
  seconds: number,
): Record<Name, number> {
  const entries = Object.entries<number>(cpuMicros);
  return Object.fromEntries(
    entries.map(([name, micros]) => [name, round(micros / 1e6 / seconds, 2)]),
  ) as Record<Name, number>;
}

export function formatCores(cores: Readonly<Record<string, number>>): string {
  return Object.entries(cores)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(', ');
}

/** Others on the machine that use more of a core than this are seen in the figures. */
const QUIET = 0.2;

/** What to say of figures that were measured while somebody else was at work. */
export function noteDisturbance(cores: { readonly others: number }): string[] {
  if (cores.others <= QUIET) return [];
  return [
    `others used ${percent(cores.others)} of a core meanwhile: compare ratios only, or measure again`,
  ];
}
