import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { hashPushToken } from '../devices.ts';
import { frozenHashOf } from './chunks.ts';

/** A device that is to get the run at another push token than the one it had when the audience was frozen. */
export interface MovedToken {
  readonly runId: string;
  readonly provider: Provider;
  readonly deviceId: number;
  /** The one that it is about to be sent to. By now the device may have yet another. */
  readonly pushToken: string;
}

/**
 * Whether a device whose push token changed since may get the run at its new one: nobody else in the audience has it. Asked when the
 * whole audience is frozen. Of two devices that moved to the same token the first one gets it; asking again answers the same.
 */
export async function claimMovedToken(db: Db, moved: MovedToken): Promise<boolean> {
  const { runId, provider, deviceId } = moved;
  const hash = hashPushToken(moved.pushToken);
  // Whoever is in the audience under this token has it still, or released it.
  const { rows } = await sql<{ deviceId: number }>`
    WITH holder AS (
      SELECT d.id FROM devices d JOIN campaign_runs r ON r.id = ${runId} AND r.app_ref = d.app_ref + 0
      WHERE d.push_token_hash = ${hash} AND d.provider || '' = ${provider} AND d.id <> ${deviceId}
      UNION ALL
      SELECT t.device_id FROM token_releases t JOIN campaign_runs r ON r.id = ${runId} AND r.app_ref = t.app_ref
      WHERE t.push_token_hash = ${hash} AND t.provider = ${provider} AND t.device_id <> ${deviceId}
    )
    INSERT INTO campaign_moved_tokens AS m (run_id, provider, push_token_hash, device_id)
    SELECT ${runId}, ${provider}, ${hash}, ${deviceId}
    WHERE NOT EXISTS (
      SELECT FROM holder
      WHERE ${frozenHashOf(sql`${runId}`, sql`${provider}`, sql`holder.id`)} = substring(${hash}::bytea FOR 16))
    ON CONFLICT (run_id, provider, push_token_hash) DO UPDATE SET device_id = m.device_id
    RETURNING device_id`.execute(db);
  return rows[0]?.deviceId === moved.deviceId;
}

/**
 * Forgets who held which push token where no run needs to know any more: a day later, if none that is older is under way. What was
 * released before a run started may have been visible only after that, so an hour more is kept for it.
 */
export async function deleteOldTokenReleases(db: Db): Promise<void> {
  await sql`
    DELETE FROM token_releases WHERE released_at < least(now() - interval '1 day', (
      SELECT min(started_at) - interval '1 hour' FROM campaign_runs WHERE finished_at IS NULL))`.execute(
    db,
  );
}
