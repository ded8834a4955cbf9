import { sql, type RawBuilder } from 'kysely';

import { MAX_DELIVERIES_PER_CHUNK } from './campaigns/chunks.ts';
import type { RunPlace } from './campaigns/run-places.ts';
import type { Db } from './database.ts';
import { FROZEN_PLACE } from './delivery-trace.ts';

/*
 * All that is kept about a user, read page by page: whoever asks for the next page has taken the one before, and a hundred thousand messages
 * never stand in memory at once. What comes in meanwhile may be missing.
 */

/** Whose, and in which app; undefined: in all of them. */
export interface UserScope {
  readonly userId: string;
  readonly appRef: number | undefined;
}

const PAGE = 500;
const RUNS_PER_PAGE = 200;
const NIL = '00000000-0000-0000-0000-000000000000';

function inApp({ appRef }: UserScope) {
  return appRef === undefined ? sql`` : sql`AND app_ref = ${appRef}`;
}

/** Rows of a list, in pages, as they are to be shown; null where there is nothing. */
export type Pages = AsyncGenerator<readonly Readonly<Record<string, unknown>>[]>;

export async function* readUserDevices(db: Db, scope: UserScope): Pages {
  for (let after: number | undefined = 0; after !== undefined;) {
    const { rows } = await sql<{ id: number }>`
      SELECT d.id, a.app_id, d.activation_id, d.provider, d.environment, d.push_token, d.activation_active, d.token_deactivated_at,
        d.token_deactivated_reason, d.last_registered_at, d.created_at
      FROM devices d JOIN apps a ON a.id = d.app_ref
      WHERE d.user_id = ${scope.userId} ${inApp(scope)} AND d.id > ${after} ORDER BY d.id LIMIT ${PAGE}`.execute(
      db,
    );
    yield rows.map((row) => ({ ...row }));
    after = rows.length < PAGE ? undefined : rows.at(-1)?.id;
  }
}

/** They belong to no app: in one, those are shown that have a device in it. */
export async function* readUserActivations(db: Db, { userId, appRef }: UserScope): Pages {
  for (let after: string | undefined = ''; after !== undefined;) {
    const rows = await db
      .selectFrom('activations')
      .select(['activationId', 'status', 'createdAt', 'updatedAt'])
      .where('userId', '=', userId)
      .where('activationId', '>', after)
      .where(hasDeviceIn(appRef))
      .orderBy('activationId')
      .limit(PAGE)
      .execute();
    yield rows;
    after = rows.length < PAGE ? undefined : rows.at(-1)?.activationId;
  }
}

function hasDeviceIn(appRef: number | undefined): RawBuilder<boolean> {
  if (appRef === undefined) return sql<boolean>`true`;
  return sql<boolean>`EXISTS (SELECT FROM devices d WHERE d.activation_id = activations.activation_id AND d.app_ref = ${appRef})`;
}

/** Messages with their deliveries, in the order in which they were accepted. */
export async function* readUserMessages(db: Db, scope: UserScope): Pages {
  for (let after: string | undefined = NIL; after !== undefined;) {
    const { rows } = await sql<{ id: string }>`
      WITH page AS MATERIALIZED (
        SELECT * FROM messages WHERE user_id = ${scope.userId} ${inApp(scope)} AND id > ${after}::uuid
        ORDER BY id LIMIT ${PAGE}
      )
      SELECT m.id, a.app_id, m.activation_id, m.silent, m.personal, m.priority, m.body, m.expires_at, m.created_at, (
        SELECT coalesce(json_agg(json_build_object(
          'id', d.id, 'deviceId', d.device_id, 'provider', d.provider, 'state', d.state, 'reason', d.reason, 'attempts', d.attempts,
          'finishedAt', d.finished_at, 'providerMessageId', d.provider_message_id) ORDER BY d.id), '[]')
        FROM (
          SELECT * FROM deliveries WHERE id > m.id AND id <= (left(m.id::text, 32) || 'ffff')::uuid ORDER BY id OFFSET 0
        ) d
      ) AS deliveries
      FROM page m JOIN apps a ON a.id = m.app_ref ORDER BY m.id`.execute(db);
    yield rows.map((row) => ({ ...row }));
    after = rows.length < PAGE ? undefined : rows.at(-1)?.id;
  }
}

