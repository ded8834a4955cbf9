import {
  findImport,
  inImport,
  startImport,
  type Db,
  type ImportProgress,
  type ImportState,
  type PowerAuthSource,
} from '@heliograph/db';

import { showProgress, type ProgressDeps } from './progress.ts';
import { addFindings, EMPTY_REPORT, parseReport, toKey, type Report } from './report.ts';
import type { Page, Step } from './step.ts';

export interface ImportDeps {
  readonly db: Db;
  readonly source: PowerAuthSource;
  readonly steps: readonly [Step, ...Step[]];
  readonly progress: ProgressDeps;
}

export interface ImportOptions {
  /** Under which what was taken is known. */
  readonly name: string;
  /** The database that was read under that name is at another place now. */
  readonly moved: boolean;
}

export interface ImportResult {
  readonly run: number | undefined;
  readonly report: Report;
}

/** Takes everything over, or what is left of a run that was not finished. Whoever runs it holds the lock of imports. */
export async function runImport(deps: ImportDeps, options: ImportOptions): Promise<ImportResult> {
  const { db, source, steps, progress } = deps;
  let state = await startImport(db, {
    ...options,
    source: source.identity,
    firstStep: steps[0].name,
  });
  if (state.resumed) progress.write(`going on with run ${state.run}, in step "${state.step}"\n`);
  const first = steps.findIndex(({ name }) => name === state.step);
  if (first === -1)
    throw new Error(`the last run was made by another version, and stopped in "${state.step}"`);

  for (const [n, step] of steps.entries()) {
    if (n < first) continue;
    await step.begin?.(db);
    const shown = showProgress(progress, {
      name: step.name,
      total: await step.count(),
      done: n === first ? findDone(state, step) : 0,
    });
    for (let atEnd = false; !atEnd;) {
      const page = await step.read(state.cursor, { db, importRef: state.id });
      state = await takePage(db, state, page, step.name, steps[n + 1]?.name);
      shown.advance(page.rows);
      atEnd = page.next === null;
    }
    shown.end();
  }
  return { run: state.run, report: parseReport(state.report) };
}

function takePage(
  db: Db,
  state: ImportState,
  page: Page,
  step: string,
  nextStep: string | undefined,
): Promise<ImportState> {
  return inImport(db, state, async (tx): Promise<ImportProgress> => {
    const findings = await page.take(tx, state.id);
    const report = addFindings(parseReport(state.report), findings);
    if (page.next !== null) return { step, cursor: page.next, report };
    return { step: nextStep ?? step, cursor: null, report, finished: nextStep === undefined };
  });
}

/** For the progress only: rows that a process before this one read. */
function findDone({ report, cursor }: ImportState, { name }: Step): number {
  const { counts } = parseReport(report);
  const kinds = ['apps', 'devices', 'campaigns', 'campaign users'] as const;
  const kind = kinds.find((one) => one === name) ?? 'inbox messages';
  return cursor === null ? 0 : (counts[toKey(kind, 'read')] ?? 0);
}

/** Reads all of the source, and says what would be taken, as far as can be known without writing. */
export async function tryImport(deps: ImportDeps, options: ImportOptions): Promise<ImportResult> {
  const { db, source, steps, progress } = deps;
  const known = await findImport(db, options.name, source.identity, options.moved);
  const importRef = known?.id ?? 0;
  let report = EMPTY_REPORT;
  for (const step of steps) {
    const shown = showProgress(progress, { name: step.name, total: await step.count(), done: 0 });
    for (let cursor: string | null = null, atEnd = false; !atEnd;) {
      const page: Page = await step.read(cursor, { db, importRef });
      report = addFindings(report, await page.compare(db, importRef));
      shown.advance(page.rows);
      cursor = page.next;
      atEnd = cursor === null;
    }
    shown.end();
  }
  return { run: undefined, report };
}
