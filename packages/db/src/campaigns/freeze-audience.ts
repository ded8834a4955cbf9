import { PROVIDERS } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import {
  chooseLooks,
  devicesOfApp,
  devicesOfUsers,
  isAmongShared,
  isCountedBefore,
  isFrozenBefore,
  isMember,
  isShared,
  joinUsers,
  type FreezingRun,
} from './audience-page.ts';
import { releaseCanary } from './canary.ts';
import { MAX_DELIVERIES_PER_CHUNK } from './chunks.ts';
import { FREEZING_SHARD, TARGETED } from './run-counts.ts';
import { tuneForPages } from './tune-for-pages.ts';

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
