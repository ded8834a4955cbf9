import type { ConsoleSession, SignInWays } from '@heliograph/client';

import { ApiError } from '../api/api-error.ts';
import { API_URL } from '../base.ts';

export type Session = ConsoleSession;
export type Role = Session['role'];
/** From who may do least to who may do everything. */
export const ROLES = ['viewer', 'editor', 'sender', 'admin'] as const satisfies readonly Role[];
/** As API keys have them. */
export type Scope = Session['scopes'][number];

/** Whether one of those scopes is the session's; `admin` has them all. */
export function maySession({ scopes }: Session, ...needed: readonly Scope[]): boolean {
  return scopes.includes('admin') || needed.some((scope) => scopes.includes(scope));
}

const SESSION_URL = new URL('console/session', API_URL);

/** Who is signed in here; undefined where nobody is. */
export async function findSession(): Promise<Session | undefined> {
  const answer = await fetch(SESSION_URL, { headers: { accept: 'application/json' } });
  if (answer.status === 401) return undefined;
  return readSession(answer);
}

/** Rejects with an `ApiError`: 401 for a wrong name or password, 429 after too many tries. */
export async function signIn(name: string, password: string): Promise<Session> {
  const answer = await fetch(SESSION_URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requestObject: { name, password } }),
  });
  return readSession(answer);
}

/** How one may sign in beside a password. */
export async function findSignInWays(): Promise<SignInWays> {
  const answer = await fetch(`${SESSION_URL.href}/ways`);
  if (!answer.ok) throw await toApiError(answer);
  const { responseObject }: { readonly responseObject: SignInWays } = await answer.json();
  return responseObject;
}

export async function signOut({ csrfToken }: Session): Promise<void> {
  const answer = await fetch(SESSION_URL, {
    method: 'DELETE',
    headers: { 'x-csrf-token': csrfToken ?? '' },
  });
  // A session that ended by itself is what was asked for.
  if (!answer.ok && answer.status !== 401) throw await toApiError(answer);
}

/** Rejects with an `ApiError`: 400 for a wrong present password or an unfit new one, 429 after too many tries. */
export async function changePassword(
  { csrfToken }: Session,
  requestObject: { readonly password: string; readonly newPassword: string },
): Promise<void> {
  const answer = await fetch(`${SESSION_URL.href}/password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken ?? '' },
    body: JSON.stringify({ requestObject }),
  });
  if (!answer.ok) throw await toApiError(answer);
}

async function readSession(answer: Response): Promise<Session> {
  if (!answer.ok) throw await toApiError(answer);
  const { responseObject }: { readonly responseObject: Session } = await answer.json();
  return responseObject;
}

async function toApiError(answer: Response): Promise<ApiError> {
  const body: unknown = await answer.json().catch(() => undefined);
  const { code, message } = readRefusal(body);
  return new ApiError(
    answer.status,
    code ?? 'unknown',
    message ?? answer.statusText,
    answer.headers.get('x-correlation-id') ?? undefined,
    Number(answer.headers.get('retry-after') ?? 0),
  );
}

function readRefusal(body: unknown): { readonly code?: string; readonly message?: string } {
  if (typeof body !== 'object' || body === null || !('responseObject' in body)) return {};
  return typeof body.responseObject === 'object' && body.responseObject !== null
    ? body.responseObject
    : {};
}
