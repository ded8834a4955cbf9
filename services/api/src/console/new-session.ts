import {
  endConsoleSession,
  tidyConsoleSessions,
  type Db,
  type NewConsoleSession,
} from '@heliograph/db';
import type { Logger } from 'pino';

import { createSessionId, hashSessionId } from './session-cookie.ts';

/* What a session takes that begins, however its user showed who it is. */

/** From where somebody signs in, and with what. */
export interface SignInPlace {
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
}

const MAX_USER_AGENT = 200;

/** The id is for the browser, and kept nowhere; the session is what we keep. */
export function createSession(
  { address, userAgent }: SignInPlace,
  { createdAt, maxMs }: { readonly createdAt: Date; readonly maxMs: number },
): { readonly id: string; readonly session: NewConsoleSession } {
  const id = createSessionId();
  return {
    id,
    session: {
      idHash: hashSessionId(id),
      address,
      userAgent: userAgent.slice(0, MAX_USER_AGENT),
      createdAt,
      expiresAt: new Date(createdAt.getTime() + maxMs),
    },
  };
}

/** The session that the browser had before, by the hash of its id: one begins, and it ends. */
export async function endPrevious(tx: Db, previous: string | undefined): Promise<void> {
  if (previous !== undefined) await endConsoleSession(tx, previous);
}

/** Never rejects: what is not tidied up now is at the next sign-in. */
export async function tidySessions(
  { db, log }: { readonly db: Db; readonly log: Logger },
  userId: number,
  now: Date,
): Promise<void> {
  await tidyConsoleSessions(db, userId, now).catch((error: unknown) =>
    log.warn({ err: error }, 'old sessions not forgotten'),
  );
}
