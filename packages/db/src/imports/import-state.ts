import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { tryAgain } from './try-again.ts';

/** Where an import is. */
export interface ImportState {
  readonly id: number;
  /** Counts from 1. */
  readonly run: number;
  readonly step: string;
  /** Null at the start of a step. */
  readonly cursor: string | null;
  /** JSON, as it was kept. */
  readonly report: unknown;
  /** Goes on with what another process began. */
  readonly resumed: boolean;
}

export interface ImportStart {
  readonly name: string;
  /** Names the database that is read. */
  readonly source: string;
  /** What was read under that name until now is at another place. */
  readonly moved: boolean;
  readonly firstStep: string;
}

/** Another database was read under that name until now. */
export class OtherSource extends Error {
  override readonly name = 'OtherSource';
}

/** Begins a run, or goes on with one that was not finished. Throws an `OtherSource` where the name belongs to another database. */
export async function startImport(
  db: Db,
  { name, source, moved, firstStep }: ImportStart,
): Promise<ImportState> {
  return db.transaction().execute(async (tx) => {
    const known = await findImport(tx, name, source, moved);
    if (known !== undefined && known.finishedAt === null) {
      await tx.updateTable('imports').set({ source }).where('id', '=', known.id).execute();
      return { ...known, resumed: true };
    }
    const fresh = { source, step: firstStep, cursor: null, report: '{}' };
    const row =
      known === undefined
        ? await tx
            .insertInto('imports')
            .values({ name, ...fresh })
            .returning(PLACE)
            .executeTakeFirstOrThrow()
        : await tx
            .updateTable('imports')
            .set({ ...fresh, run: known.run + 1, startedAt: sql<Date>`now()`, finishedAt: null })
            .where('id', '=', known.id)
            .returning(PLACE)
            .executeTakeFirstOrThrow();
    return { ...row, resumed: false };
  });
}

const PLACE = ['id', 'run', 'step', 'cursor', 'report'] as const;

/** What is known under that name, which is not to belong to another database. */
export async function findImport(db: Db, name: string, source: string, moved: boolean) {
  const known = await db
    .selectFrom('imports')
    .select(['id', 'run', 'step', 'cursor', 'report', 'finishedAt', 'source'])
    .where('name', '=', name)
    .executeTakeFirst();
  if (known !== undefined && known.source !== source && !moved)
    throw new OtherSource(
      `The import ${name} read another database until now (${known.source}; this one is ${source}). Say --moved where it is the same data at another place, or give this one a --name of its own.`,
    );
  return known;
}

/** Where a page leaves the import. */
export interface ImportProgress {
  readonly step: string;
  readonly cursor: string | null;
  readonly report: unknown;
  readonly finished?: boolean;
}

/**
 * Does `work` and notes where that leaves the import, in one transaction: killed at any instant, it has happened with its note, or not
 * at all. Throws where another process has gone on with the import meanwhile. Runs it again where rows were locked crosswise.
 */
export async function inImport(
  db: Db,
  at: ImportState,
  work: (tx: Db) => Promise<ImportProgress>,
): Promise<ImportState> {
  return tryAgain(() =>
    db.transaction().execute(async (tx) => {
      // Of tables that were just filled the planner knows nothing, and might read all devices for a page.
      await sql`SET LOCAL enable_seqscan = off`.execute(tx);
      const { finished = false, report, ...place } = await work(tx);
      const { numUpdatedRows } = await tx
        .updateTable('imports')
        .set({
          ...place,
          report: JSON.stringify(report),
          finishedAt: finished ? sql<Date>`now()` : null,
        })
        .where('id', '=', at.id)
        .where('run', '=', at.run)
        .where('step', '=', at.step)
        .where('cursor', 'is not distinct from', at.cursor)
        .where('finishedAt', 'is', null)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n)
        throw new Error('another process has gone on with this import; this one ends');
      return { ...at, ...place, report };
    }),
  );
}

/** Forgets what imports took: nothing that they took goes, but another run would not know it. Answers false where nothing is known. */
export async function forgetImport(db: Db, name: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const known = await tx
      .selectFrom('imports')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirst();
    if (known === undefined) return false;
    for (const table of REMEMBERED)
      await sql`DELETE FROM ${sql.table(table)} WHERE import_ref = ${known.id}`.execute(tx);
    await tx.deleteFrom('imports').where('id', '=', known.id).execute();
    return true;
  });
}

const REMEMBERED = [
  'imported_credentials',
  'imported_devices',
  'import_departures',
  'imported_campaigns',
  'imported_campaign_users',
];

/** Whether the database has the tables of imports: it is migrated that far. */
export async function hasImports(db: Db): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    SELECT to_regclass('imports') IS NOT NULL AS found`.execute(db);
  return rows[0]?.found === true;
}
