import { sql, type RawBuilder } from 'kysely';

import type { Db } from '../database.ts';

/** The two shapes of a PowerAuth Push Server's database that are understood: releases 1.0 to 1.2, and the newest. */
export type PowerAuthShape = '1.1' | 'head';

/** What is read of it, and how. */
export interface PowerAuthLayout {
  readonly shape: PowerAuthShape;
  has(table: string, column: string): boolean;
  /** The type of a column, as the catalogue calls it. */
  typeOf(table: string, column: string): string;
}

/** The database is not one that can be read, or not safely; the message says what to do. */
export class UnreadableSource extends Error {
  override readonly name = 'UnreadableSource';
}

type Columns = ReadonlyMap<string, ReadonlyMap<string, string>>;

const SHARED: Readonly<Record<string, readonly string[]>> = {
  push_app_credentials: ['id', 'app_id'],
  push_device_registration: [
    'id',
    'activation_id',
    'user_id',
    'app_id',
    'platform',
    'push_token',
    'timestamp_last_registered',
    'is_active',
  ],
  push_campaign: [
    'id',
    'app_id',
    'message',
    'is_sent',
    'timestamp_created',
    'timestamp_sent',
    'timestamp_completed',
  ],
  push_campaign_user: ['id', 'campaign_id', 'user_id'],
};

const OF_SHAPE: Readonly<Record<PowerAuthShape, Readonly<Record<string, readonly string[]>>>> = {
  '1.1': {
    push_app_credentials: [
      'ios_private_key',
      'ios_team_id',
      'ios_key_id',
      'ios_bundle',
      'android_private_key',
      'android_project_id',
    ],
  },
  head: {
    push_app_credentials: [
      'apns_private_key',
      'apns_team_id',
      'apns_key_id',
      'apns_bundle',
      'apns_environment',
      'fcm_private_key',
      'fcm_project_id',
      'hms_client_id',
    ],
    push_device_registration: ['environment'],
    push_inbox: [
      'id',
      'inbox_id',
      'user_id',
      'message_type',
      'subject',
      'summary',
      'body',
      'is_read',
      'timestamp_created',
      'timestamp_read',
    ],
    push_inbox_app: ['app_credentials_id', 'inbox_id'],
  },
};

const TABLES = [...Object.keys(SHARED), 'push_message', 'push_inbox', 'push_inbox_app'];
const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric']);
const TEXTS = new Set(['varchar', 'text', 'bpchar']);

/** Looks at the tables that the connection's search path leads to. Throws an `UnreadableSource` where they have neither shape. */
export async function inspectPowerAuth(source: Db): Promise<PowerAuthLayout> {
  const columns = await readColumns(source);
  const shape = findShape(columns);
  const missing = [SHARED, OF_SHAPE[shape]].flatMap((required) =>
    Object.entries(required).flatMap(([table, names]) =>
      names
        .filter((name) => columns.get(table)?.has(name) !== true)
        .map((name) => `${table}.${name}`),
    ),
  );
  if (missing.length > 0)
    throw new UnreadableSource(
      `The source looks like PowerAuth Push Server of shape ${shape}, but lacks ${missing.join(', ')}.`,
    );
  refuseUnknownKeys(shape, columns);
  await refuseEncryption(source, columns);
  return {
    shape,
    has: (table, column) => columns.get(table)?.has(column) === true,
    typeOf: (table, column) => columns.get(table)?.get(column) ?? '',
  };
}

async function readColumns(source: Db): Promise<Columns> {
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    SELECT name AS table, a.attname AS column, t.typname AS type
    FROM unnest(${TABLES}::text[]) AS name
    JOIN pg_attribute a ON a.attrelid = to_regclass(name) AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid`.execute(source);
  const columns = new Map<string, Map<string, string>>();
  for (const { table, column, type } of rows)
    columns.set(table, (columns.get(table) ?? new Map<string, string>()).set(column, type));
  return columns;
}

function findShape(columns: Columns): PowerAuthShape {
  const credentials = columns.get('push_app_credentials');
  if (credentials === undefined)
    throw new UnreadableSource(
      'The source has no table push_app_credentials where its search path leads, so it is no database of PowerAuth Push Server. Where the tables are in a schema of their own, add ?options=-c%20search_path%3DNAME to the URL.',
    );
  const appId = credentials.get('app_id') ?? '';
  if (NUMBERS.has(appId) && !credentials.has('apns_private_key')) return '1.1';
  if (TEXTS.has(appId) && credentials.has('apns_private_key')) return 'head';
  throw new UnreadableSource(
    'The source has neither the shape of PowerAuth Push Server 1.1 (numeric app_id, ios_private_key) nor the newest one (textual app_id, apns_private_key). Bring its schema up to the newest with the original server, then import.',
  );
}

/** Keys and texts that the original encrypted are of no use without its key, and how it encrypts is nowhere promised. */
async function refuseEncryption(source: Db, columns: Columns): Promise<void> {
  for (const [table, names] of columns)
    for (const name of [...names.keys()].filter((one) => one.includes('encryption'))) {
      const { rows } = await sql`
        SELECT FROM ${sql.table(table)}
        WHERE upper(coalesce(${sql.ref(name)}::text, '')) NOT IN ('', 'NO_ENCRYPTION') LIMIT 1`.execute(
        source,
      );
      if (rows.length > 0)
        throw new UnreadableSource(
          `${table} has encrypted rows (${name}), which cannot be read. Turn encryption off in the original (NO_ENCRYPTION), let it rewrite them, and import again.`,
        );
    }
}

const BYTES = 'bytea';
const LARGE_OBJECT = 'oid';

function refuseUnknownKeys(shape: PowerAuthShape, columns: Columns): void {
  for (const [name, type] of columns.get('push_app_credentials') ?? [])
    if (
      OF_SHAPE[shape]['push_app_credentials']?.includes(name) === true &&
      name.endsWith('_private_key') &&
      type !== BYTES &&
      type !== LARGE_OBJECT
    )
      throw new UnreadableSource(
        `push_app_credentials.${name} is of type ${type}; keys are read from bytea and from large objects (oid).`,
      );
}

/** Bytes of a key, whichever way the column keeps them. */
export function readBytes(layout: PowerAuthLayout, column: string): RawBuilder<Buffer | null> {
  const value = sql.ref<Buffer | null>(`c.${column}`);
  return layout.typeOf('push_app_credentials', column) === LARGE_OBJECT
    ? sql`CASE WHEN ${value} IS NOT NULL THEN lo_get(${value}) END`
    : sql`${value}`;
}

/** Microseconds, ISO 8601 in UTC; null for null and for the infinities. `timeZone` counts where the column knows none. */
export function readInstant(
  layout: PowerAuthLayout,
  timeZone: string,
  table: string,
  column: RawBuilder<unknown>,
  name: string,
): RawBuilder<string | null> {
  const instant =
    layout.typeOf(table, name) === 'timestamptz'
      ? column
      : sql`(${column} AT TIME ZONE ${timeZone}::text)`;
  return sql`CASE WHEN isfinite(${column})
    THEN to_char(${instant} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END`;
}
