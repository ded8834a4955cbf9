import { EnvReader, readDatabaseUrl } from '@heliograph/runtime';

import { openDatabase } from './database.ts';
import { claimMode } from './installation.ts';
import { migrateToLatest } from './migrate.ts';

/** Run before the services: `DATABASE_URL`, and `PROVIDERS` (live unless it says sandbox). */
async function migrate(env: NodeJS.ProcessEnv): Promise<void> {
  const read = new EnvReader(env);
  const { url, providers } = read.finish({
    url: readDatabaseUrl(read),
    providers: read.oneOf('PROVIDERS', ['live', 'sandbox'], 'live'),
  });
  const db = openDatabase(url, 1);
  try {
    await migrateToLatest(db);
    await claimMode(db, providers);
  } finally {
    await db.destroy();
  }
}

migrate(process.env).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
