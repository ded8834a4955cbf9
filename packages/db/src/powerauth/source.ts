import { sql, type RawBuilder } from 'kysely';

import { openDatabase, type Db } from '../database.ts';
import { inspectPowerAuth, readBytes, readInstant, UnreadableSource } from './layout.ts';
import type { PowerAuthLayout, PowerAuthShape } from './layout.ts';
import type {
  PowerAuthApp,
  PowerAuthCampaign,
  PowerAuthCampaignUser,
  PowerAuthDevice,
  PowerAuthInboxMessage,
} from './rows.ts';

/** The tables that are taken over, by what they hold. */
const TABLE_OF = {
  apps: 'push_app_credentials',
  devices: 'push_device_registration',
  campaigns: 'push_campaign',
  campaignUsers: 'push_campaign_user',
  inbox: 'push_inbox',
} as const;
export type PowerAuthTable = keyof typeof TABLE_OF;

/**
 * Pages are read along an index. Of a database that was restored lately the planner knows nothing, and would read and sort a whole
 * table for each page.
 */
const IN_ORDER = sql`
  SELECT set_config(name, 'off', true)
  FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_sort']) AS name`;

/** Rows with an id above `after`, in the order of their ids. */
interface PageById {
  readonly after: number;
  readonly limit: number;
}

/** The database of an original PowerAuth Push Server. It is only read: every transaction with it is a read-only one. */
export interface PowerAuthSource {
  readonly shape: PowerAuthShape;
  /** Names the database, wherever it is reached. */
  readonly identity: string;
  count(table: PowerAuthTable): Promise<number>;
  /** Stored messages of the past, of which nothing is taken. */
  countMessages(): Promise<number>;
  /** Those that `listInbox` leaves out. */
  countInboxWithoutUser(): Promise<number>;
  findHighestCampaignId(): Promise<number>;
  listApps(page: PageById): Promise<readonly PowerAuthApp[]>;
  listDevices(page: PageById): Promise<readonly PowerAuthDevice[]>;
  listCampaigns(page: PageById): Promise<readonly PowerAuthCampaign[]>;
  listCampaignUsers(page: PageById): Promise<readonly PowerAuthCampaignUser[]>;
  /** In the order of users and, for each, of creation; behind the row whose `position` is given. */
  listInbox(after: string | null, limit: number): Promise<readonly PowerAuthInboxMessage[]>;
  close(): Promise<void>;
}

/**
 * Connects and looks what is there. `timeZone` is that of the original's process, in which it wrote instants without a zone. Throws an
 * `UnreadableSource` where the database has none of the shapes that are understood.
 */
