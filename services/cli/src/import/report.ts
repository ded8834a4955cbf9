import type { Taken } from '@heliograph/db';

export const KINDS = [
  'apps',
  'credentials',
  'devices',
  'campaigns',
  'campaign users',
  'inbox messages',
] as const;
/** Of the last nothing is taken. */
export type Kind = (typeof KINDS)[number] | 'message history';

export const COUNTED = ['read', 'added', 'updated', 'unchanged', 'kept', 'removed'] as const;
export type Counted = Taken | 'read';

/** So many rows of the source, and what names the first of them. */
export interface Rows {
  readonly count: number;
  readonly examples: readonly string[];
}

/** One thing that a run found, or did. */
export type Finding =
  | { readonly kind: Kind; readonly counted: Counted; readonly count: number }
  /** It could not be taken. */
  | { readonly kind: Kind; readonly skipped: string; readonly row: string; readonly count?: number }
  /** Somebody should know of it. */
  | { readonly kind: Kind; readonly remark: string; readonly row: string; readonly count?: number };

/** What a run did until now. Kept in the database, so that a run that goes on after a crash reports all of it. */
export interface Report {
  /** By kind and what is counted, reason or remark: see `toKey`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, Rows>>;
  readonly remarks: Readonly<Record<string, Rows>>;
}

export const EMPTY_REPORT: Report = { counts: {}, skipped: {}, remarks: {} };
const MAX_EXAMPLES = 5;

/** A report as it was kept; an empty one where nothing is. */
export function parseReport(kept: unknown): Report {
  return isReport(kept) ? kept : EMPTY_REPORT;
}

function isReport(kept: unknown): kept is Report {
  return typeof kept === 'object' && kept !== null && 'counts' in kept && 'remarks' in kept;
}

export function addFindings(report: Report, findings: readonly Finding[]): Report {
  const counts = { ...report.counts };
  const skipped = { ...report.skipped };
  const remarks = { ...report.remarks };
  for (const finding of findings)
    if ('counted' in finding) {
      const key = toKey(finding.kind, finding.counted);
      counts[key] = (counts[key] ?? 0) + finding.count;
    } else if ('skipped' in finding) addRow(skipped, toKey(finding.kind, finding.skipped), finding);
    else addRow(remarks, toKey(finding.kind, finding.remark), finding);
  return { counts, skipped, remarks };
}

function addRow(
  rows: Record<string, Rows>,
  key: string,
  { row, count = 1 }: { readonly row: string; readonly count?: number },
): void {
  const { count: before, examples } = rows[key] ?? { count: 0, examples: [] };
  rows[key] = {
    count: before + count,
    examples: row === '' || examples.length === MAX_EXAMPLES ? examples : [...examples, row],
  };
}

const SEPARATOR = ': ';

export function toKey(kind: Kind, what: string): string {
  return kind + SEPARATOR + what;
}

export function toCounts(kind: Kind, taken: ReadonlyMap<Counted, number>): readonly Finding[] {
  return Array.from(taken, ([counted, count]) => ({ kind, counted, count }));
}

/** Whether everything was taken that the source has. */
export function isComplete(report: Report): boolean {
  return Object.keys(report.skipped).length === 0;
}
