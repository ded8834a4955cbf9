import {
  checkMode,
  claimMode,
  forgetImport,
  hasImports,
  openDatabase,
  openPowerAuthSource,
  openSecretBox,
  OtherSource,
  SecretsKeyMissing,
  tryWithLock,
  UnreadableSource,
  WrongMode,
  type Db,
} from '@heliograph/db';
import { readDatabaseUrl, readKeySource } from '@heliograph/runtime';

import { CommandFailed, UsageError, type Command, type CommandIo } from '../command.ts';
import { findDatabaseFailure } from '../database-failure.ts';
import { printReport } from '../import/print-report.ts';
import { isComplete } from '../import/report.ts';
import { runImport, tryImport, type ImportResult } from '../import/run-import.ts';
import { createSteps } from '../import/steps.ts';
import { parseOptions } from '../parse-options.ts';
import { readSettings } from '../read-settings.ts';

/** Rows were left out, as the report says. */
const INCOMPLETE = 3;

const HELP = `Usage: heliograph import powerauth --from URL [--dry-run]
       heliograph import powerauth --forget

Takes over apps, credentials, devices, campaigns and inbox from the PostgreSQL database of an original PowerAuth Push
Server into the database of this one: DATABASE_URL, DATABASE_PASSWORD(_FILE), SECRETS_KEY(_FILE), SECRETS_OTHER_KEYS(_FILE)
and PROVIDERS are as for the services. The original's database is only read. Killed in the middle, it goes on when it is called again; called once
more after that, it takes over what changed there since. What changed here meanwhile stays.

  --from URL           the original's database, postgres://user@host/database. Its password may stand in PGPASSWORD
  --from-env NAME      the environment variable that holds that URL
  --time-zone ZONE     in which the original's process wrote its dates, such as Europe/Prague; UTC unless given
  --dry-run            reads everything, says what it found, and writes nothing
  --name NAME          keeps originals apart, where there are several; powerauth unless given
  --moved              the database that was read under this name is at another place now
  --accept-removals    removes devices that are no longer there even where those are very many
  --forget             forgets what was taken under this name, once the original is gone for good. Nothing else goes

Ends with 0 where everything was taken, 1 where it failed, 3 where rows could not be taken, which the report lists.
`;

export const IMPORT: Command = {
  summary: 'takes over the database of an original PowerAuth Push Server',
  help: HELP,
  run: importPowerAuth,
};

async function importPowerAuth(args: readonly string[], io: CommandIo): Promise<number> {
  const options = readOptions(args, io);
  const target = readTarget(io);
  const db = openDatabase(target.databaseUrl, POOL_SIZE);
  try {
    await refuseOldSchema(db);
    if (options.forget) return await forget(db, options.name, io);
    await checkMode(db, target.providers);
    return await importFrom(db, options, target, io);
  } catch (error) {
    throw toFailure(error);
  } finally {
    await db.destroy();
  }
}

/** One for the lock, one for the pages, one to spare. */
const POOL_SIZE = 3;

const OPTIONS = {
  from: { type: 'string' },
  'from-env': { type: 'string' },
  forget: { type: 'boolean' },
  name: { type: 'string', default: 'powerauth' },
  'time-zone': { type: 'string', default: 'UTC' },
  'dry-run': { type: 'boolean', default: false },
  moved: { type: 'boolean', default: false },
  'accept-removals': { type: 'boolean', default: false },
} as const;

function readOptions(args: readonly string[], io: CommandIo) {
  const { values, positionals } = parseOptions(args, OPTIONS, { positionals: true });
  if (positionals.length !== 1 || positionals[0] !== 'powerauth')
    throw new UsageError('Say what to import: powerauth.');
  const fromEnv = values['from-env'];
  const given = [values.from, fromEnv, values.forget].filter((one) => one !== undefined);
  if (given.length !== 1) throw new UsageError('Give one of --from, --from-env and --forget.');
  const from = fromEnv === undefined ? values.from : (io.env[fromEnv] ?? '');
  if (from !== undefined && !(/^postgres(?:ql)?:/.test(from) && URL.canParse(from)))
    throw new UsageError('The source must be a URL that begins with postgres://.');
  return {
    from,
    forget: values.forget === true,
    name: values.name,
    timeZone: values['time-zone'],
    dryRun: values['dry-run'],
    moved: values.moved,
    acceptRemovals: values['accept-removals'],
  };
}

type Options = ReturnType<typeof readOptions>;

function readTarget(io: CommandIo) {
  return readSettings(io, (read) => ({
    databaseUrl: readDatabaseUrl(read),
    keySource: readKeySource(read),
    providers: read.oneOf('PROVIDERS', ['live', 'sandbox'], 'live'),
  }));
}

type Target = ReturnType<typeof readTarget>;

async function importFrom(
  db: Db,
  options: Options,
  { keySource, providers }: Target,
  io: CommandIo,
): Promise<number> {
  const secrets = await openSecretBox(db, await keySource.load());
  const source = await openPowerAuthSource(options.from ?? '', options.timeZone);
  try {
    // Not before it is known that there is something to read.
    if (!options.dryRun) await claimMode(db, providers);
    const deps = {
      db,
      source,
      steps: createSteps({ ...options, source, secrets, now: io.now }),
      progress: { write: io.err, isTerminal: io.errIsTerminal, now: io.now },
    };
    const { run, report } = options.dryRun
      ? await tryImport(deps, options)
      : await alone(db, () => runImport(deps, options));
    io.out(printReport({ name: options.name, shape: source.shape, run }, report));
    return isComplete(report) ? 0 : INCOMPLETE;
  } finally {
    await source.close();
  }
}

/** Imports would wait for each other's pages, and find each other's rows half taken. */
async function alone(db: Db, work: () => Promise<ImportResult>): Promise<ImportResult> {
  let result: ImportResult | undefined;
  await tryWithLock(db, 'import', async () => {
    result = await work();
  });
  if (result === undefined) throw new CommandFailed('Another import runs on this database.');
  return result;
}

async function forget(db: Db, name: string, io: CommandIo): Promise<number> {
  const known = await forgetImport(db, name);
  io.out(known ? `The import ${name} is forgotten.\n` : `There is no import ${name}.\n`);
  return known ? 0 : 1;
}

async function refuseOldSchema(db: Db): Promise<void> {
  if (!(await hasImports(db)))
    throw new CommandFailed(
      'DATABASE_URL is not migrated to this version: see docs/operations.md.',
    );
}

/** What an operator can mend is said without a stack; nothing of it names a secret. */
function toFailure(error: unknown): unknown {
  const isExpected =
    error instanceof UnreadableSource ||
    error instanceof OtherSource ||
    error instanceof WrongMode ||
    error instanceof SecretsKeyMissing;
  if (isExpected) return new CommandFailed(error.message);
  const message = findDatabaseFailure(error);
  if (message === undefined) return error;
  return new CommandFailed(`${message}\nCalled again, the import goes on where it is.`);
}
