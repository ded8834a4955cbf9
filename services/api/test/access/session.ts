import { randomUUID } from 'node:crypto';

import type { Role } from '@heliograph/core';
import {
  findConsoleUserToSignIn,
  insertConsoleUser,
  openConsoleSession,
  type Db,
} from '@heliograph/db';

import {
  createSessionId,
  hashSessionId,
  PLAIN_COOKIE,
  toCsrfToken,
} from '../../src/console/session-cookie.ts';
import { CSRF_HEADER } from '../../src/console/sessions.ts';

/** What a page of ours sends along: the cookie, and with what is no GET the token. */
export type SessionHeaders = Readonly<Record<string, string>>;

export interface UserOptions {
  readonly name?: string;
  readonly role?: Role;
  /** Null: every app. */
  readonly appRef?: number | null;
  /** None that a password fits, unless given. */
  readonly passwordHash?: string;
}

/** A user of the console, by name; who may do everything, unless told otherwise. */
export async function makeUser(
  db: Db,
  { name = randomUUID(), role = 'admin', appRef = null, passwordHash = 'none' }: UserOptions = {},
): Promise<string> {
  await insertConsoleUser(db, { name, role, appRef, passwordHash });
  return name;
}

/** A new user who is signed in from this machine. */
export async function makeSession(db: Db, options: UserOptions = {}): Promise<SessionHeaders> {
  const name = await makeUser(db, options);
  const user = await findConsoleUserToSignIn(db, name);
  const id = createSessionId();
  await openConsoleSession(db, {
    userId: user?.id ?? 0,
    passwordHash: user?.passwordHash ?? '',
    newPasswordHash: undefined,
    idHash: hashSessionId(id),
    address: '127.0.0.1',
    userAgent: 'test',
    createdAt: new Date(),
    expiresAt: new Date(Date.now() + 3_600_000),
  });
  return { cookie: `${PLAIN_COOKIE}=${id}`, [CSRF_HEADER.toLowerCase()]: toCsrfToken(id) };
}
