import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';

import type { Schema } from './schema.ts';

/** A pool of connections, or an open transaction: every query function takes either. */
export type Db = Kysely<Schema>;

const INT8_OID = 20;

/**
 * Whoever falls silent in the middle of a transaction, since its process was stopped or its machine hangs, loses it and its locks
 * after that. For every connection from its start: a process may be stopped right after the statement that took the lock.
 */
export const MAX_SILENCE_MS = 10_000;

/**
 * Connections are opened on demand, up to `poolSize`; `db.destroy()` closes them.
 * `onConnectionLost` hears of connections that died, as in a restart of the server; the pool replaces them by itself.
 */
export function openDatabase(
  url: string,
  poolSize: number,
  onConnectionLost: (error: Error) => void = () => {},
): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 10_000,
    // A server that vanished without a word is noticed in minutes instead of hours.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idle_in_transaction_session_timeout: MAX_SILENCE_MS,
    // Nor has the server to wait with a large answer that nobody reads, while its statement holds the rows.
    options: `-c tcp_user_timeout=${MAX_SILENCE_MS}`,
    types: {
      // Row ids are far below 2^53, and JSON has no other numbers.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID && format !== 'binary'
          ? Number
          : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text'),
    },
  });
  pool.on('error', onConnectionLost);
  // The pool listens to idle connections only. One that dies in somebody's hands fails their query, and would without this
  // end the process as well.
  pool.on('connect', (client) => client.on('error', onConnectionLost));
  return new Kysely<Schema>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
}

/** Rejects when the database does not answer. */
export async function pingDatabase(db: Db): Promise<void> {
  await sql`SELECT 1`.execute(db);
}
