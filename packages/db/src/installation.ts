import type { Db } from './database.ts';
import type { ProvidersMode } from './schema.ts';

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
  const { mode: kept } = await db
    .selectFrom('installation')
    .select('mode')
    .executeTakeFirstOrThrow();
  if (kept !== mode)
    throw new Error(
      `this database was set up with PROVIDERS=${kept}, this process runs with PROVIDERS=${mode}; use another database`,
    );
}
