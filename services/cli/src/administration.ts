import {
  findAppRefs,
  openDatabase,
  recordAudit,
  type Db,
  type NewAuditEntry,
} from '@heliograph/db';
import { readDatabaseUrl } from '@heliograph/runtime';

import { CommandFailed, UsageError, type CommandIo } from './command.ts';
import { findDatabaseFailure } from './database-failure.ts';
import { readSettings } from './read-settings.ts';

/** Runs one of several verbs of a command with what follows it. */
export async function runVerb(
  verbs: ReadonlyMap<string, (args: readonly string[], io: CommandIo) => Promise<void>>,
  [verb, ...args]: readonly string[],
  io: CommandIo,
): Promise<number> {
  const run = verb === undefined ? undefined : verbs.get(verb);
  if (run === undefined) {
    const names = [...verbs.keys()];
    throw new UsageError(`Say ${names.slice(0, -1).join(', ')} or ${names.at(-1)}.`);
  }
  await run(args, io);
  return 0;
}

/** Opens the database for what `use` does, and says in words what it refuses. */
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

/** In the transaction of the act: neither is there without the other. */
export function record(
  tx: Db,
  entry: Pick<NewAuditEntry, 'action' | 'appRef' | 'objects'>,
): Promise<void> {
  return recordAudit(tx, { keyId: null, actor: 'command line', requestId: null, ...entry }, 'ok');
}

/** Null where none is named. */
export async function getAppRef(db: Db, appId: string | undefined): Promise<number | null> {
  if (appId === undefined) return null;
  const appRef = (await findAppRefs(db, [appId])).get(appId);
  if (appRef === undefined) throw new CommandFailed(`There is no application ${appId}.`);
  return appRef;
}
