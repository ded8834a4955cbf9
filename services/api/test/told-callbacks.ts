import type { Db } from '@heliograph/db';

/** Who listens to an app, and what the audience says: it is seconds behind, which shows whether it was asked. */
export const AUDIENCES = [
  ['where one listens', { hasCallback: true, listens: true, isTold: true }],
  ['where nobody was known to listen', { hasCallback: true, listens: false, isTold: false }],
  ['where there is none', { hasCallback: false, listens: true, isTold: false }],
] as const;

/** The types of all that callbacks of the app are told. */
export async function listToldTypes(db: Db, appRef: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('callbackEvents')
    .select('type')
    .where('appRef', '=', appRef)
    .orderBy('id')
    .execute();
  return rows.map(({ type }) => type);
}
