import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';

import { Refusal } from '@heliograph/core';
import type { StoredConsoleSession } from '@heliograph/db';

import type { KeyRing } from '../access/key-ring.ts';
import { toTransport, type Transport } from '../http/encrypted-only.ts';
import { isSameOrigin } from '../http/same-origin.ts';
import { findSessionId, hashSessionId, toCsrfToken } from './session-cookie.ts';

export interface SessionTimes {
  /** A session that was not used for so long is over. */
  readonly idleMs: number;
  /** And so is one that began so long ago. */
  readonly maxMs: number;
}

export interface SessionDeps extends SessionTimes {
  readonly ring: KeyRing<StoredConsoleSession>;
  readonly noteUse: (id: string, at: Date) => Promise<void>;
  readonly trustedProxies: BlockList;
  /** Whether sessions go over a network in the clear, too. */
  readonly allowHttp: boolean;
}

/** A session that a request showed, and may use. */
export interface ShownSession {
  readonly session: StoredConsoleSession;
  readonly csrfToken: string;
}

/** The header in which a page of ours shows that it is one. */
export const CSRF_HEADER = 'X-CSRF-Token';

/** So old may be what is known of the last use. */
const USE_MS = 60_000;
const SAFE = new Set(['GET', 'HEAD']);

/** The session of a request; undefined where it shows none. Refuses one that is over, and a change that no page of ours asked for. */
export async function findShownSession(
  deps: SessionDeps,
  req: IncomingMessage,
  now: Date,
): Promise<ShownSession | undefined> {
  const transport = toSessionTransport(deps, req);
  const id = transport && findSessionId(req, transport);
  if (transport === undefined || id === undefined) return undefined;

  const session = await deps.ring.find(hashSessionId(id).toString('hex'));
  if (session === undefined || isSessionOver(session, deps, now))
    throw new Refusal('unauthenticated', 'The session is over: sign in again.');
  const csrfToken = toCsrfToken(id);
  if (!SAFE.has(req.method ?? '')) refuseForgery(req, transport, csrfToken);
  // Awaited, so that no request finds a session over that was used just now.
  if (now.getTime() - session.lastUsedAt.getTime() >= USE_MS) await deps.noteUse(session.id, now);
  return { session, csrfToken };
}

export function isSessionOver(
  { lastUsedAt, expiresAt }: StoredConsoleSession,
  { idleMs }: SessionTimes,
  now: Date,
): boolean {
  return expiresAt <= now || lastUsedAt.getTime() + idleMs <= now.getTime();
}

/** How the request came; undefined where sessions don't come that way. */
export function toSessionTransport(
  { trustedProxies, allowHttp }: Pick<SessionDeps, 'trustedProxies' | 'allowHttp'>,
  req: IncomingMessage,
): Transport | undefined {
  const transport = toTransport(req, trustedProxies);
  return transport === 'clear' && !allowHttp ? undefined : transport;
}

function refuseForgery(req: IncomingMessage, transport: Transport, csrfToken: string): void {
  if (!isSameOrigin(req, transport))
    throw new Refusal('forbidden', 'This comes from a page of another origin.');
  const shown = Buffer.from(String(req.headers[CSRF_HEADER.toLowerCase()] ?? ''));
  const expected = Buffer.from(csrfToken);
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected))
    throw new Refusal(
      'forbidden',
      `With a session, a change needs the header ${CSRF_HEADER}, which GET /console/session tells.`,
    );
}
