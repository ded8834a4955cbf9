import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

/** Devices whose push tokens were deactivated for one reason in one hour or day, and still are. */
export interface Pruning {
  readonly appId: string;
  readonly provider: Provider;
  readonly reason: string;
  /** When the hour or the day began, in UTC. */
  readonly since: Date;
  readonly devices: number;
}

export interface PruningsQuery {
  /** Undefined: of every app. */
  readonly appRef: number | undefined;
  readonly since: Date;
  readonly by: 'hour' | 'day';
  readonly limit: number;
}

/** What was pruned, the latest first. */
export async function listPrunings(
  db: Db,
  { appRef, since, by, limit }: PruningsQuery,
): Promise<readonly Pruning[]> {
  const { rows } = await sql<Pruning>`
    SELECT a.app_id, d.provider, coalesce(d.token_deactivated_reason, '') AS reason,
      date_trunc(${by}::text, d.token_deactivated_at, 'UTC') AS since, count(*)::integer AS devices
    FROM devices d JOIN apps a ON a.id = d.app_ref
    WHERE d.token_deactivated_at >= ${since} ${appRef === undefined ? sql`` : sql`AND d.app_ref = ${appRef}`}
    GROUP BY 1, 2, 3, 4 ORDER BY since DESC, devices DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** Which deactivated devices of an app are meant. */
export interface PrunedDevices {
  readonly appRef: number;
  readonly provider: Provider | undefined;
  readonly reason: string | undefined;
  /** Deactivated from then on. */
  readonly since: Date;
  /** And before then. */
  readonly until: Date | undefined;
}

export async function countPruned(db: Db, pruned: PrunedDevices): Promise<number> {
  const { rows } = await sql<{ devices: number }>`
    SELECT count(*)::integer AS devices FROM devices WHERE ${isPruned(pruned)}`.execute(db);
  return rows[0]?.devices ?? 0;
}

/** Gives up to `limit` of them their push tokens back. Answers how many. */
export async function restorePruned(db: Db, pruned: PrunedDevices, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    UPDATE devices SET token_deactivated_at = NULL, token_deactivated_reason = NULL
    WHERE id IN (
      -- Locked in one order by all; whoever registers meanwhile has the token back already.
      SELECT id FROM devices WHERE id = ANY (ARRAY(
        SELECT id FROM devices WHERE ${isPruned(pruned)} LIMIT ${limit}
      )) AND ${isPruned(pruned)} ORDER BY id FOR UPDATE
    )`.execute(db);
  return Number(numAffectedRows ?? 0);
}

function isPruned({ appRef, provider, reason, since, until }: PrunedDevices) {
  return sql`app_ref = ${appRef} AND token_deactivated_at >= ${since}
    ${until === undefined ? sql`` : sql`AND token_deactivated_at < ${until}`}
    ${provider === undefined ? sql`` : sql`AND provider = ${provider}`}
    ${reason === undefined ? sql`` : sql`AND token_deactivated_reason = ${reason}`}`;
}
