import {
  generatePassword,
  isPasswordLongEnough,
  isRole,
  NAME_RULE,
  PASSWORD_RULE,
  ROLES,
  toConsoleUserName,
  type Role,
} from '@heliograph/core';
import {
  changeConsoleUser,
  findConsoleUserOwners,
  findSignInWay,
  insertConsoleUser,
  listConsoleUsers,
  removeConsoleUser,
  type ConsoleUserChange,
  type Db,
  type ListedConsoleUser,
} from '@heliograph/db';
import { createPasswords } from '@heliograph/runtime/passwords';

import { getAppRef, record, runVerb, withDatabase } from '../administration.ts';
import { CommandFailed, UsageError, type Command, type CommandIo } from '../command.ts';
import { parseOptions, required } from '../parse-options.ts';

const HELP = `Usage: heliograph users create --name NAME --role ROLE [--app APP] [PASSWORD]
       heliograph users list [--app APP]
       heliograph users set-role NAME ROLE
       heliograph users set-password NAME [PASSWORD]
       heliograph users disable NAME
       heliograph users enable NAME
       heliograph users remove NAME

Makes, lists and changes those who may sign in to the console, in the database that DATABASE_URL names; its password may
stand in DATABASE_PASSWORD or a file that DATABASE_PASSWORD_FILE names, as for the services. Whatever is changed of a
user, all sessions of the user end within a second or two, on every server.

  --name NAME           as which the user signs in, in any case of letters
  --role ROLE           viewer (looks), editor (makes campaigns, too), sender (sends, too) or admin (does everything)
  --app APP             the appId of the one application that the user is for; for every application unless given

PASSWORD is asked for, without showing it; where there is no terminal it is the first line of the input. Or it is one of

  --password-file FILE  the first line of a file
  --generate            a new one, printed alone, once: it is kept nowhere
`;

export const USERS: Command = {
  summary: 'makes, lists and changes those who may sign in to the console',
  help: HELP,
  run: (args, io) => runVerb(VERBS, args, io),
};

/** Of commands that name a user beside their options. */
const NAMED = { positionals: true };

const VERBS: ReadonlyMap<string, (args: readonly string[], io: CommandIo) => Promise<void>> =
  new Map([
    ['create', create],
    ['list', list],
    ['set-role', setRole],
    ['set-password', setPassword],
    ['disable', disable],
    ['enable', enable],
    ['remove', remove],
  ]);

const PASSWORD_OPTIONS = {
  'password-file': { type: 'string' },
  generate: { type: 'boolean' },
} as const;

interface PasswordChoice {
  readonly 'password-file'?: string | undefined;
  readonly generate?: boolean | undefined;
}

async function create(args: readonly string[], io: CommandIo): Promise<void> {
  const { values } = parseOptions(args, {
    name: { type: 'string' },
    role: { type: 'string' },
    app: { type: 'string' },
    ...PASSWORD_OPTIONS,
  });
  const name = parseName(required('--name', values.name));
  const role = parseRole(required('--role', values.role));
  const password = await choosePassword(values, io);
  const passwordHash = await createPasswords().hash(password);
  await withDatabase(io, async (db) => {
    const appRef = await getAppRef(db, values.app);
    await db.transaction().execute(async (tx) => {
      if ((await insertConsoleUser(tx, { name, role, appRef, passwordHash })) === undefined)
        throw new CommandFailed(`There is a user ${name} already.`);
      await record(tx, { action: 'admin.user.create', appRef, objects: { name, role } });
    });
  });
  io.err(`The user ${name} may sign in.\n`);
  show(values, password, io);
}

async function list(args: readonly string[], io: CommandIo): Promise<void> {
  const { values } = parseOptions(args, { app: { type: 'string' } });
  await withDatabase(io, async (db) => {
    const appRef = await getAppRef(db, values.app);
    const found = await listConsoleUsers(db, appRef ?? undefined);
    for (const user of found) io.out(`${toLine(user)}\n`);
    if (found.length === 0) io.err('There is no user.\n');
  });
}

async function setRole(args: readonly string[], io: CommandIo): Promise<void> {
  const { positionals } = parseOptions(args, {}, NAMED);
  const [typed, roleName, ...others] = positionals;
  if (typed === undefined || roleName === undefined || others.length > 0)
    throw new UsageError('Name one user and the role.');
  const name = parseName(typed);
  const role = parseRole(roleName);
  await change(io, name, { role }, { action: 'admin.user.role', objects: { name, role } });
  io.err(`The user ${name} is ${role}.\n`);
}

