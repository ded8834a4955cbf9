import { DEFERRED, OWED, type Environment } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { AttemptRecord } from '../schema.ts';
import type { ClaimedChunk } from './chunk-leases.ts';
import { MAX_DELIVERIES_PER_CHUNK } from './chunks.ts';

/** A delivery of a chunk that is owed now. */
export interface OwedDevice {
  /** Its place in the chunk. */
  readonly index: number;
  readonly deviceId: number;
  /** Null where the device was removed since the audience was frozen. */
  readonly pushToken: string | null;
  readonly userId: string | null;
  readonly environment: Environment | null;
  readonly tokenDeactivated: boolean;
  /** It belongs to the user, and to the app and provider, that it had when the audience was frozen. */
  readonly sameOwner: boolean;
  readonly sameToken: boolean;
  readonly attempts: number;
  readonly ambiguousAttempts: number;
  readonly history: readonly AttemptRecord[] | null;
}

/**
 * Devices of a chunk that were not tried yet and are what they were when the audience was frozen: of the same owner, with the same push
 * token of one line, which is not deactivated. Almost all of them are sent at the first try, which takes no more than a place and a token.
 */
export interface PlainDevices {
  /** The same for all of them. */
  readonly environment: Environment | null;
  /** Their places in the chunk, in no certain order. */
  readonly indexes: readonly number[];
  /** Of the same devices in the same order. */
  readonly pushTokens: readonly string[];
  /** All about the nth of them. For those few of which something is to be noted: what it takes is read at the first call. */
  readonly toDevice: (n: number) => OwedDevice;
}

/** What of a leased chunk is owed. */
export interface OwedChunk {
  readonly plain: readonly PlainDevices[];
  /** Every other device to be sent now: changed or removed since, or tried before; or its token has several lines. In the order of places. */
  readonly special: readonly OwedDevice[];
  /** When deliveries that were tried are due again that are not due yet, by their place in the chunk. */
  readonly waiting: ReadonlyMap<number, Date>;
}

/** A chunk that is read by its leaseholder. */
type LeasedChunk = Pick<ClaimedChunk, 'runId' | 'ordinal' | 'provider' | 'appRef'>;

/** What of a leased chunk is to be sent now: devices not tried yet, and those whose next attempt has come; and what waits. */
export async function readOwedChunk(db: Db, chunk: LeasedChunk): Promise<OwedChunk> {
  const groups = await readPlain(db, chunk);
  const plain = groups.flatMap((row) =>
    row.indexes === null ? [] : toPlainDevices(row.indexes, row),
  );
  const found = plain.reduce((sum, { indexes }) => sum + indexes.length, 0);
  if (groups.every(({ untried, hasDeferred }) => untried === found && !hasDeferred))
    return { plain, special: [], waiting: new Map() };

  const places = plain.flatMap(({ indexes }) => indexes);
  const special: OwedDevice[] = [];
  const waiting = new Map<number, Date>();
  for (const { waitsUntil, ...device } of await readOthers(db, chunk, places))
    if (waitsUntil === null) special.push(device);
    else waiting.set(device.index, waitsUntil);
  return { plain, special, waiting };
}

/** The plain devices of an environment; nulls where there are none at all. */
interface PlainRow {
  readonly environment: Environment | null;
  readonly indexes: readonly number[] | null;
  /** One per line, which node takes apart for less than it takes to parse JSON. */
  readonly pushTokens: string | null;
  /** JSON, which is read for few. */
  readonly deviceIds: string | null;
  readonly userIds: string | null;
  /** Of the whole chunk: how many were not tried yet, plain or not. */
  readonly untried: number;
  readonly hasDeferred: boolean;
}

/*
 * Columns that are concatenated with nothing are fetched once, and not for every device. The devices are read by one scan of their
 * ids, in whose order the chunk is, and each finds its place there: half the work of a look per device. All of them are compared: a
 * device that registered before the run started may have been seen as it was before that.
 */
