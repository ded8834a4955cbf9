import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { tuneForPages } from './tune-for-pages.ts';

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
