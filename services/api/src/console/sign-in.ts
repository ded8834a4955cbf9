import { Refusal, toConsoleUserName } from '@heliograph/core';
import {
  findConsoleUserToSignIn,
  openConsoleSession,
  recordAudit,
  type ConsoleUserToSignIn,
  type Db,
} from '@heliograph/db';
import type { Passwords } from '@heliograph/runtime/passwords';
import type { Logger } from 'pino';

import { createSession, endPrevious, tidySessions, type SignInPlace } from './new-session.ts';
import { beginAttempt, inTurn, toEntry } from './password-attempt.ts';
import type { SessionTimes } from './sessions.ts';
import type { SignInLimit } from './sign-in-limit.ts';

export interface SignInDeps extends Pick<SessionTimes, 'maxMs'> {
  readonly db: Db;
  readonly log: Logger;
  readonly passwords: Passwords;
  readonly limit: SignInLimit;
  readonly now: () => Date;
}

export interface SignIn extends SignInPlace {
  /** As it was typed. */
  readonly name: string;
  readonly password: string;
  /** The session that the browser showed, if any, by the hash of its id: it ends. */
  readonly previous: string | undefined;
}

const ACTION = 'console.session.create';

/** Opens a session, and answers its id, which is kept nowhere. What is refused does not say whether there is such a user. */
export async function signIn(deps: SignInDeps, request: SignIn): Promise<string> {
  const attempt = { name: toConsoleUserName(request.name), address: request.address };
  await beginAttempt(deps, attempt);

  const user =
    attempt.name === undefined ? undefined : await findConsoleUserToSignIn(deps.db, attempt.name);
  // Nobody's where the user signs in by OpenID Connect: that takes as long, and is as wrong.
  const passwordHash = user?.passwordHash ?? undefined;
  const isRight = await inTurn(deps.passwords.verify(passwordHash, request.password));
  const id =
    isRight && user !== undefined && passwordHash !== undefined && user.disabledAt === null
      ? await open(deps, request, attempt.name ?? '', { ...user, passwordHash })
      : undefined;
  if (id === undefined) {
    await recordFailure(deps, request, attempt.name ?? '', user);
    throw new Refusal(
      'unauthenticated',
      'The name or the password is wrong, or the user may not sign in.',
    );
  }
  await deps.limit.giveBack(attempt);
  return id;
}

/** Undefined where the user changed meanwhile. */
async function open(
  { db, log, passwords, maxMs, now }: SignInDeps,
  request: SignIn,
  name: string,
  user: ConsoleUserToSignIn & { readonly passwordHash: string },
): Promise<string | undefined> {
  const { password, address, requestId, previous } = request;
  const createdAt = now();
  const { id, session } = createSession(request, { createdAt, maxMs });
  const newPasswordHash = passwords.isWeak(user.passwordHash)
    ? await inTurn(passwords.hash(password))
    : undefined;
  const isOpen = await db.transaction().execute(async (tx) => {
    const opened = await openConsoleSession(tx, {
      userId: user.id,
      passwordHash: user.passwordHash,
      newPasswordHash,
      ...session,
    });
    if (!opened) return false;
    await endPrevious(tx, previous);
    await recordAudit(tx, toEntry(ACTION, { name, appRef: user.appRef, requestId, address }), 'ok');
    return true;
  });
  if (!isOpen) return undefined;
  await tidySessions({ db, log }, user.id, createdAt);
  return id;
}

/** Of users that there are: what else is typed as a name may be a password. */
async function recordFailure(
  { db, log, limit }: SignInDeps,
  { requestId, address }: SignIn,
  name: string,
  user: ConsoleUserToSignIn | undefined,
): Promise<void> {
  if (!(await limit.takeRecord())) return;
  log.warn({ user: user && name, address }, 'sign-in refused');
  if (user === undefined) return;
  const entry = toEntry(ACTION, { name, appRef: user.appRef, requestId, address });
  await recordAudit(db, entry, 'unauthenticated');
}
