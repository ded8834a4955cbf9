import { SCOPES } from '@heliograph/core';

import { UsageError, type Command, type CommandIo } from '../command.ts';
import { createKey } from './keys/create.ts';
import { listKeys } from './keys/list.ts';
import { revokeKey } from './keys/revoke.ts';

const HELP = `Usage: heliograph keys create --name NAME --scopes SCOPES [--app APP] [--expires DATE] [--rate N]
       heliograph keys list [--app APP]
       heliograph keys revoke ID

Makes, lists and ends keys of the api, in the database that DATABASE_URL names; its password may stand in
DATABASE_PASSWORD or a file that DATABASE_PASSWORD_FILE names, as for the services. A new key is printed alone, once: it
is kept nowhere. A key is revoked for good; servers take no more requests with it within a second or two.

  --name NAME      who is to use it, and for what
  --scopes SCOPES  what it is for, with commas: ${SCOPES.join(', ')} (which includes all)
  --app APP        the appId of the one application that it is for; for every application unless given
  --expires DATE   not valid from then on, such as 2027-01-01 or 2027-01-01T12:00:00Z
  --rate N         requests per second over all servers; 0: no limit. As the servers are configured unless given
`;

export const KEYS: Command = {
  summary: 'makes, lists and ends keys of the api',
  help: HELP,
  run: keys,
};

const VERBS: ReadonlyMap<string, (args: readonly string[], io: CommandIo) => Promise<void>> =
  new Map([
    ['create', createKey],
    ['list', listKeys],
    ['revoke', revokeKey],
  ]);

async function keys([verb, ...args]: readonly string[], io: CommandIo): Promise<number> {
  const run = verb === undefined ? undefined : VERBS.get(verb);
  if (run === undefined) throw new UsageError('Say create, list or revoke.');
  await run(args, io);
  return 0;
}
