import type { Role } from '@heliograph/core';
import { sql } from 'kysely';

import type { NewConsoleSession } from './console-sessions.ts';
import type { Db } from './database.ts';

/** Who somebody is to a provider of OpenID Connect: the two together are nobody else, ever. */
export interface OpenIdIdentity {
  readonly issuer: string;
  readonly subject: string;
}

export interface OpenIdUser {
  readonly id: number;
  readonly name: string;
  readonly disabledAt: Date | null;
}

export interface OpenIdSignIn {
  readonly identity: OpenIdIdentity;
  /** As the provider says it now. */
  readonly role: Role;
  /** For a user who is new: the first that nobody has. */
  readonly names: readonly string[];
}

export type SavedOpenIdUser =
  | { readonly kind: 'saved'; readonly id: number; readonly name: string }
  | { readonly kind: 'disabled'; readonly name: string }
  /** All of the names are taken. */
  | { readonly kind: 'nameless' };

export async function findOpenIdUser(
  db: Db,
  { issuer, subject }: OpenIdIdentity,
): Promise<OpenIdUser | undefined> {
  return db
    .selectFrom('consoleUsers')
    .select(['id', 'name', 'disabledAt'])
    .where('oidcIssuer', '=', issuer)
    .where('oidcSubject', '=', subject)
    .executeTakeFirst();
}

/**
 * Makes the user at the first sign-in, and gives the role at each; where it is another one than before, all sessions end in the same
 * statement. Never takes over a user who is there already by the name. In a transaction, the row is locked from then on.
 */
export async function saveOpenIdUser(db: Db, signIn: OpenIdSignIn): Promise<SavedOpenIdUser> {
  const { identity, role, names } = signIn;
  for (const name of names) {
    const known = await giveRole(db, identity, role);
    if (known !== undefined) return toSaved(known);
    const made = await db
      .insertInto('consoleUsers')
      .values({
        name,
        passwordHash: null,
        oidcIssuer: identity.issuer,
        oidcSubject: identity.subject,
        role,
        appRef: null,
        disabledAt: null,
        lastSignInAt: null,
      })
      // The name is somebody else's; or the same user signs in elsewhere at this moment, and is known at the next look.
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (made !== undefined) return { kind: 'saved', id: made.id, name };
  }
  const known = await giveRole(db, identity, role);
  return known === undefined ? { kind: 'nameless' } : toSaved(known);
}

async function giveRole(
  db: Db,
  { issuer, subject }: OpenIdIdentity,
  role: Role,
): Promise<OpenIdUser | undefined> {
  // One who is disabled keeps what there is.
  const { rows } = await sql<OpenIdUser>`
    UPDATE console_users SET
      role = CASE WHEN disabled_at IS NULL THEN ${role} ELSE role END,
      generation = generation + (disabled_at IS NULL AND role <> ${role})::int
    WHERE oidc_issuer = ${issuer} AND oidc_subject = ${subject}
    RETURNING id, name, disabled_at`.execute(db);
  return rows[0];
}

function toSaved({ id, name, disabledAt }: OpenIdUser): SavedOpenIdUser {
  return disabledAt === null ? { kind: 'saved', id, name } : { kind: 'disabled', name };
}

/** In the transaction that saved the user, whose lock keeps the generation as it is. */
export async function openOpenIdSession(
  db: Db,
  userId: number,
  session: NewConsoleSession,
): Promise<void> {
  const { idHash, address, userAgent, createdAt, expiresAt } = session;
  await sql`
    WITH signed AS (
      UPDATE console_users SET last_sign_in_at = ${createdAt} WHERE id = ${userId} RETURNING id, generation
    )
    INSERT INTO console_sessions (id_hash, user_id, generation, address, user_agent, created_at, last_used_at, expires_at)
    SELECT ${idHash}, id, generation, ${address}, ${userAgent}, ${createdAt}, ${createdAt}, ${expiresAt}
    FROM signed`.execute(db);
}
