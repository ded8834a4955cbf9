import { beginAudit, findAppRefs, finishAudit, openDatabase, type Db } from '@heliograph/db';
import { readDatabaseUrl } from '@heliograph/runtime';

import { CommandFailed, type CommandIo } from '../../command.ts';
import { findDatabaseFailure } from '../../database-failure.ts';
import { readSettings } from '../../read-settings.ts';

/** What the database says no to is said without a stack. */
export async function withDatabase(io: CommandIo, use: (db: Db) => Promise<void>): Promise<void> {
  const db = openDatabase(readSettings(io, readDatabaseUrl), 2);
  try {
    await use(db);
  } catch (error) {
    const message = findDatabaseFailure(error);
    throw message === undefined ? error : new CommandFailed(message);
  } finally {
    await db.destroy();
  }
}

/** Null where none is named. */
export async function getAppRef(db: Db, appId: string | undefined): Promise<number | null> {
  if (appId === undefined) return null;
  const appRef = (await findAppRefs(db, [appId])).get(appId);
  if (appRef === undefined) throw new CommandFailed(`There is no application ${appId}.`);
  return appRef;
}

/** In the transaction of the act: neither is there without the other. */
export async function record(
  tx: Db,
  entry: Pick<Parameters<typeof beginAudit>[1], 'action' | 'appRef' | 'objects'>,
): Promise<void> {
  const id = await beginAudit(tx, {
    keyId: null,
    actor: 'command line',
    requestId: null,
    ...entry,
  });
  await finishAudit(tx, id, { outcome: 'ok' });
}
