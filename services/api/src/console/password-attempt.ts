import { Refusal } from '@heliograph/core';
import type { NewAuditEntry, SignInWay } from '@heliograph/db';
import { PasswordsBusy, type Passwords } from '@heliograph/runtime/passwords';

import { toActor } from '../access/caller.ts';
import type { SignInAttempt, SignInLimit } from './sign-in-limit.ts';

/* What looking at a password takes, whatever it is looked at for. */

/** Before a password is looked at. Refuses where there are too many attempts. */
export async function beginAttempt(
  { passwords, limit }: { readonly passwords: Passwords; readonly limit: SignInLimit },
  attempt: SignInAttempt,
): Promise<void> {
  if (passwords.isBusy()) throw tooBusy();
  const waitMs = await limit.take(attempt);
  if (waitMs > 0) throw tooMany(waitMs);
}

/** Refuses where too many passwords wait to be looked at. */
export async function inTurn<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof PasswordsBusy ? tooBusy() : error;
  }
}

function tooBusy(): Refusal {
  return new Refusal('overloaded', 'Too many people sign in at this moment.', {
    retryAfterSeconds: 1,
  });
}

function tooMany(waitMs: number): Refusal {
  return new Refusal('rate_limited', 'Too many attempts to sign in: wait, and try again.', {
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  });
}

export interface AttemptFacts {
  readonly name: string;
  readonly appRef: number | null;
  readonly requestId: string;
  readonly address: string;
  /** By a password unless it says otherwise. */
  readonly way?: SignInWay;
}

/** As the audit log has it. */
export function toEntry(action: string, facts: AttemptFacts): NewAuditEntry {
  const { name, appRef, requestId, address, way } = facts;
  const objects = { address, ...(way && { way }) };
  return { keyId: null, actor: toActor(name), requestId, action, appRef, objects };
}
