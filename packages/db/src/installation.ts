import type { Db } from './database.ts';
import type { ProvidersMode } from './schema.ts';

/** The database holds messages of the other kind. */
export class WrongMode extends Error {
  override readonly name = 'WrongMode';
}

/**
 * The mode that this database is in, which its first process decides. Throws when it is not the asked one: real messages are
 * never handed to a fake, nor test messages to real devices.
 */
export async function claimMode(db: Db, mode: ProvidersMode): Promise<void> {
  await db
    .insertInto('installation')
    .values({ mode })
    .onConflict((row) => row.doNothing())
    .execute();
  await checkMode(db, mode);
}

/** Throws when the database is in the other mode. Decides nothing where it is in none yet. */
export async function checkMode(db: Db, mode: ProvidersMode): Promise<void> {
  const installation = await db.selectFrom('installation').select('mode').executeTakeFirst();
  if (installation !== undefined && installation.mode !== mode)
    throw new WrongMode(
      `this database was set up with PROVIDERS=${installation.mode}, this process runs with PROVIDERS=${mode}; use another database`,
    );
}
