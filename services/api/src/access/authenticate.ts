import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { hashApiSecret, parseApiKey, Refusal, toScopes } from '@heliograph/core';
import type { StoredApiKey, StoredConsoleSession } from '@heliograph/db';

import { findShownSession, isSessionOver, type SessionDeps } from '../console/sessions.ts';
import { toActor, type Caller } from './caller.ts';
import type { KeyRing } from './key-ring.ts';

export interface AuthenticateDeps {
  readonly keys: KeyRing;
  /** Undefined: users of the console are not let in. */
  readonly sessions?: SessionDeps | undefined;
  /** Requests per second of users, and of keys that have no limit of their own; 0: none. */
  readonly defaultRatePerSecond: number;
  readonly now: () => Date;
}

/** What no secret's hash is compared with, so that an id that is no key's takes as long as one that is. */
const NO_HASH = Buffer.alloc(32);

/** A caller, and how long it stays one. */
export interface Admitted {
  readonly caller: Caller;
  /** Whether it would be let in still. Rejects when the database does not answer. */
  readonly isStillValid: () => Promise<boolean>;
}

/** Who calls, by the key in the request, or by the session where there is none. Refuses whoever shows neither that is valid, and says nothing of why. */
export async function authenticate(
  deps: AuthenticateDeps,
  req: IncomingMessage,
): Promise<Admitted> {
  const { authorization } = req.headers;
  if (authorization !== undefined) return authenticateKey(deps, req, authorization);
  const admitted = deps.sessions && (await findUser(deps, deps.sessions, req));
  if (admitted === undefined) throw unauthenticated('An API key is missing.');
  return admitted;
}

async function authenticateKey(
  { keys, defaultRatePerSecond, now }: AuthenticateDeps,
  req: IncomingMessage,
  header: string,
): Promise<Admitted> {
  // Node takes the first of several: a proxy before us may have looked at the last.
  if (countAuthorizations(req.rawHeaders) > 1) throw unauthenticated(INVALID);
  const shown = parseApiKey(header);
  if (shown === undefined) throw unauthenticated(INVALID);

  const key = await keys.find(shown.id);
  const isRight = timingSafeEqual(hashApiSecret(shown.secret), key?.secretHash ?? NO_HASH);
  if (!isRight || key === undefined || isOver(key, now())) throw unauthenticated(INVALID);
  const { id, name, scopes, app, ratePerSecond } = key;
  return {
    caller: {
      keyId: id,
      countedAs: id,
      name,
      scopes,
      app,
      ratePerSecond: ratePerSecond ?? defaultRatePerSecond,
    },
    async isStillValid() {
      const found = await keys.find(id);
      return found !== undefined && !isOver(found, now());
    },
  };
}

/** Undefined where the request shows no session. */
async function findUser(
  { defaultRatePerSecond, now }: AuthenticateDeps,
  sessions: SessionDeps,
  req: IncomingMessage,
): Promise<Admitted | undefined> {
  const shown = await findShownSession(sessions, req, now());
  if (shown === undefined) return undefined;
  const { id } = shown.session;
  return {
    caller: toUser(shown.session, defaultRatePerSecond),
    async isStillValid() {
      const found = await sessions.ring.find(id);
      return found !== undefined && !isSessionOver(found, sessions, now());
    },
  };
}

function toUser({ userId, name, role, app }: StoredConsoleSession, ratePerSecond: number): Caller {
  return {
    keyId: undefined,
    countedAs: `user:${userId}`,
    name: toActor(name),
    scopes: toScopes(role),
    app,
    ratePerSecond,
  };
}

const INVALID = 'The API key is not valid.';

function unauthenticated(message: string): Refusal {
  return new Refusal('unauthenticated', message);
}

export function isOver({ expiresAt }: StoredApiKey, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function countAuthorizations(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 13 && rawHeaders[at]?.toLowerCase() === 'authorization')
      count += 1;
  return count;
}
