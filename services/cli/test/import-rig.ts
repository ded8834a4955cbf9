import { randomBytes } from 'node:crypto';

import { openTestDatabase, type TestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { runCli } from '../src/cli.ts';
import { openOriginal, type Original, type Shape } from './original.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An original, and a database of ours to import it into. */
export interface ImportRig {
  readonly original: Original;
  readonly target: TestDatabase;
  readonly env: Readonly<Record<string, string>>;
  /** `import powerauth`, from the original unless the arguments say from where. */
  run(...args: readonly string[]): Promise<Ended>;
  /** Every row of our tables, by table. Two are equal where nothing was written in between. */
  snapshot(): Promise<ReadonlyMap<string, unknown>>;
  close(): Promise<void>;
}

export async function openImportRig(shape: Shape): Promise<ImportRig> {
  const target = await openTestDatabase();
  const original = await openOriginal(shape, target.url);
  const env = {
    DATABASE_URL: target.url,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    PROVIDERS: 'sandbox',
  };
  return {
    original,
    target,
    env,
    run: (...args) => {
      const says = args.some((arg) => /^--(?:from|forget)/.test(arg));
      return runImport(env, says ? args : [`--from=${original.url}`, ...args]);
    },
    snapshot: () => snapshot(target),
    async close() {
      await original.close();
      await target.close();
    },
  };
}

export async function runImport(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<Ended> {
  let [out, err] = ['', ''];
  const code = await runCli(['import', 'powerauth', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    errIsTerminal: false,
    inIsTerminal: false,
    readSecret: () => Promise.reject(new Error('nothing is asked')),
    env,
    readFile: () => Buffer.alloc(0),
    now: () => new Date(),
  });
  return { code, out, err };
}

/** Where an import notes its runs, which count up. */
const NOTES = 'imports';

async function snapshot({ db }: TestDatabase): Promise<ReadonlyMap<string, unknown>> {
  const { rows } = await sql<{ name: string }>`
    SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> ${NOTES}
    ORDER BY 1`.execute(db);
  const tables = new Map<string, unknown>();
  for (const { name } of rows) {
    const { rows: found } = await sql`
      SELECT t::text AS row, t.ctid::text AS place FROM ${sql.table(name)} t ORDER BY 1, 2`.execute(
      db,
    );
    tables.set(name, found);
  }
  return tables;
}

/** A line of the report, without its name: read, added, updated, unchanged, kept, removed, skipped. */
export function countsOf({ out }: Ended, kind: string): readonly number[] {
  const line = out.split('\n').find((one) => one.startsWith(`${kind} `)) ?? '';
  return line.slice(kind.length).trim().split(/\s+/).map(Number);
}
