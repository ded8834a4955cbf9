import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

export interface App {
  /** The row's own id, which the wire calls `id`. */
  readonly id: number;
  readonly appId: string;
  readonly appName: string | null;
  /** Whether there is a credential for the provider; nobody has looked whether it works. */
  readonly apns: boolean;
  readonly fcm: boolean;
}

/** Callers name an app by the row's id or by its own id, never the one for the other. */
export type AppKey = { readonly id: number } | { readonly appId: string };

/** Answers the new row's id, undefined where the app exists already. */
export async function createApp(
  db: Db,
  app: { readonly appId: string; readonly appName: string | undefined },
): Promise<number | undefined> {
  // Two creations at once: the unique app_id lets one of them insert.
  const row = await db
    .insertInto('apps')
    .values({ appId: app.appId, appName: app.appName ?? null })
    .onConflict((conflict) => conflict.column('appId').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

export async function findApp(db: Db, key: AppKey): Promise<App | undefined> {
  const apps = selectApps(db);
  const named =
    'id' in key ? apps.where('apps.id', '=', key.id) : apps.where('apps.appId', '=', key.appId);
  return named.executeTakeFirst();
}

export async function findAppRef(db: Db, appId: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('apps')
    .select('id')
    .where('appId', '=', appId)
    .executeTakeFirst();
  return row?.id;
}

/** The row ids of those of the apps that exist, by their own ids. */
export async function findAppRefs(
  db: Db,
  appIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ id: number; appId: string }>`
    SELECT id, app_id FROM apps WHERE app_id = ANY (${appIds}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.appId, row.id]));
}

/** An app as messages need it. */
export interface SendingApp {
  readonly appRef: number;
  /** Those that it has credentials for. */
  readonly providers: readonly Provider[];
}

export async function findSendingApp(db: Db, appId: string): Promise<SendingApp | undefined> {
  return db
    .selectFrom('apps')
    .leftJoin('credentials', 'credentials.appRef', 'apps.id')
    .select([
      'apps.id as appRef',
      sql<Provider[]>`array_remove(array_agg(provider), NULL)`.as('providers'),
    ])
    .where('appId', '=', appId)
    .groupBy('apps.id')
    .executeTakeFirst();
}

/** Every app, in the order of their creation. */
export async function listApps(db: Db): Promise<readonly App[]> {
  return selectApps(db).orderBy('apps.id').execute();
}

function selectApps(db: Db) {
  return db
    .selectFrom('apps')
    .select([
      'apps.id',
      'apps.appId',
      'apps.appName',
      hasCredential('apns').as('apns'),
      hasCredential('fcm').as('fcm'),
    ]);
}

function hasCredential(provider: Provider) {
  return sql<boolean>`EXISTS (
    SELECT FROM credentials WHERE app_ref = apps.id AND provider = ${provider})`;
}
