import { sql } from 'kysely';

import type { Db } from './database.ts';

export interface DispatcherName {
  readonly id: string;
  /** The machine's name; in Kubernetes the pod's. */
  readonly host: string;
  readonly version: string | undefined;
}

/** One that was not seen for so long is dead, or does not reach the database. */
const ALIVE_SECONDS = 20;

/** Says that the dispatcher is alive, and forgets those that were not seen for an hour. */
export async function notePresence(db: Db, { id, host, version }: DispatcherName): Promise<void> {
  await sql`
    WITH gone AS (DELETE FROM dispatchers WHERE seen_at < now() - interval '1 hour' AND id <> ${id}::uuid)
    INSERT INTO dispatchers (id, host, version) VALUES (${id}::uuid, ${host}, ${version ?? null})
    ON CONFLICT (id) DO UPDATE SET seen_at = now()`.execute(db);
}

/** It ends in order. */
export async function forgetPresence(db: Db, id: string): Promise<void> {
  await db.deleteFrom('dispatchers').where('id', '=', id).execute();
}

export interface SeenDispatcher {
  readonly id: string;
  readonly host: string;
  readonly version: string | null;
  readonly startedAt: Date;
  readonly seenAt: Date;
  readonly alive: boolean;
}

/** Those that were seen in the last hour and did not end, the latest to start first. */
export async function listDispatchers(db: Db, limit: number): Promise<readonly SeenDispatcher[]> {
  const { rows } = await sql<SeenDispatcher>`
    SELECT id, host, version, started_at, seen_at, seen_at > now() - ${ALIVE_SECONDS}::float8 * interval '1 s' AS alive
    FROM dispatchers ORDER BY started_at DESC, id LIMIT ${limit}`.execute(db);
  return rows;
}
