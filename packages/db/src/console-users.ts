import type { Role } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

export interface NewConsoleUser {
  readonly name: string;
  readonly passwordHash: string;
  readonly role: Role;
  /** Null: for every app. */
  readonly appRef: number | null;
}

/** How a user signs in: by a password that we keep a hash of, or by OpenID Connect. */
export const SIGN_IN_WAYS = ['password', 'oidc'] as const;
export type SignInWay = (typeof SIGN_IN_WAYS)[number];

/** A user without the hash of the password. */
export interface ListedConsoleUser {
  readonly name: string;
  readonly way: SignInWay;
  readonly role: Role;
  /** The app that the user is bound to; null: every app. */
  readonly appId: string | null;
  readonly disabledAt: Date | null;
  readonly lastSignInAt: Date | null;
  readonly createdAt: Date;
}

/** A user as it is looked at when somebody signs in. */
export interface ConsoleUserToSignIn {
  readonly id: number;
  /** Null where the user signs in by OpenID Connect. */
  readonly passwordHash: string | null;
  readonly appRef: number | null;
  readonly disabledAt: Date | null;
}

/** What is changed of a user; what is left out stays. */
export interface ConsoleUserChange {
  readonly role?: Role;
  readonly passwordHash?: string;
  readonly disabledAt?: Date | null;
}

/** Undefined where the name is taken. */
export async function insertConsoleUser(
  db: Db,
  user: NewConsoleUser,
): Promise<{ readonly createdAt: Date } | undefined> {
  return db
    .insertInto('consoleUsers')
    .values({ ...user, oidcIssuer: null, oidcSubject: null, disabledAt: null, lastSignInAt: null })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('createdAt')
    .executeTakeFirst();
}

/** All users, or those that are bound to the app, by their names. */
export async function listConsoleUsers(
  db: Db,
  appRef: number | undefined,
): Promise<readonly ListedConsoleUser[]> {
  const all = db
    .selectFrom('consoleUsers as u')
    .leftJoin('apps', 'apps.id', 'u.appRef')
    .select(['u.name', 'u.role', 'apps.appId', 'u.disabledAt', 'u.lastSignInAt', 'u.createdAt'])
    .select(
      sql<SignInWay>`CASE WHEN u.password_hash IS NULL THEN 'oidc' ELSE 'password' END`.as('way'),
    )
    .orderBy('u.name');
  return (appRef === undefined ? all : all.where('u.appRef', '=', appRef)).execute();
}

export async function findConsoleUserToSignIn(
  db: Db,
  name: string,
): Promise<ConsoleUserToSignIn | undefined> {
  return db
    .selectFrom('consoleUsers')
    .select(['id', 'passwordHash', 'appRef', 'disabledAt'])
    .where('name', '=', name)
    .executeTakeFirst();
}

/** How the user signs in; undefined where there is no such user. */
export async function findSignInWay(db: Db, name: string): Promise<SignInWay | undefined> {
  const user = await findConsoleUserToSignIn(db, name);
  if (user === undefined) return undefined;
  return user.passwordHash === null ? 'oidc' : 'password';
}

/**
 * Ends all sessions of the user in the same statement, whatever is changed. Answers false where there is no such user, or the change is one
 * of a password or a role, and the user signs in by OpenID Connect, where the provider says both.
 */
export async function changeConsoleUser(
  db: Db,
  name: string,
  change: ConsoleUserChange,
): Promise<boolean> {
  const named = db
    .updateTable('consoleUsers')
    .set({ ...change, generation: sql<number>`generation + 1` })
    .where('name', '=', name);
  const isOurs = change.role !== undefined || change.passwordHash !== undefined;
  const { numUpdatedRows } = await (
    isOurs ? named.where('passwordHash', 'is not', null) : named
  ).executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** The sessions go with the user. Answers false where there is no such user. */
export async function removeConsoleUser(db: Db, name: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('consoleUsers')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return numDeletedRows === 1n;
}
