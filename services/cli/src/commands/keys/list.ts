import { listApiKeys, type ListedApiKey } from '@heliograph/db';

import type { CommandIo } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { getAppRef, withDatabase } from './key-store.ts';

/** Prints a line for each key. */
export async function listKeys(args: readonly string[], io: CommandIo): Promise<void> {
  const { values } = parseOptions(args, { app: { type: 'string' } });
  await withDatabase(io, async (db) => {
    const appRef = await getAppRef(db, values.app);
    const found = await listApiKeys(db, appRef ?? undefined);
    for (const key of found) io.out(`${toLine(key, io.now())}\n`);
    if (found.length === 0) io.err('There is no key.\n');
  });
}

function toLine(key: ListedApiKey, now: Date): string {
  const { id, name, scopes, appId, lastUsedAt, expiresAt } = key;
  return [
    id,
    toState(key, now),
    appId === null ? 'every application' : `application ${appId}`,
    scopes.join(','),
    `expires ${expiresAt?.toISOString() ?? 'never'}`,
    `used ${lastUsedAt?.toISOString() ?? 'never'}`,
    name,
  ].join('  ');
}

function toState({ revokedAt, expiresAt }: ListedApiKey, now: Date): string {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}
