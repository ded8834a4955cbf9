import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import type { SecretBox } from '@heliograph/core';
import {
  endConsoleSessionsOf,
  findOpenIdUser,
  openOpenIdSession,
  recordAudit,
  saveOpenIdUser,
  type Db,
  type OpenIdIdentity,
} from '@heliograph/db';
import type { Logger } from 'pino';

import { createSession, endPrevious, tidySessions, type SignInPlace } from '../new-session.ts';
import { toEntry } from '../password-attempt.ts';
import type { SessionTimes } from '../sessions.ts';
import type { SignInLimit } from '../sign-in-limit.ts';
import { ATTEMPT_MS, type OpenIdAttempt } from './open-id-attempt.ts';
import {
  LANDING,
  OpenIdFailure,
  type OpenIdPerson,
  type OpenIdProvider,
  type OpenIdSettings,
} from './open-id.ts';
import { toRole } from './to-role.ts';
import { toUserNames } from './to-user-names.ts';

/** A provider, and how people sign in by it. */
export interface OpenId {
  readonly settings: OpenIdSettings;
  readonly provider: OpenIdProvider;
}

export interface OpenIdDeps extends Pick<SessionTimes, 'maxMs'> {
  readonly db: Db;
  readonly log: Logger;
  readonly limit: SignInLimit;
  readonly secrets: SecretBox;
  readonly openId: OpenId;
  readonly now: () => Date;
}

export interface Beginning {
  readonly to: string;
  readonly address: string;
  /** The session that the browser showed, if any, by the hash of its id. */
  readonly previous: string | undefined;
}

/** Where at the provider somebody signs in, and what has to be known when they come back. Rejects with an `OpenIdFailure`. */
export async function beginOpenIdSignIn(
  deps: OpenIdDeps,
  { to, address, previous }: Beginning,
): Promise<{ readonly url: URL; readonly attempt: OpenIdAttempt }> {
  await takeAttempt(deps, address);
  const checks = { state: createToken(), nonce: createToken(), codeVerifier: createToken() };
  const endsAt = deps.now().getTime() + ATTEMPT_MS;
  try {
    const url = await deps.openId.provider.toSignInUrl(checks);
    return { url, attempt: { ...checks, to, endsAt, ...(previous !== undefined && { previous }) } };
  } catch (error) {
    await recordFailure(deps, error, address);
    throw error;
  }
}

export interface Landing extends SignInPlace {
  /** As it stood behind the address that the provider sent somebody to. */
  readonly search: string;
  /** Undefined where the browser shows none. */
  readonly attempt: OpenIdAttempt | undefined;
}

/** Opens a session for who comes back from the provider, and answers its id, which is kept nowhere. Rejects with an `OpenIdFailure`. */
export async function finishOpenIdSignIn(deps: OpenIdDeps, landing: Landing): Promise<string> {
  const { limit, openId } = deps;
  const { address, search, attempt } = landing;
  await takeAttempt(deps, address);
  try {
    if (attempt === undefined || !(await isOfAttempt(search, attempt, limit)))
      throw new OpenIdFailure('expired', 'it was not begun here, or too long ago, or was used');
    const answer = new URL(openId.settings.consoleUrl + LANDING + search);
    const person = await openId.provider.redeem(answer, attempt);
    const id = await open(deps, landing, person, attempt.previous);
    // This one, and the one by which it began.
    for (let n = 0; n < 2; n += 1) await limit.giveBack({ name: undefined, address });
    return id;
  } catch (error) {
    await recordFailure(deps, error, address);
    throw error;
  }
}

async function takeAttempt({ limit }: OpenIdDeps, address: string): Promise<void> {
  if ((await limit.take({ name: undefined, address })) > 0) throw new OpenIdFailure('throttled');
}

/** Whether the browser that comes back is the one that went, and comes for the first time. A link from anybody else has another state. */
async function isOfAttempt(
  search: string,
  { state }: OpenIdAttempt,
  limit: SignInLimit,
): Promise<boolean> {
  const shown = Buffer.from(new URLSearchParams(search).get('state') ?? '');
  const expected = Buffer.from(state);
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) return false;
  return limit.isFirstUse(createHash('sha256').update(state).digest('base64url'));
}

async function open(
  deps: OpenIdDeps,
  landing: Landing,
  { identity, claims }: OpenIdPerson,
  previous: string | undefined,
): Promise<string> {
  const { db, maxMs, now, openId } = deps;
  const role = toRole(claims, openId.settings);
  if (role === undefined) throw await refuseRole(deps, landing, identity);
  const { preferred_username: called, email } = claims;
  const names = toUserNames({ name: called, email, subject: identity.subject });

  const createdAt = now();
  const { id, session } = createSession(landing, { createdAt, maxMs });
  const saved = await db.transaction().execute(async (tx) => {
    const user = await saveOpenIdUser(tx, { identity, role, names });
    if (user.kind !== 'saved') return user;
    await openOpenIdSession(tx, user.id, session);
    await endPrevious(tx, previous);
    await recordAudit(tx, toOwnEntry(user.name, landing), 'ok');
    return user;
  });
  if (saved.kind === 'disabled') throw await refuse(deps, landing, saved.name);
  if (saved.kind === 'nameless')
    throw new OpenIdFailure('failed', 'there are too many users of the name already');
  await tidySessions(deps, saved.id, createdAt);
  return id;
}

/** Whoever had a role before, and has none now, is signed out everywhere. */
async function refuseRole(
  deps: OpenIdDeps,
  landing: Landing,
  identity: OpenIdIdentity,
): Promise<OpenIdFailure> {
  const user = await findOpenIdUser(deps.db, identity);
  if (user === undefined) return new OpenIdFailure('no_role', 'a user who is new has no role');
  await endConsoleSessionsOf(deps.db, user.id);
  await recordRefusal(deps, landing, user.name);
  return new OpenIdFailure('no_role', 'a user who is known has no role any more');
}

async function refuse(deps: OpenIdDeps, landing: Landing, name: string): Promise<OpenIdFailure> {
  await recordRefusal(deps, landing, name);
  return new OpenIdFailure('disabled');
}

async function recordRefusal(
  { db, limit }: OpenIdDeps,
  landing: Landing,
  name: string,
): Promise<void> {
  if (await limit.takeRecord()) await recordAudit(db, toOwnEntry(name, landing), 'unauthenticated');
}

function toOwnEntry(name: string, { address, requestId }: Landing) {
  const facts = { name, appRef: null, requestId, address, way: 'oidc' } as const;
  return toEntry('console.session.create', facts);
}

async function recordFailure(
  { log, limit }: OpenIdDeps,
  error: unknown,
  address: string,
): Promise<void> {
  if (!(error instanceof OpenIdFailure) || !(await limit.takeRecord())) return;
  const { reason, message } = error;
  if (reason === 'failed' || reason === 'unavailable')
    log.warn({ address, reason, problem: message }, 'sign-in by OpenID Connect failed');
  else log.warn({ address, reason }, 'sign-in refused');
}

/** 256 bits that nobody guesses; as a code verifier of PKCE, of its least length. */
function createToken(): string {
  return randomBytes(32).toString('base64url');
}
