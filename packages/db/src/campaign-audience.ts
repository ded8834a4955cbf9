import { PROVIDERS } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';

/*
 * Freezing the audience of a run: the devices of its campaign's users, one per push token, as chunks.
 *
 * It goes through the app's devices in the order of their ids, a page per transaction; a page freezes what it sees, and moves the
 * cursor in the run's row, so it happens once whoever does it and whenever they die. Only tokens that several devices have
 * (`shared_tokens`) or had (`token_releases`) are looked for among the chunks that are frozen already. Large pages read through what
 * small ones look up for each device.
 */

/** Devices looked at per page. The first is small, so that sending begins at once. */
const DEVICES_OF_FIRST_PAGE = 2000;
const DEVICES_PER_PAGE = 250_000;
/** A look for one device costs as much as reading so many rows of a table in a row. */
const ROWS_PER_LOOK = 20;
/** Deliveries of a chunk have the places `ordinal * MAX_DELIVERIES_PER_CHUNK` and following in their run. */
export const MAX_DELIVERIES_PER_CHUNK = 1000;

/** Codes of `campaign_run_counts` that are no outcomes. */
export const TARGETED = -1;
export const AMBIGUOUS = -2;
/** The shard that freezing adds to; dispatchers have the others. */
const FREEZING_SHARD = -1;

/** Freezes the next page of the run's audience; `pageSize` devices are looked at. Answers whether there is more to freeze. */
export async function freezePage(db: Db, runId: string, pageSize?: number): Promise<boolean> {
  try {
    return await db.transaction().execute(async (tx) => {
      await tuneForPages(tx);
      // Its row is held for the last moment only: who pauses or cancels the run is not to wait for a page.
      await sql`SELECT pg_advisory_xact_lock(hashtextextended('freezing ' || ${runId}, 0))`.execute(
        tx,
      );
      return storeNextPage(tx, runId, pageSize);
    });
  } catch (error) {
    if (error instanceof RunIsOver) return false;
    throw error;
  }
}

/** The run was cancelled while a page of it was under way. */
class RunIsOver extends Error {}

/** Compiling would take longer than a page. And of tables that grow fast the planner knows too little for nested loops. */
async function tuneForPages(tx: Db): Promise<void> {
  await sql`
    SELECT set_config('jit', 'off', true), set_config('enable_nestloop', 'off', true), set_config('work_mem', '32MB', true)`.execute(
    tx,
  );
}

async function storeNextPage(tx: Db, runId: string, pageSize?: number): Promise<boolean> {
  const run = await tx
    .selectFrom('campaignRuns')
    .select([
      'id',
      'appRef',
      'campaignId',
      'dryRun',
      'canaryPercent',
      'fewUsers',
      'lastDeviceId',
      'lastUserPosition',
      'deviceCursor',
      'nextChunk',
    ])
    .where('id', '=', runId)
    .where('materialisedAt', 'is', null)
    .where('state', 'in', [...FREEZING_STATES])
    .where('startedAt', 'is not', null)
    .executeTakeFirst();
  if (run === undefined) return false;

  const isLast = await storePage(tx, run, pageSize ?? toPageSize(run));
  if (!isLast) return true;
  if (run.canaryPercent !== null && !run.dryRun) await releaseCanary(tx, runId, run.canaryPercent);
  await sql`
    UPDATE campaign_runs SET materialised_at = now(),
      state = CASE WHEN state = 'materialising' THEN 'running' ELSE state END
    WHERE id = ${runId}`.execute(tx);
  return false;
}

/** States of a run whose audience may be frozen. */
const FREEZING_STATES = ['materialising', 'paused', 'halted'] as const;

