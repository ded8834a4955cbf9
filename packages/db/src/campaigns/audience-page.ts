import { sql, type RawBuilder } from 'kysely';

import type { Db } from '../database.ts';
import { frozenHashOf } from './chunks.ts';

/** A look for one device costs as much as reading so many rows of a table in a row. */
const ROWS_PER_LOOK = 20;

/** A run that nobody else freezes meanwhile. Its values are written into the statement: the planner reads one partition, and knows what it will find. */
export interface FreezingRun {
  readonly id: string;
  readonly appRef: number;
  readonly campaignId: number;
  readonly dryRun: boolean;
  readonly canaryPercent: number | null;
  readonly fewUsers: boolean | null;
  readonly lastDeviceId: number | null;
  readonly lastUserPosition: number | null;
  readonly deviceCursor: number;
  readonly nextChunk: number;
}

/** What is looked up for each device of a page; the rest is read through at once. */
interface Looks {
  /** In the campaign: whether the device's user is there. */
  readonly forUsers: boolean;
  /** Among tokens that several have: whether its token is there. */
  readonly forTokens: boolean;
}

export async function chooseLooks(tx: Db, run: FreezingRun, pageSize: number): Promise<Looks> {
  const worthReading = pageSize * ROWS_PER_LOOK;
  // Positions count users up, with gaps: there are no more than that.
  const { rows } = await sql<{ users: number | null; tokens: number }>`
    SELECT ${run.lastUserPosition}::bigint - (SELECT min(position) FROM campaign_users WHERE campaign_id = ${run.campaignId}) AS users,
      (SELECT count(*) FROM (
        (SELECT FROM shared_tokens WHERE app_ref = ${run.appRef} LIMIT ${pageSize})
        UNION ALL
        (SELECT FROM token_releases WHERE app_ref = ${run.appRef} LIMIT ${pageSize})
      ) t) AS tokens`.execute(tx);
  const [found] = rows;
  return {
    forUsers: run.fewUsers === true || (found?.users ?? 0) > worthReading,
    forTokens: (found?.tokens ?? pageSize) >= pageSize,
  };
}

/** The page's devices of users of the campaign, who are read in the order in which they were added. */
export function joinUsers({ campaignId, lastUserPosition }: FreezingRun) {
  return sql`
    JOIN campaign_users u ON u.user_id = p.user_id AND u.campaign_id = ${campaignId} AND u.position <= ${lastUserPosition}`;
}

const DEVICE_COLUMNS = sql`
  d.id, d.provider, d.push_token_hash, d.user_id, d.environment, d.token_deactivated_at, d.created_at`;

/*
 * A campaign, its users and its app's devices may all be new, and the planner knows nothing of them yet. So each of these is written to
 * leave it no choice of an index: the wrong one would read a whole app, or a whole campaign, per row.
 */

/** Every device of the app, whoever's it is. */
export function devicesOfApp(
  { appRef, deviceCursor, lastDeviceId }: FreezingRun,
  pageSize: number,
) {
  return sql`
    SELECT ${DEVICE_COLUMNS} FROM devices d
    WHERE (d.app_ref, d.id) > (${appRef}::bigint, ${deviceCursor}::bigint)
      AND (d.app_ref, d.id) <= (${appRef}::bigint, ${lastDeviceId}::bigint)
    ORDER BY d.app_ref, d.id LIMIT ${pageSize}`;
}

/** The users' devices only. */
export function devicesOfUsers(run: FreezingRun, pageSize: number) {
  return sql`
    SELECT d.* FROM campaign_users u CROSS JOIN LATERAL (
      SELECT ${DEVICE_COLUMNS} FROM devices d
      WHERE d.user_id = u.user_id AND d.app_ref + 0 = ${run.appRef}::bigint
        AND d.id + 0 > ${run.deviceCursor}::bigint AND d.id + 0 <= ${run.lastDeviceId}::bigint OFFSET 0
    ) d
    WHERE u.campaign_id = ${run.campaignId} AND u.position <= ${run.lastUserPosition}
    ORDER BY d.id LIMIT ${pageSize}`;
}

/** OFFSET 0: one probe of the index per device, where the planner would rather hash a million users for every page. */
export function isMember(
  { campaignId, lastUserPosition }: FreezingRun,
  userId: RawBuilder<unknown>,
): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    SELECT FROM campaign_users u
    WHERE u.campaign_id = ${campaignId} AND u.user_id = ${userId} AND u.position + 0 <= ${lastUserPosition}::bigint OFFSET 0)`;
}

/** Whether several devices have, or had, the token of the member `m`. */
export function isShared({ appRef }: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`(
    EXISTS (
      SELECT FROM shared_tokens t
      WHERE t.push_token_hash = m.push_token_hash AND t.app_ref = ${appRef} AND t.provider = m.provider OFFSET 0)
    OR EXISTS (
      SELECT FROM token_releases t WHERE t.push_token_hash = m.push_token_hash AND t.app_ref = ${appRef} OFFSET 0))`;
}

/** The same, or more, where the app has few such tokens. */
export function isAmongShared({ appRef }: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`m.push_token_hash IN (
    SELECT push_token_hash FROM shared_tokens WHERE app_ref = ${appRef}
    UNION ALL SELECT push_token_hash FROM token_releases WHERE app_ref = ${appRef})`;
}

/** Devices that have the token of the suspect `s`, and whose turn came before this page. */
function earlierHolders({ appRef, deviceCursor }: FreezingRun) {
  return sql`
    SELECT o.id FROM devices o
    WHERE o.push_token_hash = s.push_token_hash AND o.app_ref + 0 = ${appRef}::bigint AND o.provider || '' = s.provider
      AND o.id + 0 <= ${deviceCursor}::bigint`;
}

/** Devices that had it, whenever that was: what was released before the run started may have been visible only later. */
function earlierReleases({ appRef, deviceCursor }: FreezingRun) {
  return sql`
    SELECT t.device_id FROM token_releases t
    WHERE t.push_token_hash = s.push_token_hash AND t.app_ref = ${appRef} AND t.provider = s.provider
      AND t.device_id <= ${deviceCursor}`;
}

export function isFrozenBefore(run: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    SELECT FROM (${earlierHolders(run)} UNION ALL ${earlierReleases(run)} OFFSET 0) holder
    WHERE ${frozenHashOf(sql`${run.id}`, sql`s.provider`, sql`holder.id`)} = substring(s.push_token_hash FOR 16))`;
}

/** A dry run has no chunks to look into: holders that are in the audience by what the registry says now. */
export function isCountedBefore(run: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    ${earlierHolders(run)} AND o.token_deactivated_at IS NULL
      AND o.created_at <= (SELECT started_at FROM campaign_runs WHERE id = ${run.id})
      AND (o.provider = 'apns' AND s.of_credential = 'production' AND o.environment = 'development') IS NOT TRUE
      AND ${isMember(run, sql`o.user_id`)})`;
}
