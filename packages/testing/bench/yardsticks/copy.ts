import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Db } from '@heliograph/db';
import { sql } from 'kysely';

import type { Bench } from '../bench.ts';

/** The table that is equal to `campaign_users`. */
export const COPIED_USERS = 'copied_users';

/**
 * Makes a table that is equal to `campaign_users`; what it answers fills that with these users, by one COPY. The server reads a file, so
 * no client and no network are part of it.
 */
export async function createCopyYardstick(
  { onEnd }: Pick<Bench, 'onEnd'>,
  db: Db,
  campaignId: number,
  userIds: readonly string[],
): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-copy-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'users');
  writeFileSync(file, userIds.map((userId) => `${campaignId}\t${userId}\n`).join(''));
  // The server may run as somebody else.
  chmodSync(folder, 0o755);
  chmodSync(file, 0o644);
  const table = sql.id(COPIED_USERS);
  await sql`CREATE TABLE ${table} (LIKE campaign_users INCLUDING ALL)`.execute(db);
  return async () => {
    await sql`COPY ${table} (campaign_id, user_id) FROM ${sql.lit(file)}`.execute(db);
  };
}