/** A run that nobody else freezes meanwhile. Its values are written into the statement: the planner reads one partition, and knows what it will find. */
interface FreezingRun {
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

/** Pages grow with what is frozen. One of few users costs a look at each of them, however small it is. */
function toPageSize({ nextChunk, fewUsers }: FreezingRun): number {
  if (fewUsers === true) return DEVICES_PER_PAGE;
  return Math.min(DEVICES_OF_FIRST_PAGE * (1 + nextChunk), DEVICES_PER_PAGE);
}

/** Answers whether it was the last page. */
async function storePage(tx: Db, run: FreezingRun, pageSize: number): Promise<boolean> {
  const looks = await chooseLooks(tx, run, pageSize);
  const { rows } = await sql<{ isLast: boolean }>`
    WITH page AS MATERIALIZED (
      ${run.fewUsers === true ? devicesOfUsers(run, pageSize) : devicesOfApp(run, pageSize)}
    ), member AS MATERIALIZED (
      SELECT p.id, p.provider, p.push_token_hash, p.user_id, k.environment AS of_credential, CASE
        WHEN p.token_deactivated_at IS NOT NULL THEN 'token_deactivated'
        WHEN k.app_ref IS NULL THEN 'not_configured'
        WHEN k.provider = 'apns' AND k.environment = 'production' AND p.environment = 'development' THEN 'environment'
      END AS exclusion
      FROM page p ${looks.forUsers ? sql`` : joinUsers(run)}
      LEFT JOIN credentials k ON k.app_ref = ${run.appRef} AND k.provider = p.provider
      -- Not a parameter: microseconds count.
      WHERE p.created_at <= (SELECT started_at FROM campaign_runs WHERE id = ${run.id})
        AND ${looks.forUsers && run.fewUsers !== true ? isMember(run, sql`p.user_id`) : sql`true`}
    ), suspect AS MATERIALIZED (
      -- Most tokens are nobody else's, and need no look at those who came before.
      SELECT m.id, m.provider, m.push_token_hash, m.of_credential,
        min(m.id) OVER (PARTITION BY m.provider, m.push_token_hash) AS first_id
      FROM member m
      WHERE m.exclusion IS NULL AND ${looks.forTokens ? isShared(run) : isAmongShared(run)}
    ), duplicate AS (
      SELECT s.id FROM suspect s
      WHERE s.first_id < s.id OR ${run.dryRun ? isCountedBefore(run) : isFrozenBefore(run)}
    ), decided AS MATERIALIZED (
      SELECT id, provider, substring(push_token_hash FOR 16) AS token_hash, hashtextextended(user_id, 0) AS user_hash, CASE
        WHEN exclusion IS NOT NULL THEN exclusion
        WHEN id IN (SELECT id FROM duplicate) THEN 'duplicate_token'
      END AS reason
      FROM member ORDER BY id
    ), targeted AS MATERIALIZED (
      -- A look per provider finds the devices sorted already; sorting them by provider takes longer.
      SELECT p.provider, t.* FROM unnest(${PROVIDERS}::text[]) AS p (provider) CROSS JOIN LATERAL (
        SELECT count(*)::integer AS devices, array_agg(id ORDER BY id) AS ids,
          string_agg(token_hash, ''::bytea ORDER BY id) AS token_hashes, array_agg(user_hash ORDER BY id) AS user_hashes
        FROM decided WHERE provider = p.provider AND reason IS NULL
      ) t
      WHERE t.devices > 0
    ), chunked AS MATERIALIZED (
      SELECT t.provider, before, least(${MAX_DELIVERIES_PER_CHUNK}::integer, t.devices - before) AS devices,
        row_number() OVER (ORDER BY t.ids[before + 1]) - 1 AS nth
      FROM targeted t CROSS JOIN LATERAL generate_series(0, t.devices - 1, ${MAX_DELIVERIES_PER_CHUNK}::integer) AS before
    ), stored AS (
      INSERT INTO campaign_chunks
        (run_id, ordinal, provider, first_device_id, last_device_id, device_ids, token_hashes, user_hashes, outcomes, due_at)
      SELECT ${run.id}::uuid, ${run.nextChunk}::bigint + c.nth, c.provider, t.ids[before + 1], t.ids[before + c.devices],
        t.ids[before + 1:before + c.devices], substring(t.token_hashes FROM before * 16 + 1 FOR c.devices * 16),
        t.user_hashes[before + 1:before + c.devices], decode(repeat('00', c.devices), 'hex'),
        ${run.canaryPercent === null ? sql`now()` : sql`'infinity'`}
      FROM chunked c JOIN targeted t ON t.provider = c.provider
      WHERE ${!run.dryRun}::boolean
    ), counted AS (
      INSERT INTO campaign_run_counts AS t (run_id, provider, code, shard, count)
      SELECT ${run.id}::uuid, provider, ${TARGETED}::smallint, ${FREEZING_SHARD}::smallint, devices FROM targeted
      ON CONFLICT (run_id, provider, code, shard) DO UPDATE SET count = t.count + excluded.count
    ), excluded_devices AS (
      INSERT INTO campaign_run_exclusions AS t (run_id, provider, reason, count)
      SELECT ${run.id}::uuid, d.provider, d.reason, count(*) FROM decided d WHERE d.reason IS NOT NULL GROUP BY d.provider, d.reason
      ON CONFLICT (run_id, provider, reason) DO UPDATE SET count = t.count + excluded.count
    ), seen AS (
      SELECT count(*) AS devices, max(id) AS last_id FROM page
    )
    UPDATE campaign_runs r SET
      device_cursor = CASE WHEN seen.devices < ${pageSize}::integer THEN r.last_device_id ELSE seen.last_id END,
      next_chunk = r.next_chunk + (SELECT count(*) FROM chunked)
    FROM seen WHERE r.id = ${run.id} AND r.state IN (${sql.join(FREEZING_STATES)})
    RETURNING seen.devices < ${pageSize}::integer AS is_last`.execute(tx);
  const [page] = rows;
  if (page === undefined) throw new RunIsOver();
  return page.isLast;
}

/** What is looked up for each device of a page; the rest is read through at once. */
interface Looks {
  /** In the campaign: whether the device's user is there. */
  readonly forUsers: boolean;
  /** Among tokens that several have: whether its token is there. */
  readonly forTokens: boolean;
}

async function chooseLooks(tx: Db, run: FreezingRun, pageSize: number): Promise<Looks> {
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
function joinUsers({ campaignId, lastUserPosition }: FreezingRun) {
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
function devicesOfApp({ appRef, deviceCursor, lastDeviceId }: FreezingRun, pageSize: number) {
  return sql`
    SELECT ${DEVICE_COLUMNS} FROM devices d
    WHERE (d.app_ref, d.id) > (${appRef}::bigint, ${deviceCursor}::bigint)
      AND (d.app_ref, d.id) <= (${appRef}::bigint, ${lastDeviceId}::bigint)
    ORDER BY d.app_ref, d.id LIMIT ${pageSize}`;
}

/** The users' devices only. */
function devicesOfUsers(run: FreezingRun, pageSize: number) {
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
function isMember(
  { campaignId, lastUserPosition }: FreezingRun,
  userId: RawBuilder<unknown>,
): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    SELECT FROM campaign_users u
    WHERE u.campaign_id = ${campaignId} AND u.user_id = ${userId} AND u.position + 0 <= ${lastUserPosition}::bigint OFFSET 0)`;
}

/** Whether several devices have, or had, the token of the member `m`. */
function isShared({ appRef }: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`(
    EXISTS (
      SELECT FROM shared_tokens t
      WHERE t.push_token_hash = m.push_token_hash AND t.app_ref = ${appRef} AND t.provider = m.provider OFFSET 0)
    OR EXISTS (
      SELECT FROM token_releases t WHERE t.push_token_hash = m.push_token_hash AND t.app_ref = ${appRef} OFFSET 0))`;
}

/** The same, or more, where the app has few such tokens. */
function isAmongShared({ appRef }: FreezingRun): RawBuilder<boolean> {
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

function isFrozenBefore(run: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    SELECT FROM (${earlierHolders(run)} UNION ALL ${earlierReleases(run)} OFFSET 0) holder
    WHERE ${frozenHashOf(sql`${run.id}`, sql`s.provider`, sql`holder.id`)} = substring(s.push_token_hash FOR 16))`;
}

/** A dry run has no chunks to look into: holders that are in the audience by what the registry says now. */
function isCountedBefore(run: FreezingRun): RawBuilder<boolean> {
  return sql<boolean>`EXISTS (
    ${earlierHolders(run)} AND o.token_deactivated_at IS NULL
      AND o.created_at <= (SELECT started_at FROM campaign_runs WHERE id = ${run.id})
      AND (o.provider = 'apns' AND s.of_credential = 'production' AND o.environment = 'development') IS NOT TRUE
      AND ${isMember(run, sql`o.user_id`)})`;
}

/** The 16 bytes of the token hash under which the device is in the run's audience; null where it is not. */
export function frozenHashOf(
  runId: RawBuilder<unknown>,
  provider: RawBuilder<unknown>,
  deviceId: RawBuilder<unknown>,
): RawBuilder<Buffer | null> {
  return sql<Buffer | null>`(
    SELECT substring(c.token_hashes FROM (array_position(c.device_ids, ${deviceId}) - 1) * 16 + 1 FOR 16)
    FROM campaign_chunks c
    WHERE c.run_id = ${runId} AND c.provider = ${provider} AND c.first_device_id <= ${deviceId}
    ORDER BY c.first_device_id DESC LIMIT 1)`;
}

/**
 * Makes so much of each provider's audience due, at least one device; the rest waits. The chunk that holds the boundary is cut in two:
 * nothing of the run was sent yet, so its second half may have other places.
 */
async function releaseCanary(tx: Db, runId: string, percent: number): Promise<void> {
  await sql`
    WITH sized AS (
      SELECT ordinal, provider, length(outcomes) AS devices,
        sum(length(outcomes)) OVER (PARTITION BY provider ORDER BY ordinal) - length(outcomes) AS devices_before,
        sum(length(outcomes)) OVER (PARTITION BY provider) AS devices_in_all
      FROM campaign_chunks WHERE run_id = ${runId}
    ), shared_out AS (
      -- As a decimal: 1.1 % of 3000 are 33, and in floating point a little more.
      SELECT *, least(devices, ceil(devices_in_all * ${percent}::float8::numeric / 100)::integer - devices_before)::integer AS canaries
      FROM sized
    ), cut AS (
      SELECT s.canaries, row_number() OVER (ORDER BY s.ordinal) - 1 AS nth, c.*
      FROM shared_out s JOIN campaign_chunks c ON c.run_id = ${runId} AND c.ordinal = s.ordinal
      WHERE s.canaries > 0 AND s.canaries < s.devices
    ), rest AS (
      INSERT INTO campaign_chunks
        (run_id, ordinal, provider, first_device_id, last_device_id, device_ids, token_hashes, user_hashes, outcomes, due_at)
      SELECT run_id, (SELECT next_chunk FROM campaign_runs WHERE id = ${runId}) + nth, provider, device_ids[canaries + 1], last_device_id,
        device_ids[canaries + 1:], substring(token_hashes FROM canaries * 16 + 1), user_hashes[canaries + 1:],
        substring(outcomes FROM canaries + 1), 'infinity'
      FROM cut
      RETURNING ordinal
    ), advanced AS (
      UPDATE campaign_runs SET next_chunk = next_chunk + (SELECT count(*) FROM rest) WHERE id = ${runId}
    )
    UPDATE campaign_chunks c SET canary = true, due_at = now(),
      last_device_id = c.device_ids[s.canaries], device_ids = c.device_ids[1:s.canaries],
      token_hashes = substring(c.token_hashes FOR s.canaries * 16), user_hashes = c.user_hashes[1:s.canaries],
      outcomes = substring(c.outcomes FOR s.canaries)
    FROM shared_out s
    WHERE c.run_id = ${runId} AND c.ordinal = s.ordinal AND s.canaries > 0`.execute(tx);
  // Approved before it was frozen: nothing waits.
  await sql`
    UPDATE campaign_chunks SET due_at = now() WHERE run_id = ${runId} AND due_at = 'infinity'
      AND EXISTS (SELECT FROM campaign_runs WHERE id = ${runId} AND approved_at IS NOT NULL)`.execute(
    tx,
  );
}

/**
 * Counts the run's users, and those without a device in the app, once its audience is frozen. It reads both through at once, and holds
 * the run's row for the last moment only; who dies meanwhile has counted nothing.
 */
export async function countUsers(db: Db, runId: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tuneForPages(tx);
    const run = await tx
      .selectFrom('campaignRuns')
      .select(['appRef', 'campaignId', 'fewUsers', 'lastDeviceId', 'lastUserPosition'])
      .where('id', '=', runId)
      .where('materialisedAt', 'is not', null)
      .where('usersCountedAt', 'is', null)
      .executeTakeFirst();
    if (run === undefined) return;

    const isDevice = sql`d.user_id = u.user_id AND d.created_at <= (SELECT started_at FROM campaign_runs WHERE id = ${runId})`;
    const hasDevice =
      run.fewUsers === true
        ? sql`EXISTS (
            SELECT FROM devices d
            WHERE ${isDevice} AND d.app_ref + 0 = ${run.appRef}::bigint AND d.id + 0 <= ${run.lastDeviceId}::bigint OFFSET 0)`
        : sql`EXISTS (
            SELECT FROM devices d WHERE ${isDevice} AND d.app_ref = ${run.appRef} AND d.id <= ${run.lastDeviceId})`;
    await sql`
      WITH counted AS MATERIALIZED (
        SELECT (SELECT count(*) FROM campaign_users WHERE campaign_id = ${run.campaignId} AND position <= ${run.lastUserPosition}) AS users,
          (SELECT count(*) FROM campaign_users u
          WHERE u.campaign_id = ${run.campaignId} AND u.position <= ${run.lastUserPosition} AND NOT ${hasDevice}) AS without_device
      )
      UPDATE campaign_runs r SET users = counted.users, users_without_device = counted.without_device, users_counted_at = now()
      FROM counted WHERE r.id = ${runId} AND r.users_counted_at IS NULL`.execute(tx);
  });
}