async function setPassword(args: readonly string[], io: CommandIo): Promise<void> {
  const { values, positionals } = parseOptions(args, PASSWORD_OPTIONS, NAMED);
  const name = parseOneName(positionals);
  const password = await choosePassword(values, io);
  const passwordHash = await createPasswords().hash(password);
  await change(io, name, { passwordHash }, { action: 'admin.user.password', objects: { name } });
  io.err(`The user ${name} has a new password.\n`);
  show(values, password, io);
}

async function disable(args: readonly string[], io: CommandIo): Promise<void> {
  const name = parseOneName(parseOptions(args, {}, NAMED).positionals);
  const entry = { action: 'admin.user.disable', objects: { name } };
  await change(io, name, { disabledAt: io.now() }, entry);
  io.err(`The user ${name} may not sign in.\n`);
}

async function enable(args: readonly string[], io: CommandIo): Promise<void> {
  const name = parseOneName(parseOptions(args, {}, NAMED).positionals);
  const entry = { action: 'admin.user.enable', objects: { name } };
  await change(io, name, { disabledAt: null }, entry);
  io.err(`The user ${name} may sign in.\n`);
}

async function remove(args: readonly string[], io: CommandIo): Promise<void> {
  const name = parseOneName(parseOptions(args, {}, NAMED).positionals);
  await inRecord(io, name, { action: 'admin.user.remove', objects: { name } }, (tx) =>
    removeConsoleUser(tx, name),
  );
  io.err(`The user ${name} is removed.\n`);
}

interface Entry {
  readonly action: string;
  readonly objects: Readonly<Record<string, string>>;
}

function change(io: CommandIo, name: string, what: ConsoleUserChange, entry: Entry): Promise<void> {
  return inRecord(io, name, entry, (tx) => changeConsoleUser(tx, name, what));
}

/** Does it together with its entry in the audit log; `act` answers whether there is such a user of whom that can be changed. */
function inRecord(
  io: CommandIo,
  name: string,
  entry: Entry,
  act: (tx: Db) => Promise<boolean>,
): Promise<void> {
  return withDatabase(io, (db) =>
    db.transaction().execute(async (tx) => {
      const [appRef = null] = await findConsoleUserOwners(tx, name);
      if (!(await act(tx)))
        throw new CommandFailed(
          (await findSignInWay(tx, name)) === 'oidc'
            ? `The user ${name} signs in by OpenID Connect: the provider says the role, and knows the password.`
            : `There is no user ${name}.`,
        );
      await record(tx, { ...entry, appRef });
    }),
  );
}

async function choosePassword(choice: PasswordChoice, io: CommandIo): Promise<string> {
  const { generate = false, 'password-file': file } = choice;
  if (generate && file !== undefined)
    throw new UsageError('--generate and --password-file are one too many.');
  if (generate) return generatePassword();
  const password = file === undefined ? await ask(io) : readFirstLine(file, io);
  if (!isPasswordLongEnough(password))
    throw new CommandFailed(`That is no password: ${PASSWORD_RULE}.`);
  return password;
}

async function ask(io: CommandIo): Promise<string> {
  const password = await io.readSecret('Password: ');
  if (io.inIsTerminal && (await io.readSecret('The same again: ')) !== password)
    throw new CommandFailed('These were two passwords.');
  return password;
}

function readFirstLine(file: string, io: CommandIo): string {
  try {
    return /^[^\r\n]*/.exec(io.readFile(file).toString())?.[0] ?? '';
  } catch {
    throw new CommandFailed(`The file ${file} can't be read.`);
  }
}

function show({ generate = false }: PasswordChoice, password: string, io: CommandIo): void {
  if (!generate) return;
  io.err('The password is shown this once:\n');
  io.out(`${password}\n`);
}

function parseOneName([typed, ...others]: readonly string[]): string {
  if (typed === undefined || others.length > 0) throw new UsageError('Name one user.');
  return parseName(typed);
}

function parseName(text: string): string {
  const name = toConsoleUserName(text);
  if (name === undefined) throw new UsageError(`${text} is no name: ${NAME_RULE}.`);
  return name;
}

function parseRole(text: string): Role {
  if (!isRole(text)) throw new UsageError(`There is no role ${text}: use ${ROLES.join(', ')}.`);
  return text;
}

function toLine(user: ListedConsoleUser): string {
  const { name, way, role, appId, disabledAt, lastSignInAt } = user;
  return [
    name,
    disabledAt === null ? 'active' : 'disabled',
    role,
    appId === null ? 'every application' : `application ${appId}`,
    way === 'oidc' ? 'OpenID Connect' : 'password',
    `signed in ${lastSignInAt?.toISOString() ?? 'never'}`,
  ].join('  ');
}
