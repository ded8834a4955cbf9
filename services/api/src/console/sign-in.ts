import { Refusal, toConsoleUserName } from '@heliograph/core';
import {
  findConsoleUserToSignIn,
  openConsoleSession,
  recordAudit,
  endConsoleSession,
  tidyConsoleSessions,
  type ConsoleUserToSignIn,
  type Db,
} from '@heliograph/db';
import type { Passwords } from '@heliograph/runtime/passwords';
import type { Logger } from 'pino';

import { beginAttempt, inTurn, toEntry } from './password-attempt.ts';
import { createSessionId, hashSessionId } from './session-cookie.ts';
import type { SessionTimes } from './sessions.ts';
import type { SignInLimit } from './sign-in-limit.ts';

export interface SignInDeps extends Pick<SessionTimes, 'maxMs'> {
  readonly db: Db;
  readonly log: Logger;
  readonly passwords: Passwords;
  readonly limit: SignInLimit;
  readonly now: () => Date;
}

export interface SignIn {
  /** As it was typed. */
  readonly name: string;
  readonly password: string;
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
  /** The session that the browser showed, if any: it ends. */
  readonly previousId: string | undefined;
}

const MAX_USER_AGENT = 200;
const ACTION = 'console.session.create';

/** Opens a session, and answers its id, which is kept nowhere. What is refused does not say whether there is such a user. */
export async function signIn(deps: SignInDeps, request: SignIn): Promise<string> {
  const attempt = { name: toConsoleUserName(request.name), address: request.address };
  await beginAttempt(deps, attempt);

  const user =
    attempt.name === undefined ? undefined : await findConsoleUserToSignIn(deps.db, attempt.name);
  const isRight = await inTurn(deps.passwords.verify(user?.passwordHash, request.password));
  const id =
    isRight && user !== undefined && user.disabledAt === null
      ? await open(deps, request, attempt.name ?? '', user)
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
  { password, address, userAgent, requestId, previousId }: SignIn,
  name: string,
  user: ConsoleUserToSignIn,
): Promise<string | undefined> {
  const id = createSessionId();
  const createdAt = now();
  const newPasswordHash = passwords.isWeak(user.passwordHash)
    ? await inTurn(passwords.hash(password))
    : undefined;
  const isOpen = await db.transaction().execute(async (tx) => {
    const opened = await openConsoleSession(tx, {
      userId: user.id,
      passwordHash: user.passwordHash,
      newPasswordHash,
      idHash: hashSessionId(id),
      address,
      userAgent: userAgent.slice(0, MAX_USER_AGENT),
      createdAt,
      expiresAt: new Date(createdAt.getTime() + maxMs),
    });
    if (!opened) return false;
    if (previousId !== undefined)
      await endConsoleSession(tx, hashSessionId(previousId).toString('hex'));
    await recordAudit(tx, toEntry(ACTION, { name, appRef: user.appRef, requestId, address }), 'ok');
    return true;
  });
  if (!isOpen) return undefined;
  await tidyConsoleSessions(db, user.id, createdAt).catch((error: unknown) =>
    log.warn({ err: error }, 'old sessions not forgotten'),
  );
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
