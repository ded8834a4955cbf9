import { COUNTED, isComplete, KINDS, toKey, type Report, type Rows } from './report.ts';

/** What is to be read of a run, over its table. */
export interface RunFacts {
  readonly name: string;
  readonly shape: string;
  /** Undefined of a dry run. */
  readonly run: number | undefined;
}

const NAME_WIDTH = 16;
const COLUMN_WIDTH = 12;

/** The report as text, for the end of a run. */
export function printReport({ name, shape, run }: RunFacts, report: Report): string {
  const title =
    run === undefined
      ? `Dry run of import ${name}: PowerAuth Push Server, shape ${shape}. Nothing was written.`
      : `Import ${name}, run ${run}: PowerAuth Push Server, shape ${shape}.`;
  const head = ['', ...COUNTED, 'skipped'];
  const rows = KINDS.map((kind) => [
    kind,
    ...COUNTED.map((counted) => String(report.counts[toKey(kind, counted)] ?? 0)),
    String(
      Object.entries(report.skipped)
        .filter(([key]) => key.startsWith(toKey(kind, '')))
        .reduce((sum, [, { count }]) => sum + count, 0),
    ),
  ]);
  return [
    title,
    '',
    ...[head, ...rows].map(toLine),
    ...toList('Could not be taken:', report.skipped),
    ...toList('To know:', report.remarks),
    '',
    isComplete(report) ? 'Everything was taken.\n' : 'Not everything could be taken.\n',
  ].join('\n');
}

function toLine([name = '', ...cells]: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('');
}

function toList(title: string, rows: Readonly<Record<string, Rows>>): readonly string[] {
  const entries = Object.entries(rows);
  if (entries.length === 0) return [];
  return [
    '',
    title,
    ...entries.map(([key, { count, examples }]) => {
      const which =
        examples.length === 0
          ? ''
          : ` (${examples.join(', ')}${count > examples.length ? ', …' : ''})`;
      return `  ${count} × ${key}${which}`;
    }),
  ];
}
