import type { Comparison, SourceRange, Taken } from '@heliograph/db';

/** The ids that a page answers for: a page that is not full is the last, and answers for all that would follow. */
export function toRange(
  rows: readonly { readonly sourceId: number }[],
  after: number,
  pageRows: number,
): SourceRange {
  const last = rows.at(-1);
  return { after, upTo: last === undefined || rows.length < pageRows ? null : last.sourceId };
}

export function toTaken({ added, updated, unchanged }: Comparison): ReadonlyMap<Taken, number> {
  return new Map<Taken, number>([
    ['added', added],
    ['updated', updated],
    ['unchanged', unchanged],
  ]);
}
