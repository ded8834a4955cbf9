import { findApiKeyOwners, revokeApiKey } from '@heliograph/db';

import { CommandFailed, UsageError, type CommandIo } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { record, withDatabase } from './key-store.ts';

/** Ends a key, which is named by its id or by all of it. */
export async function revokeKey(args: readonly string[], io: CommandIo): Promise<void> {
  const { positionals } = parseOptions(args, {}, { positionals: true });
  const [given, ...others] = positionals;
  if (given === undefined || others.length > 0) throw new UsageError('Name one key by its id.');
  const id = /^(?:hg_)?([0-9a-f]{16})/.exec(given)?.[1] ?? given;
  await withDatabase(io, (db) =>
    db.transaction().execute(async (tx) => {
      const [appRef = null] = await findApiKeyOwners(tx, id);
      if (!(await revokeApiKey(tx, id))) throw new CommandFailed(`There is no key ${id}.`);
      await record(tx, { action: 'admin.key.revoke', appRef, objects: { keyId: id } });
    }),
  );
  io.err(`The key ${id} is revoked.\n`);
}
