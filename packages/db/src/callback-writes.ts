import { OUTCOME_CODES, type CallbackType, type DeliveryState } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import { AMBIGUOUS, TARGETED } from './campaigns/run-counts.ts';

/*
 * Parts of statements: what is told to callbacks is written by the statement that makes it true, so neither is without the other, and
 * only where its owner has an endpoint.
 */

type Part = RawBuilder<unknown>;

/** How long events are kept, and written for an endpoint that was suspended. */
export const CALLBACK_RETENTION = '3 days';

/** Whether the endpoint `c` is told what happens; one that was suspended for long may be resumed, and begins anew. */
export const LISTENS = sql<boolean>`(c.suspended_at IS NULL OR c.suspended_at > now() - ${sql.lit(CALLBACK_RETENTION)}::interval)`;

const PLATFORM = (provider: Part) =>
  sql`CASE ${provider} WHEN 'apns' THEN 'ios' ELSE 'android' END`;

/**
 * Tells of the final ones among deliveries. `deliveries` names a CTE with the columns of the table; `messages` joins them
 * as `m`, with `id`, `user_id` and `developer_key_ref`, and ends where a condition may follow. The app hears of all, a developer key of
 * its own.
 */
export function tellDeliveries(deliveries: Part, messages: Part): Part {
  return sql`
    INSERT INTO callback_events (app_ref, developer_key_ref, type, data)
    SELECT c.app_ref, c.developer_key_ref, 'delivery.' || r.state, json_build_object(
      'messageId', r.message_id, 'deliveryId', r.id, 'platform', ${PLATFORM(sql`r.provider`)}, 'userId', m.user_id,
      'activationId', (SELECT v.activation_id FROM devices v WHERE v.id = r.device_id AND v.user_id = m.user_id),
      'reason', r.reason, 'attempts', r.attempts, 'providerMessageId', r.provider_message_id)
    FROM ${deliveries} r
    JOIN ${messages} m.id = r.message_id
    CROSS JOIN LATERAL (
      SELECT DISTINCT c.app_ref, c.developer_key_ref FROM callback_endpoints c
      WHERE c.app_ref = r.app_ref AND c.developer_key_ref IN (0, m.developer_key_ref) AND ${LISTENS}
    ) c
    WHERE r.state <> 'pending'`;
}

/** Tells what became of runs, with their counts. `runs` names a CTE with the columns of the table, as they are from now on. */
export function tellRuns(type: Part | Extract<CallbackType, `run.${string}`>, runs: Part): Part {
  return sql`
    INSERT INTO callback_events (app_ref, developer_key_ref, type, data)
    SELECT r.app_ref, 0, ${type}, json_build_object(
      'runId', r.id, 'campaignId', r.campaign_id, 'state', r.state, 'reason', r.reason, 'dryRun', r.dry_run,
      'counts', ${countsOf(sql`r.id`)})
    FROM ${runs} r
    WHERE EXISTS (
      SELECT FROM callback_endpoints c WHERE c.app_ref = r.app_ref AND c.developer_key_ref = 0 AND ${LISTENS})`;
}

/** Tells of push tokens that were deactivated. `devices` names a CTE with the columns of the table. */
export function tellDevices(devices: Part): Part {
  return sql`
    INSERT INTO callback_events (app_ref, developer_key_ref, type, data)
    SELECT d.app_ref, 0, 'device.token_deactivated', json_build_object(
      'deviceId', d.id, 'activationId', d.activation_id, 'userId', d.user_id, 'platform', ${PLATFORM(sql`d.provider`)},
      'reason', d.token_deactivated_reason)
    FROM ${devices} d
    WHERE EXISTS (
      SELECT FROM callback_endpoints c WHERE c.app_ref = d.app_ref AND c.developer_key_ref = 0 AND ${LISTENS})`;
}

const FINAL_STATES: readonly DeliveryState[] = ['sent', 'failed', 'expired', 'skipped'];

/** The sums of a run per platform: targeted = sent + failed + expired + skipped + pending. */
function countsOf(runId: Part): Part {
  return sql`(
    SELECT coalesce(json_object_agg(n.platform, n.sums), '{}') FROM (
      SELECT ${PLATFORM(sql`n.provider`)} AS platform, json_build_object(
        'targeted', ${sumOf([TARGETED])},
        ${sql.join(FINAL_STATES.map((state) => sql`${sql.lit(state)}, ${sumOf(toCodes(state))}`))},
        'pending', ${sumOf([TARGETED])} - ${sumOf(FINAL_STATES.flatMap(toCodes))},
        'ambiguous', ${sumOf([AMBIGUOUS])}) AS sums
      FROM campaign_run_counts n WHERE n.run_id = ${runId} GROUP BY n.provider
    ) n)`;
}

function sumOf(codes: readonly number[]): Part {
  const list = sql.join(codes.map((code) => sql.lit(code)));
  return sql`coalesce(sum(n.count) FILTER (WHERE n.code IN (${list})), 0)`;
}

function toCodes(state: DeliveryState): readonly number[] {
  return OUTCOME_CODES.filter((entry) => entry.state === state).map((entry) => entry.code);
}