async function readPlain(db: Db, { runId, ordinal, provider, appRef }: LeasedChunk) {
  const { rows } = await sql<PlainRow>`
    WITH chunk AS MATERIALIZED (
      SELECT device_ids || '{}' AS device_ids, user_hashes || '{}' AS user_hashes, token_hashes || ''::bytea AS token_hashes,
        outcomes || ''::bytea AS outcomes
      FROM campaign_chunks WHERE run_id = ${runId} AND ordinal = ${ordinal}
    ), untried AS MATERIALIZED (
      SELECT position(${Buffer.of(DEFERRED)}::bytea IN outcomes) > 0 AS has_deferred,
        CASE WHEN btrim(outcomes, ${Buffer.of(OWED)}::bytea) = '' THEN device_ids ELSE (
          SELECT array_agg(t.id ORDER BY t.n) FROM unnest(device_ids) WITH ORDINALITY AS t (id, n)
          WHERE get_byte(outcomes, t.n::integer - 1) = ${sql.lit(OWED)}
        ) END AS device_ids
      FROM chunk
    ), found AS (
      SELECT d.*, width_bucket(d.id, c.device_ids) AS n, c.user_hashes, c.token_hashes
      FROM chunk c CROSS JOIN untried u JOIN devices d ON d.id = ANY (u.device_ids) OFFSET 0
    ), plain AS (
      SELECT environment, json_agg(n - 1) AS indexes, string_agg(push_token, E'\\n') AS push_tokens,
        json_agg(id)::text AS device_ids, json_agg(user_id)::text AS user_ids
      FROM found
      WHERE token_deactivated_at IS NULL AND provider = ${provider} AND app_ref = ${appRef}
        AND hashtextextended(user_id, 0) = user_hashes[n]
        AND substring(push_token_hash FOR 16) = substring(token_hashes FROM n * 16 - 15 FOR 16)
        AND strpos(push_token, E'\\n') = 0
      GROUP BY environment
    )
    SELECT p.*, coalesce(cardinality(u.device_ids), 0) AS untried, u.has_deferred FROM untried u LEFT JOIN plain p ON true`.execute(
    db,
  );
  return rows;
}

interface OtherDevice extends OwedDevice {
  /** Null if it is to be sent now. */
  readonly waitsUntil: Date | null;
}

/** What is owed of the chunk at other places than these. */
async function readOthers(
  db: Db,
  { runId, ordinal, provider, appRef }: LeasedChunk,
  plain: readonly number[],
): Promise<readonly OtherDevice[]> {
  const firstPlace = ordinal * MAX_DELIVERIES_PER_CHUNK;
  const { rows } = await sql<OtherDevice>`
    WITH chunk AS MATERIALIZED (
      SELECT device_ids || '{}' AS device_ids, user_hashes || '{}' AS user_hashes, token_hashes || ''::bytea AS token_hashes,
        outcomes || ''::bytea AS outcomes
      FROM campaign_chunks WHERE run_id = ${runId} AND ordinal = ${ordinal}
    ), other AS MATERIALIZED (
      SELECT index, get_byte(c.outcomes, index) AS code FROM chunk c CROSS JOIN LATERAL (
        SELECT generate_series(0, length(c.outcomes) - 1) EXCEPT SELECT unnest(${plain}::integer[])
      ) t (index)
    )
    SELECT o.index, c.device_ids[o.index + 1] AS device_id, d.push_token, d.user_id, d.environment,
      d.token_deactivated_at IS NOT NULL AS token_deactivated,
      d.id IS NULL OR coalesce(d.provider = ${provider} AND d.app_ref = ${appRef}
        AND hashtextextended(d.user_id, 0) = c.user_hashes[o.index + 1], false) AS same_owner,
      d.id IS NULL OR substring(d.push_token_hash FOR 16) = substring(c.token_hashes FROM o.index * 16 + 1 FOR 16) AS same_token,
      coalesce(x.attempts, 0) AS attempts, coalesce(x.ambiguous_attempts, 0) AS ambiguous_attempts, x.history,
      CASE WHEN x.next_attempt_at > now() THEN x.next_attempt_at END AS waits_until
    FROM chunk c CROSS JOIN other o
    LEFT JOIN LATERAL (SELECT * FROM devices WHERE id = c.device_ids[o.index + 1] OFFSET 0) d ON true
    LEFT JOIN LATERAL (
      SELECT * FROM campaign_exceptions
      WHERE o.code = ${sql.lit(DEFERRED)} AND run_id = ${runId} AND ordinal = ${firstPlace}::bigint + o.index
        AND state = 'pending' OFFSET 0
    ) x ON true
    WHERE o.code = ${sql.lit(OWED)} OR x.next_attempt_at IS NOT NULL
    ORDER BY o.index`.execute(db);
  return rows;
}

function toPlainDevices(indexes: readonly number[], row: PlainRow): PlainDevices {
  const pushTokens = row.pushTokens?.split('\n') ?? [];
  const { environment } = row;
  let deviceIds: readonly number[] | undefined;
  let userIds: readonly string[] | undefined;
  return {
    environment,
    indexes,
    pushTokens,
    toDevice(n) {
      deviceIds ??= parseList(row.deviceIds, Number);
      userIds ??= parseList(row.userIds, String);
      return {
        index: indexes[n] ?? -1,
        deviceId: deviceIds[n] ?? -1,
        pushToken: pushTokens[n] ?? null,
        userId: userIds[n] ?? null,
        environment,
        tokenDeactivated: false,
        sameOwner: true,
        sameToken: true,
        attempts: 0,
        ambiguousAttempts: 0,
        history: null,
      };
    },
  };
}

function parseList<T>(json: string | null, toItem: (item: unknown) => T): readonly T[] {
  const list: unknown = JSON.parse(json ?? '[]');
  return Array.isArray(list) ? list.map(toItem) : [];
}
