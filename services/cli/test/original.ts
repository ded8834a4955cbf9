import { openDatabase, type Db } from '@heliograph/db';
import { sql } from 'kysely';

export type Shape = '1.1' | 'head';

/** Shared by both shapes; in the newer one `app_id` refers to the row of the app. */
const SHARED = (appRef: string) => `
  CREATE TABLE push_device_registration (
    id bigint PRIMARY KEY, activation_id varchar(37), user_id varchar(255), app_id ${appRef}, platform varchar(255),
    push_token varchar(255), timestamp_last_registered timestamp, is_active boolean);
  CREATE UNIQUE INDEX push_device_activation ON push_device_registration (activation_id);
  CREATE TABLE push_message (
    id bigint PRIMARY KEY, device_registration_id bigint, user_id varchar(255), activation_id varchar(37), is_silent boolean,
    is_personal boolean, message_body varchar(2048), timestamp_created timestamp, status integer);
  CREATE TABLE push_campaign (
    id bigint PRIMARY KEY, app_id ${appRef}, message varchar(4000), is_sent boolean, timestamp_created timestamp,
    timestamp_sent timestamp, timestamp_completed timestamp);
  CREATE TABLE push_campaign_user (
    id bigint PRIMARY KEY, campaign_id bigint, user_id varchar(255), timestamp_created timestamp);`;

const SHAPES: Readonly<Record<Shape, string>> = {
  '1.1': `
    CREATE TABLE push_app_credentials (
      id bigint PRIMARY KEY, app_id bigint NOT NULL UNIQUE, ios_private_key bytea, ios_team_id varchar(255),
      ios_key_id varchar(255), ios_bundle varchar(255), android_private_key bytea, android_project_id varchar(255));
    ${SHARED('bigint')}`,
  head: `
    CREATE TABLE push_app_credentials (
      id integer PRIMARY KEY, app_id varchar(255) NOT NULL UNIQUE, ios_private_key bytea, ios_team_id varchar(255),
      ios_key_id varchar(255), ios_bundle varchar(255), ios_environment varchar(32), android_private_key bytea,
      android_project_id varchar(255), hms_project_id varchar(255), hms_client_id varchar(255), hms_client_secret varchar(255),
      apns_private_key bytea, apns_team_id varchar(255), apns_key_id varchar(255), apns_bundle varchar(255),
      apns_environment varchar(32), fcm_private_key bytea, fcm_project_id varchar(255), timestamp_created timestamp,
      timestamp_last_updated timestamp);
    ${SHARED('integer')}
    ALTER TABLE push_device_registration ADD COLUMN environment varchar(255);
    CREATE TABLE push_inbox (
      id bigint PRIMARY KEY, inbox_id varchar(37), user_id varchar(255) NOT NULL, message_type varchar(32), subject text,
      summary text, body text, is_read boolean, timestamp_created timestamp, timestamp_read timestamp);
    CREATE INDEX push_inbox_user ON push_inbox (user_id);
    CREATE TABLE push_inbox_app (
      app_credentials_id integer, inbox_id bigint, PRIMARY KEY (app_credentials_id, inbox_id));`,
};

type Values = Readonly<Record<string, unknown>>;

/** The tables of an original PowerAuth Push Server. */
export interface Original {
  readonly url: string;
  /** One row, or several. Columns that are not named stay null. */
  insert(table: string, ...rows: readonly Values[]): Promise<void>;
  run(statements: string): Promise<void>;
  close(): Promise<void>;
}

/** Empty ones of that shape, in a schema of their own: that is quicker made than a database. */
export async function openOriginal(
  shape: Shape,
  databaseUrl: string,
  schema = 'original',
): Promise<Original> {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c search_path=${schema}`);
  const db = openDatabase(url.href, 1);
  await run(db, `CREATE SCHEMA ${schema}; ${SHAPES[shape]}`);
  return {
    url: url.href,
    run: (statements) => run(db, statements),
    async insert(table, ...rows) {
      for (const row of rows)
        await sql`
          INSERT INTO ${sql.table(table)} (${sql.join(Object.keys(row).map((name) => sql.ref(name)))})
          VALUES (${sql.join(Object.values(row))})`.execute(db);
    },
    close: () => db.destroy(),
  };
}

async function run(db: Db, statements: string): Promise<void> {
  await sql.raw(statements).execute(db);
}

/** So many devices with ids from 1, of users, activations and tokens that tell their ids, last registered in June 2021. */
export function insertDevices(original: Original, appId: number, count: number): Promise<void> {
  return original.run(`
    INSERT INTO push_device_registration (id, activation_id, user_id, app_id, platform, push_token, timestamp_last_registered, is_active)
    SELECT n, 'activation-' || n, 'user-' || n, ${appId}, CASE n % 2 WHEN 0 THEN 'ios' ELSE 'android' END,
      'token-' || n, timestamp '2021-06-11 09:00:00.123456' + n * interval '1 second', n % 3 > 0
    FROM generate_series(1, ${count}) AS n`);
}
