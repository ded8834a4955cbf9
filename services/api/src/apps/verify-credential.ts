import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Refusal, type Environment, type SecretBox } from '@heliograph/core';
import {
  deleteCredentialCheck,
  findCheckResult,
  insertCredentialCheck,
  toCheckPlace,
  type CheckResult,
  type CredentialSettings,
  type Db,
} from '@heliograph/db';

export interface VerifyDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  /** Tells the dispatchers that a credential waits to be checked. */
  readonly announceCheck: () => void;
  /** Aborted when this process stops. */
  readonly draining: AbortSignal;
  /** Tests only: default 45 s. */
  readonly verifyWaitMs?: number | undefined;
}

export type Candidate = CredentialSettings & {
  readonly environment: Environment | null;
  readonly key: Buffer;
};

/** Long enough for a dispatcher that dies with it, and another one whose provider takes all its time. */
const WAIT_MS = 45_000;
const LIVES_MS = 60_000;
const LOOK_EVERY_MS = 200;

/**
 * Has the credential checked at its provider, by a dispatcher. Refuses one that the provider does not take with `invalid_request`, and
 * with `not_checked` where nobody could tell. Nothing of it stays behind.
 */
export async function verifyCredential(deps: VerifyDeps, candidate: Candidate): Promise<void> {
  const id = randomUUID();
  const { key, ...columns } = candidate;
  const sealedKey = deps.secrets.seal(key, toCheckPlace(id));
  await insertCredentialCheck(deps.db, { ...columns, id, sealedKey }, LIVES_MS);
  try {
    deps.announceCheck();
    refuseUnlessAccepted(await waitForResult(deps, id), candidate);
  } finally {
    // Where the database is away it goes by its time.
    await deleteCredentialCheck(deps.db, id).catch(() => undefined);
  }
}

async function waitForResult(
  { db, draining, verifyWaitMs = WAIT_MS }: VerifyDeps,
  id: string,
): Promise<CheckResult | undefined> {
  const untilMs = performance.now() + verifyWaitMs;
  while (performance.now() < untilMs && !draining.aborted) {
    const result = await findCheckResult(db, id);
    if (result !== undefined) return result;
    await sleep(LOOK_EVERY_MS);
  }
  return undefined;
}

function refuseUnlessAccepted(
  result: CheckResult | undefined,
  { provider }: Pick<Candidate, 'provider'>,
): void {
  const name = provider === 'apns' ? 'APNs' : 'FCM';
  if (result === undefined)
    throw new Refusal(
      'not_checked',
      'The credential was not saved: no dispatcher has checked it in time.',
    );
  const reason = result.reason ?? 'no reason given';
  switch (result.verdict) {
    case 'accepted':
      return;
    case 'refused':
      throw new Refusal(
        'invalid_request',
        `The credential was not saved: ${name} does not take it (${reason}).`,
      );
    case 'unanswered':
      throw new Refusal(
        'not_checked',
        `The credential was not saved: ${name} has not said whether it takes it (${reason}).`,
      );
  }
}