/** Messages of the inbox, in the order of their numbers. */
/** In one app, of the apps that show a message only that one is named. */
export async function* readUserInbox(db: Db, { userId, appRef }: UserScope): Pages {
  for (let after: number | undefined = 0; after !== undefined;) {
    const { rows } = await sql<{ sequence: number }>`
      SELECT m.id, m.sequence, m.type, m.subject, m.summary, m.body, m.sender, m.created_at, m.read_at, ARRAY(
        SELECT a.app_id FROM apps a WHERE a.id = ANY (m.app_refs) ${appRef === undefined ? sql`` : sql`AND a.id = ${appRef}`} ORDER BY a.id
      ) AS applications
      FROM inbox_messages m
      WHERE m.user_id = ${userId} AND m.sequence > ${after}
        ${appRef === undefined ? sql`` : sql`AND m.app_refs @> ARRAY[${appRef}::bigint]`}
      ORDER BY m.sequence LIMIT ${PAGE}`.execute(db);
    yield rows.map((row) => ({ ...row }));
    after = rows.length < PAGE ? undefined : rows.at(-1)?.sequence;
  }
}

/** Campaigns that the user is among the users of. */
export async function* readUserCampaigns(db: Db, scope: UserScope): Pages {
  for (let after: number | undefined = 0; after !== undefined;) {
    const { rows } = await sql<{ id: number }>`
      SELECT c.id, a.app_id, c.message, c.sent, c.created_at, c.sent_at
      FROM campaign_users u JOIN campaigns c ON c.id = u.campaign_id JOIN apps a ON a.id = c.app_ref
      WHERE u.user_id = ${scope.userId}
        AND u.campaign_id = ANY (ARRAY(SELECT id FROM campaigns WHERE id > ${after} ${inApp(scope)}))
      ORDER BY c.id LIMIT ${PAGE}`.execute(db);
    yield rows.map((row) => ({ ...row }));
    after = rows.length < PAGE ? undefined : rows.at(-1)?.id;
  }
}

/**
 * Where the user's devices are in runs: those that are theirs and were it when the audience was frozen, and those with an exception that
 * names them. In pages of runs, each in their order.
 */
export async function* readUserPlaces(
  db: Db,
  scope: UserScope,
): AsyncGenerator<readonly RunPlace[]> {
  for (let after: string | undefined = NIL; after !== undefined;) {
    const { rows: runs } = await sql<{ id: string }>`
      SELECT id FROM campaign_runs
      WHERE id > ${after}::uuid AND NOT dry_run AND devices_purged_at IS NULL ${inApp(scope)}
      ORDER BY id LIMIT ${RUNS_PER_PAGE}`.execute(db);
    yield await listPlaces(
      db,
      scope,
      runs.map((run) => run.id),
    );
    after = runs.length < RUNS_PER_PAGE ? undefined : runs.at(-1)?.id;
  }
}

async function listPlaces(
  db: Db,
  { userId }: UserScope,
  runIds: readonly string[],
): Promise<readonly RunPlace[]> {
  if (runIds.length === 0) return [];
  const ofUser = sql`hashtextextended(${userId}::text, 0)`;
  const { rows } = await sql<RunPlace>`
    WITH run AS MATERIALIZED (SELECT unnest(${runIds}::uuid[]) AS id),
    d AS MATERIALIZED (SELECT id FROM devices WHERE user_id = ${userId})
    SELECT run_id, ordinal FROM (
      SELECT run.id AS run_id, c.ordinal FROM run CROSS JOIN d CROSS JOIN LATERAL ${FROZEN_PLACE} c WHERE c.user_hash = ${ofUser}
      UNION
      SELECT x.run_id, x.ordinal FROM campaign_exceptions x
      WHERE x.user_id = ${userId} AND x.run_id = ANY (${runIds}::uuid[]) AND (
        SELECT c.user_hashes[(x.ordinal % ${MAX_DELIVERIES_PER_CHUNK}::bigint)::integer + 1] FROM campaign_chunks c
        WHERE c.run_id = x.run_id AND c.ordinal = x.ordinal / ${MAX_DELIVERIES_PER_CHUNK}::bigint) = ${ofUser}
    ) place ORDER BY run_id, ordinal`.execute(db);
  return rows;
}
