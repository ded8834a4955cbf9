import { isScope, SCOPES, type Scope } from '@heliograph/core';
import {
  findApiKeyOwners,
  insertApiKey,
  listApiKeys,
  revokeApiKey,
  type ListedApiKey,
} from '@heliograph/db';

import {
  getAppRef,
  parseOptions,
  record,
  required,
  runVerb,
  withDatabase,
} from '../administration.ts';
import { CommandFailed, UsageError, type Command, type CommandIo } from '../command.ts';

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
    ['create', create],
    ['list', list],
    ['revoke', revoke],
  ]);

function keys(args: readonly string[], io: CommandIo): Promise<number> {
  return runVerb(VERBS, args, io);
}

async function create(args: readonly string[], io: CommandIo): Promise<void> {
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

async function list(args: readonly string[], io: CommandIo): Promise<void> {
  const { values } = parseOptions(args, { app: { type: 'string' } });
  await withDatabase(io, async (db) => {
    const appRef = await getAppRef(db, values.app);
    const found = await listApiKeys(db, appRef ?? undefined);
    for (const key of found) io.out(`${toLine(key, io.now())}\n`);
    if (found.length === 0) io.err('There is no key.\n');
  });
}

async function revoke(args: readonly string[], io: CommandIo): Promise<void> {
  const { positionals } = parseOptions(args, {});
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
