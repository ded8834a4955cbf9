import { isPasswordLongEnough, PASSWORD_RULE, Refusal } from '@heliograph/core';
import {
  changeOwnPassword as changeStored,
  findConsoleUserToSignIn,
  recordAudit,
  type StoredConsoleSession,
} from '@heliograph/db';

import { beginAttempt, inTurn, toEntry } from './password-attempt.ts';
import type { SignInDeps } from './sign-in.ts';

export interface OwnPassword {
  readonly session: StoredConsoleSession;
  readonly password: string;
  readonly newPassword: string;
  readonly address: string;
  readonly requestId: string;
}

/**
 * Gives the user of a session another password. The present one is asked for, and guessed at no faster than at a sign-in: whoever finds a
 * browser open is not to take the user over. All other sessions end.
 */
export async function changeOwnPassword(
  deps: Pick<SignInDeps, 'db' | 'passwords' | 'limit'>,
  { session, password, newPassword, address, requestId }: OwnPassword,
): Promise<void> {
  const { db, passwords, limit } = deps;
  const { name, app, id: sessionId, userId } = session;
  if (!isPasswordLongEnough(newPassword))
    throw new Refusal('invalid_request', `requestObject.newPassword is none: ${PASSWORD_RULE}.`);
  if (session.way !== 'password') throw noPassword();
  const attempt = { name, address };
  await beginAttempt(deps, attempt);

  const user = await findConsoleUserToSignIn(db, name);
  // Removed within the last second; somebody else may have the name by now.
  if (user?.id !== userId) throw new Refusal('unauthenticated', 'Nobody is signed in.');
  const { passwordHash } = user;
  if (passwordHash === null) throw noPassword();
  const appRef = app?.ref ?? null;
  const entry = toEntry('console.session.password', { name, appRef, requestId, address });
  if (!(await inTurn(passwords.verify(passwordHash, password)))) {
    if (await limit.takeRecord()) await recordAudit(db, entry, 'invalid_request');
    throw new Refusal('invalid_request', 'The present password is wrong.');
  }
  await limit.giveBack(attempt);

  const newPasswordHash = await inTurn(passwords.hash(newPassword));
  const isChanged = await db.transaction().execute(async (tx) => {
    const change = { userId, passwordHash, newPasswordHash, sessionId };
    if (!(await changeStored(tx, change))) return false;
    await recordAudit(tx, entry, 'ok');
    return true;
  });
  if (!isChanged)
    throw new Refusal('conflict', 'The user was changed by somebody else at the same time.');
}

function noPassword(): Refusal {
  return new Refusal('conflict', 'This user signs in by OpenID Connect, and has no password here.');
}