export async function openPowerAuthSource(url: string, timeZone: string): Promise<PowerAuthSource> {
  const db = openDatabase(url, 1);
  const read = <T>(query: RawBuilder<T>): Promise<readonly T[]> =>
    db
      .transaction()
      .setAccessMode('read only')
      .execute(async (tx) => {
        await IN_ORDER.execute(tx);
        return (await query.execute(tx)).rows;
      });
  try {
    const layout = await inspectPowerAuth(db);
    await refuseUnknownTimeZone(db, timeZone);
    return {
      shape: layout.shape,
      identity: await readIdentity(db),
      count: (table) => count(db, layout, TABLE_OF[table]),
      countMessages: () => count(db, layout, 'push_message'),
      countInboxWithoutUser: () => count(db, layout, 'push_inbox', sql`user_id IS NULL`),
      async findHighestCampaignId() {
        const [row] = await read(
          sql<{ max: number | null }>`SELECT max(id)::bigint AS max FROM push_campaign`,
        );
        return row?.max ?? 0;
      },
      listApps: (page) => read(selectApps(layout, page)),
      listDevices: (page) => read(selectDevices(layout, timeZone, page)),
      listCampaigns: (page) => read(selectCampaigns(layout, timeZone, page)),
      listCampaignUsers: (page) => read(selectCampaignUsers(page)),
      listInbox: (after, limit) =>
        layout.shape === 'head'
          ? read(selectInbox(layout, timeZone, after, limit))
          : Promise.resolve([]),
      close: () => db.destroy(),
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function refuseUnknownTimeZone(db: Db, timeZone: string): Promise<void> {
  const { rows } = await sql`
    SELECT FROM pg_timezone_names WHERE name = ${timeZone}`.execute(db);
  if (rows.length === 0)
    throw new UnreadableSource(`The source knows no time zone ${timeZone}; one is Europe/Prague.`);
}

/** The cluster's own number, which replicas share, and the names of database and schema. */
async function readIdentity(db: Db): Promise<string> {
  const { rows } = await sql<{ identity: string }>`
    SELECT concat_ws('/', system_identifier, current_database(), c.relnamespace::regnamespace) AS identity
    FROM pg_control_system(), pg_class c WHERE c.oid = to_regclass('push_app_credentials')`.execute(
    db,
  );
  return rows[0]?.identity ?? '';
}

async function count(
  db: Db,
  layout: PowerAuthLayout,
  table: string,
  condition: RawBuilder<unknown> = sql`true`,
): Promise<number> {
  if (!layout.has(table, 'id')) return 0;
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${sql.table(table)} WHERE ${condition}`.execute(db);
  return rows[0]?.count ?? 0;
}

function selectApps(layout: PowerAuthLayout, { after, limit }: PageById): RawBuilder<PowerAuthApp> {
  const [apns, fcm] = layout.shape === 'head' ? ['apns', 'fcm'] : ['ios', 'android'];
  const environment = layout.has('push_app_credentials', `${apns}_environment`)
    ? sql.ref(`c.${apns}_environment`)
    : sql`NULL::text`;
  const huawei =
    layout.shape === 'head' ? sql`coalesce(c.hms_client_id, '') <> ''` : sql<boolean>`false`;
  return sql`
    SELECT c.id::bigint AS source_id, c.app_id::text AS app_id, ${huawei} AS huawei,
      ${readBytes(layout, `${apns}_private_key`)} AS apns_key, ${sql.ref(`c.${apns}_team_id`)} AS apns_team_id,
      ${sql.ref(`c.${apns}_key_id`)} AS apns_key_id, ${sql.ref(`c.${apns}_bundle`)} AS apns_bundle,
      ${environment} AS apns_environment,
      ${readBytes(layout, `${fcm}_private_key`)} AS fcm_key, ${sql.ref(`c.${fcm}_project_id`)} AS fcm_project_id
    FROM push_app_credentials c WHERE c.id > ${after} ORDER BY c.id LIMIT ${limit}`;
}

/** The app's public id: in the older shape rows have it, in the newer they refer to the app's row. */
function joinApp(layout: PowerAuthLayout, row: string) {
  const ref = sql.ref(`${row}.app_id`);
  return layout.shape === 'head'
    ? { appId: sql`c.app_id`, join: sql`LEFT JOIN push_app_credentials c ON c.id = ${ref}` }
    : { appId: sql`${ref}::text`, join: sql`` };
}

function selectDevices(
  layout: PowerAuthLayout,
  timeZone: string,
  { after, limit }: PageById,
): RawBuilder<PowerAuthDevice> {
  const { appId, join } = joinApp(layout, 'd');
  const table = 'push_device_registration';
  const environment = layout.has(table, 'environment') ? sql`d.environment` : sql`NULL::text`;
  const name = 'timestamp_last_registered';
  return sql`
    SELECT d.id::bigint AS source_id, ${appId} AS app_id, d.activation_id, d.user_id, d.platform, d.push_token,
      ${environment} AS environment, d.is_active::boolean AS active,
      ${readInstant(layout, timeZone, table, sql.ref(`d.${name}`), name)} AS registered_at
    FROM push_device_registration d ${join}
    WHERE d.id > ${after} ORDER BY d.id LIMIT ${limit}`;
}

function selectCampaigns(
  layout: PowerAuthLayout,
  timeZone: string,
  { after, limit }: PageById,
): RawBuilder<PowerAuthCampaign> {
  const { appId, join } = joinApp(layout, 'p');
  const at = (name: string) =>
    readInstant(layout, timeZone, 'push_campaign', sql.ref(`p.${name}`), name);
  return sql`
    SELECT p.id::bigint AS source_id, ${appId} AS app_id, p.message::text AS message, p.is_sent::boolean AS sent,
      ${at('timestamp_created')} AS created_at, ${at('timestamp_sent')} AS sent_at,
      ${at('timestamp_completed')} AS completed_at
    FROM push_campaign p ${join}
    WHERE p.id > ${after} ORDER BY p.id LIMIT ${limit}`;
}

function selectCampaignUsers({ after, limit }: PageById): RawBuilder<PowerAuthCampaignUser> {
  return sql`
    SELECT id::bigint AS source_id, campaign_id::bigint AS campaign_id, user_id::text AS user_id
    FROM push_campaign_user WHERE id > ${after} ORDER BY id LIMIT ${limit}`;
}

/** By user, as the original has an index for; a page reads no more than that user's other messages. */
function selectInbox(
  layout: PowerAuthLayout,
  timeZone: string,
  after: string | null,
  limit: number,
): RawBuilder<PowerAuthInboxMessage> {
  const at = (name: string) =>
    readInstant(layout, timeZone, 'push_inbox', sql.ref(`m.${name}`), name);
  // Links name the message's row or its public id, whichever type they have.
  const link = TEXT_LINKS.has(layout.typeOf('push_inbox_app', 'inbox_id')) ? 'inbox_id' : 'id';
  const created = sql`coalesce(m.timestamp_created, 'epoch')`;
  const behind =
    after === null
      ? sql`true`
      : sql`m.user_id >= (${after}::json ->> 0) AND (m.user_id, ${created}, m.id) > (
          ${after}::json ->> 0, (${after}::json ->> 1)::${sql.raw(layout.typeOf('push_inbox', 'timestamp_created'))},
          (${after}::json ->> 2)::bigint)`;
  return sql`
    SELECT m.id::bigint AS source_id, m.inbox_id::text AS inbox_id, m.user_id, m.message_type::text AS type, m.subject,
      m.summary, m.body, coalesce(m.is_read::boolean, false) AS read, ${at('timestamp_created')} AS created_at,
      ${at('timestamp_read')} AS read_at,
      json_build_array(m.user_id, ${created}, m.id)::text AS position,
      ARRAY(
        SELECT c.app_id::text FROM push_inbox_app a JOIN push_app_credentials c ON c.id = a.app_credentials_id
        WHERE a.inbox_id = ${sql.ref(`m.${link}`)} ORDER BY c.id
      ) AS app_ids
    FROM push_inbox m WHERE m.user_id IS NOT NULL AND ${behind}
    ORDER BY m.user_id, ${created}, m.id LIMIT ${limit}`;
}

const TEXT_LINKS = new Set(['varchar', 'text', 'bpchar']);
