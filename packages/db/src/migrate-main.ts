import { openDatabase } from './database.ts';
import { claimMode } from './installation.ts';
import { migrateToLatest } from './migrate.ts';

/** Run before the services: `DATABASE_URL`, and `PROVIDERS` (live unless it says sandbox). */
async function migrate(url: string | undefined): Promise<void> {
  if (url === undefined) throw new Error('DATABASE_URL is not set');
  const db = openDatabase(url, 1);
  try {
    await migrateToLatest(db);
    await claimMode(db, process.env['PROVIDERS'] === 'sandbox' ? 'sandbox' : 'live');
  } finally {
    await db.destroy();
  }
}

migrate(process.env['DATABASE_URL']).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
