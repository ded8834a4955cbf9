import type { IncomingMessage } from 'node:http';

import type { SecretBox } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import type { Transport } from '../../http/encrypted-only.ts';
import { compileParser } from '../../http/parse.ts';
import { findCookie } from '../session-cookie.ts';

/*
 * What is known of a sign-in that is under way is in the browser alone, sealed with the key that all servers have: so whichever of them the
 * provider sends somebody back to can go on, and nobody fills our memory by beginning what they don't end.
 */

/** As the session's, but sent along by a link from elsewhere: that is how one comes back from a provider. */
export const SECURE_ATTEMPT_COOKIE = '__Host-heliograph-oidc';
/** To this machine itself by plain http. */
export const PLAIN_ATTEMPT_COOKIE = 'heliograph-oidc';

/** So long somebody may take at the provider. */
export const ATTEMPT_MS = 600_000;

/** A sealed value is good here, and nowhere in the database. */
const PLACE = { table: 'console', column: 'oidc_attempt', row: '' };

const Attempt = Type.Object({
  state: Type.String(),
  nonce: Type.String(),
  codeVerifier: Type.String(),
  /** The address of the page that was asked for first. */
  to: Type.String(),
  /** The session that the browser had, by the hash of its id. */
  previous: Type.Optional(Type.String()),
  /** In ms of the epoch. */
  endsAt: Type.Number(),
});
export type OpenIdAttempt = Static<typeof Attempt>;
const parseAttempt = compileParser(Attempt);

export function toAttemptCookie(
  attempt: OpenIdAttempt,
  secrets: SecretBox,
  transport: Transport,
): string {
  const sealed = secrets.seal(Buffer.from(JSON.stringify(attempt)), PLACE).toString('base64url');
  return `${toName(transport)}=${sealed}; Max-Age=${ATTEMPT_MS / 1000}; ${toAttributes(transport)}`;
}

/** Makes the browser forget the attempt. */
export function toNoAttemptCookie(transport: Transport): string {
  return `${toName(transport)}=; Max-Age=0; ${toAttributes(transport)}`;
}

/** Undefined where there is none that counts. */
export function findAttempt(
  req: IncomingMessage,
  secrets: SecretBox,
  transport: Transport,
  now: Date,
): OpenIdAttempt | undefined {
  const sealed = findCookie(req, toName(transport));
  if (sealed === undefined) return undefined;
  let attempt: OpenIdAttempt;
  try {
    const opened = secrets.open(Buffer.from(sealed, 'base64url'), PLACE);
    attempt = parseAttempt(JSON.parse(opened.toString('utf8')));
  } catch {
    // Somebody else's, or of a key that we no longer have.
    return undefined;
  }
  return attempt.endsAt > now.getTime() ? attempt : undefined;
}

function toName(transport: Transport): string {
  return transport === 'https' ? SECURE_ATTEMPT_COOKIE : PLAIN_ATTEMPT_COOKIE;
}

function toAttributes(transport: Transport): string {
  return `Path=/; HttpOnly; SameSite=Lax${transport === 'https' ? '; Secure' : ''}`;
}
