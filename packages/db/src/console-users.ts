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

/** A user without the hash of the password. */
export interface ListedConsoleUser {
  readonly name: string;
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
  readonly passwordHash: string;
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
    .values({ ...user, disabledAt: null, lastSignInAt: null })
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

/** Ends all sessions of the user in the same statement, whatever is changed. Answers false where there is no such user. */
export async function changeConsoleUser(
  db: Db,
  name: string,
  change: ConsoleUserChange,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('consoleUsers')
    .set({ ...change, generation: sql<number>`generation + 1` })
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
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
