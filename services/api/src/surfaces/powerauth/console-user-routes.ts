import {
  generatePassword,
  isPasswordLongEnough,
  NAME_RULE,
  PASSWORD_RULE,
  Refusal,
  toConsoleUserName,
} from '@heliograph/core';
import {
  changeConsoleUser,
  findSignInWay,
  insertConsoleUser,
  listConsoleUsers,
  removeConsoleUser,
  type ConsoleUserChange,
  type Db,
  type ListedConsoleUser,
} from '@heliograph/db';
import { PasswordsBusy, type Passwords } from '@heliograph/runtime/passwords';

import { noSuchConsoleUser, OF_CONSOLE_USER, ofAppIfNamed } from '../../access/subject.ts';
import { getApp } from '../../apps/get-app.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import {
  CREATE_CONSOLE_USER,
  DISABLE_CONSOLE_USER,
  ENABLE_CONSOLE_USER,
  LIST_CONSOLE_USERS,
  REMOVE_CONSOLE_USER,
  SET_CONSOLE_USER_PASSWORD,
  SET_CONSOLE_USER_ROLE,
} from './console-user-endpoints.ts';
import { toWireAppId } from './fields.ts';

export interface ConsoleUserRouteDeps {
  readonly db: Db;
  readonly passwords: Passwords;
  readonly now: () => Date;
}

/** Users of the console. Whoever is bound to an app makes and sees users of that app. */
export function consoleUserRoutes({ db, passwords, now }: ConsoleUserRouteDeps): readonly Route[] {
  async function change(typed: string, what: ConsoleUserChange): Promise<string> {
    const name = toConsoleUserName(typed);
    if (name === undefined) throw noSuchConsoleUser();
    if (await changeConsoleUser(db, name, what)) return name;
    throw (await findSignInWay(db, name)) === 'oidc' ? saidElsewhere() : noSuchConsoleUser();
  }

  return [
    route(CREATE_CONSOLE_USER, ofAppIfNamed(), async ({ appId, role, ...given }, { caller }) => {
      const name = toConsoleUserName(given.name);
      if (name === undefined)
        throw new Refusal('invalid_request', `requestObject.name is none: ${NAME_RULE}.`);
      const appRef = appId === undefined ? caller.app?.ref : (await getApp(db, { appId })).id;
      const { passwordHash, shown } = await choosePassword(passwords, given.password);
      const user = { name, role, passwordHash, appRef: appRef ?? null };
      if ((await insertConsoleUser(db, user)) === undefined)
        throw new Refusal('conflict', 'There is a user of that name already.');
      return { name, password: shown };
    }),

    route(LIST_CONSOLE_USERS, ofAppIfNamed(), async ({ appId }, { caller }) => {
      const appRef = appId === undefined ? caller.app?.ref : (await getApp(db, { appId })).id;
      return { userList: (await listConsoleUsers(db, appRef)).map(toListed) };
    }),

    route(SET_CONSOLE_USER_ROLE, OF_CONSOLE_USER, async ({ name, role }) => {
      await change(name, { role });
    }),

    route(SET_CONSOLE_USER_PASSWORD, OF_CONSOLE_USER, async ({ name, password }) => {
      const { passwordHash, shown } = await choosePassword(passwords, password);
      return { name: await change(name, { passwordHash }), password: shown };
    }),

    route(DISABLE_CONSOLE_USER, OF_CONSOLE_USER, async ({ name }) => {
      await change(name, { disabledAt: now() });
    }),

    route(ENABLE_CONSOLE_USER, OF_CONSOLE_USER, async ({ name }) => {
      await change(name, { disabledAt: null });
    }),

    route(REMOVE_CONSOLE_USER, OF_CONSOLE_USER, async ({ name }) => {
      if (!(await removeConsoleUser(db, toConsoleUserName(name) ?? ''))) throw noSuchConsoleUser();
    }),
  ];
}

function saidElsewhere(): Refusal {
  return new Refusal(
    'conflict',
    'This user signs in by OpenID Connect: the provider says the role, and knows the password.',
  );
}

/** The one that was given, or a new one, which is to be shown. */
async function choosePassword(
  passwords: Passwords,
  given: string | undefined,
): Promise<{ readonly passwordHash: string; readonly shown: string | null }> {
  if (given !== undefined && !isPasswordLongEnough(given))
    throw new Refusal('invalid_request', `requestObject.password is none: ${PASSWORD_RULE}.`);
  const password = given ?? generatePassword();
  try {
    const passwordHash = await passwords.hash(password);
    return { passwordHash, shown: given === undefined ? password : null };
  } catch (error) {
    if (!(error instanceof PasswordsBusy)) throw error;
    throw new Refusal('overloaded', 'Too many people sign in at this moment.', {
      retryAfterSeconds: 1,
    });
  }
}

function toListed(user: ListedConsoleUser) {
  const { name, way, role, appId, disabledAt, lastSignInAt, createdAt } = user;
  return {
    name,
    role,
    appId: appId === null ? null : toWireAppId(appId),
    disabled: disabledAt !== null,
    signInWay: way,
    timestampCreated: toWireDate(createdAt),
    timestampLastSignIn: lastSignInAt === null ? null : toWireDate(lastSignInAt),
  };
}
