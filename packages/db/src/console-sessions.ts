import type { Role } from '@heliograph/core';
import { sql } from 'kysely';

import type { SignInWay } from './console-users.ts';
import type { Db } from './database.ts';

/** What is kept of a session that begins. */
export interface NewConsoleSession {
  /** SHA-256 of what the browser shows. */
  readonly idHash: Buffer;
  readonly address: string;
  readonly userAgent: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface NewPasswordSession extends NewConsoleSession {
  readonly userId: number;
  /** The hash that the password was found to fit. */
  readonly passwordHash: string;
  /** Takes its place, where it is not as strong as it should be. */
  readonly newPasswordHash: string | undefined;
}

/** A session as those need it who look at what browsers show. */
export interface StoredConsoleSession {
  /** The hash of what the browser shows, in hexadecimal digits. */
  readonly id: string;
  readonly userId: number;
  readonly name: string;
  readonly role: Role;
  readonly way: SignInWay;
  readonly app: { readonly ref: number; readonly appId: string } | null;
  readonly createdAt: Date;
  /** True to a minute. */
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

export interface ListedConsoleSession {
  readonly id: string;
  readonly address: string;
  readonly userAgent: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

/** Older ones of the same user end. */
const MAX_SESSIONS = 20;
const TIDY_LIMIT = 1000;

/**
 * Answers false where the password was changed, or the user disabled or removed, since the password was looked at. The generation is read
 * under the lock of the user's row: a change that comes at the same time is before this, and refuses it, or after it, and ends it.
 */
export async function openConsoleSession(db: Db, session: NewPasswordSession): Promise<boolean> {
  const { userId, passwordHash, newPasswordHash = passwordHash, createdAt } = session;
  const { rows } = await sql`
    WITH signed AS (
      UPDATE console_users SET last_sign_in_at = ${createdAt}, password_hash = ${newPasswordHash}
      WHERE id = ${userId} AND password_hash = ${passwordHash} AND disabled_at IS NULL
      RETURNING id, generation
    )
    INSERT INTO console_sessions (id_hash, user_id, generation, address, user_agent, created_at, last_used_at, expires_at)
    SELECT ${session.idHash}, id, generation, ${session.address}, ${session.userAgent},
      ${createdAt}, ${createdAt}, ${session.expiresAt}
    FROM signed RETURNING id`.execute(db);
  return rows.length === 1;
}

/** Forgets sessions that are over, and those that are too many of one user. */
export async function tidyConsoleSessions(db: Db, userId: number, now: Date): Promise<void> {
  // Nobody waits for, or deadlocks with, somebody else who tidies up.
  await sql`
    DELETE FROM console_sessions WHERE id IN (
      SELECT id FROM console_sessions
      WHERE expires_at <= ${now} OR id IN (
        SELECT id FROM console_sessions WHERE user_id = ${userId} ORDER BY created_at DESC, id DESC OFFSET ${MAX_SESSIONS})
      LIMIT ${TIDY_LIMIT} FOR UPDATE SKIP LOCKED)`.execute(db);
}

/** Those of the sessions that were not ended. Whether their time is over is for the caller to see. */
export async function findConsoleSessions(
  db: Db,
  ids: readonly string[],
): Promise<readonly StoredConsoleSession[]> {
  const { rows } = await sql<StoredConsoleSession>`
    SELECT encode(s.id_hash, 'hex') AS id, s.user_id, u.name, u.role, s.created_at, s.last_used_at, s.expires_at,
      CASE WHEN u.password_hash IS NULL THEN 'oidc' ELSE 'password' END AS way,
      CASE WHEN a.id IS NOT NULL THEN json_build_object('ref', a.id, 'appId', a.app_id) END AS app
    FROM console_sessions s
      JOIN console_users u ON u.id = s.user_id AND u.generation = s.generation AND u.disabled_at IS NULL
      LEFT JOIN apps a ON a.id = u.app_ref
    WHERE s.id_hash IN (SELECT decode(hex, 'hex') FROM unnest(${ids}::text[]) hex)`.execute(db);
  return rows;
}

/** The latest first; whether their time is over is for the caller to see. */
export async function listConsoleSessions(
  db: Db,
  userId: number,
): Promise<readonly ListedConsoleSession[]> {
  const { rows } = await sql<ListedConsoleSession>`
    SELECT encode(s.id_hash, 'hex') AS id, s.address, s.user_agent, s.created_at, s.last_used_at, s.expires_at
    FROM console_sessions s JOIN console_users u ON u.id = s.user_id AND u.generation = s.generation
    WHERE s.user_id = ${userId} ORDER BY s.created_at DESC, s.id DESC`.execute(db);
  return rows;
}

/** Never sets it back: what another server noted later stays. */
export async function noteConsoleSessionUsed(db: Db, id: string, at: Date): Promise<void> {
  await sql`
    UPDATE console_sessions SET last_used_at = ${at}
    WHERE id_hash = decode(${id}, 'hex') AND last_used_at < ${at}`.execute(db);
}

export async function endConsoleSession(db: Db, id: string): Promise<void> {
  await sql`DELETE FROM console_sessions WHERE id_hash = decode(${id}, 'hex')`.execute(db);
}

/** All of the user's, those that are being opened too. */
export async function endConsoleSessionsOf(db: Db, userId: number): Promise<void> {
  await db
    .updateTable('consoleUsers')
    .set({ generation: sql<number>`generation + 1` })
    .where('id', '=', userId)
    .execute();
}

export interface OwnPasswordChange {
  readonly userId: number;
  /** The hash that the present password was found to fit. */
  readonly passwordHash: string;
  readonly newPasswordHash: string;
  /** The session that asks, and stays. */
  readonly sessionId: string;
}

/** All other sessions of the user end in the same statement. Answers false where the user has another password, or is disabled or removed, by now. */
export async function changeOwnPassword(db: Db, change: OwnPasswordChange): Promise<boolean> {
  const { userId, passwordHash, newPasswordHash, sessionId } = change;
  const { rows } = await sql`
    WITH changed AS (
      UPDATE console_users SET password_hash = ${newPasswordHash}, generation = generation + 1
      WHERE id = ${userId} AND password_hash = ${passwordHash} AND disabled_at IS NULL
      RETURNING id, generation
    ), kept AS (
      -- Unless it has ended meanwhile.
      UPDATE console_sessions s SET generation = changed.generation FROM changed
      WHERE s.id_hash = decode(${sessionId}, 'hex') AND s.user_id = changed.id AND s.generation = changed.generation - 1
    )
    SELECT id FROM changed`.execute(db);
  return rows.length === 1;
}
