import { isScope, SCOPES, type Scope } from '@heliograph/core';
import { insertApiKey } from '@heliograph/db';

import { UsageError, type CommandIo } from '../../command.ts';
import { parseOptions, required } from '../../parse-options.ts';
import { getAppRef, record, withDatabase } from './key-store.ts';

/** Prints the new key alone, once. */
export async function createKey(args: readonly string[], io: CommandIo): Promise<void> {
  const { values } = parseOptions(args, {
    name: { type: 'string' },
    scopes: { type: 'string' },
    app: { type: 'string' },
    expires: { type: 'string' },
    rate: { type: 'string' },
  });
  const key = {
    name: required('--name', values.name),
    scopes: parseScopes(required('--scopes', values.scopes)),
    expiresAt: parseExpiry(values.expires, io.now()),
    ratePerSecond: parseRate(values.rate),
  };
  await withDatabase(io, async (db) => {
    const appRef = await getAppRef(db, values.app);
    const created = await db.transaction().execute(async (tx) => {
      const made = await insertApiKey(tx, { ...key, appRef });
      const objects = { keyId: made.id, name: key.name, scopes: key.scopes.join(' ') };
      await record(tx, { action: 'admin.key.create', appRef, objects });
      return made;
    });
    io.err(`The key ${created.id} is shown this once:\n`);
    io.out(`${created.text}\n`);
  });
}

function parseScopes(text: string): readonly Scope[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isScope(name));
  if (unknown !== undefined)
    throw new UsageError(`There is no scope ${unknown}: use ${SCOPES.join(', ')}.`);
  return [...new Set(names.filter(isScope))];
}

function parseExpiry(text: string | undefined, now: Date): Date | null {
  if (text === undefined) return null;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new UsageError(`--expires ${text} is no date.`);
  if (at <= now) throw new UsageError(`--expires ${text} is over already.`);
  return at;
}

function parseRate(text: string | undefined): number | null {
  if (text === undefined) return null;
  const rate = Number(text);
  if (text.trim() === '' || !(rate >= 0 && rate <= 1_000_000))
    throw new UsageError(`--rate ${text} is no number of requests per second.`);
  return rate;
}
