import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { Transport } from '../http/encrypted-only.ts';

/** A browser takes `__Host-` only over https, for the whole host and from nobody else: so no neighbour can plant one. */
export const SECURE_COOKIE = '__Host-heliograph';
/** To this machine itself by plain http. */
export const PLAIN_COOKIE = 'heliograph';

const ID_BYTES = 32;
const ID = /^[\w-]{43}$/;

/** What the browser keeps of a session: nobody else has it. */
export function createSessionId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}

/** By which a session is kept and found. */
export function hashSessionId(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}

/** What a page of ours shows with every request that changes something: only those know it who may read our answers. */
export function toCsrfToken(id: string): string {
  return createHmac('sha256', id).update('csrf').digest('base64url');
}

/** The session's id in the request; undefined where there is none, or more than one. */
export function findSessionId(req: IncomingMessage, transport: Transport): string | undefined {
  const id = findCookie(req, toCookieName(transport));
  return id !== undefined && ID.test(id) ? id : undefined;
}

/** What the cookie of that name holds; undefined where there is none, or more than one. */
export function findCookie({ headers }: IncomingMessage, name: string): string | undefined {
  const prefix = `${name}=`;
  const found = (headers.cookie ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(prefix));
  return found.length === 1 ? found[0]?.slice(prefix.length) : undefined;
}

/** It goes when the browser is closed, if nothing ends the session before. */
export function toSessionCookie(id: string, transport: Transport): string {
  return `${toCookieName(transport)}=${id}; ${toAttributes(transport)}`;
}

/** Makes the browser forget the session. */
export function toNoCookie(transport: Transport): string {
  return `${toCookieName(transport)}=; Max-Age=0; ${toAttributes(transport)}`;
}

function toCookieName(transport: Transport): string {
  return transport === 'https' ? SECURE_COOKIE : PLAIN_COOKIE;
}

function toAttributes(transport: Transport): string {
  return `Path=/; HttpOnly; SameSite=Strict${transport === 'https' ? '; Secure' : ''}`;
}
