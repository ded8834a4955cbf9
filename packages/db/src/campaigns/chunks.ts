import { sql, type RawBuilder } from 'kysely';

/** Deliveries of a chunk have the places `ordinal * MAX_DELIVERIES_PER_CHUNK` and following in their run. */
export const MAX_DELIVERIES_PER_CHUNK = 1000;

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

/** The lowest and the highest of the runs: a condition that names both leaves the planner only the partitions between them. */
export function toBounds(runIds: readonly string[]): [string, string] {
  const sorted = runIds.toSorted();
  return [sorted[0] ?? '', sorted.at(-1) ?? ''];
}
