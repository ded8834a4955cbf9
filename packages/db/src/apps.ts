import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { ProxySettings } from './schema.ts';

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
  /** How its devices of each provider are reached that it has a credential for. */
  readonly routes: readonly SendingRoute[];
}

export type SendingRoute =
  | { readonly provider: Provider; readonly route: 'direct' }
  | (Pick<ProxySettings, 'schema' | 'brandId' | 'backendService'> & {
      readonly provider: Provider;
      readonly route: 'proxy';
    });

export async function findSendingApp(db: Db, appId: string): Promise<SendingApp | undefined> {
  return db
    .selectFrom('apps')
    .select(['apps.id as appRef', SENDING_ROUTES.as('routes')])
    .where('appId', '=', appId)
    .executeTakeFirst();
}

/** How devices of the app are reached, in a query of `apps`. */
export const SENDING_ROUTES = sql<SendingRoute[]>`coalesce((
  SELECT json_agg(json_strip_nulls(json_build_object(
    'provider', c.provider, 'route', c.route, 'schema', c.settings->>'schema', 'brandId', c.settings->>'brandId',
    'backendService', c.settings->>'backendService')) ORDER BY c.provider)
  FROM credentials c WHERE c.app_ref = apps.id), '[]')`;

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

/** What operators call the apps of these refs. Those that are gone are left out. */
export async function findAppIds(
  db: Db,
  refs: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (refs.length === 0) return new Map();
  const rows = await db
    .selectFrom('apps')
    .select(['id', 'appId'])
    .where('id', 'in', [...refs])
    .execute();
  return new Map(rows.map(({ id, appId }) => [id, appId]));
}
