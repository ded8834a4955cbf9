import { randomUUID } from 'node:crypto';

import { createMessageId, KeyNotAtHand, type SecretBox } from '@heliograph/core';
import {
  claimCredentialChecks,
  recordCheckResult,
  releaseCheck,
  toCheckPlace,
  type CheckResult,
  type ClaimedCheck,
  type Db,
} from '@heliograph/db';
import {
  createProviderPool,
  type ApnsClientName,
  type Credential,
  type ProviderEndpoints,
  type ProviderPool,
} from '@heliograph/providers';
import type { Logger } from 'pino';

import { attempt } from '../send/attempt.ts';
import { openCredential } from '../send/open-credential.ts';
import { judgeCredential } from './judge-credential.ts';

/*
 * Checks credentials at their providers for whoever wants to save them. Each over connections and with tokens of its own, which end with
 * the check: what messages are sent with, and what is known of it, stays out of this.
 */

const LOOK_EVERY_MS = 1_000;
/** So long a dispatcher that dies delays a check: longer than one takes at most. */
export const CHECK_LEASE_MS = 30_000;
/** For a connection and a token: everything is new to a check, and nobody stands behind it. */
const WAIT_MS = 8_000;
/** A try that came to nothing goes again within that. */
const MAX_TRYING_MS = 2_000;
/** At a time, of this process. */
const MAX_CHECKS = 4;

/** No device has them. */
const NOBODY = { apns: '0'.repeat(64), fcm: 'heliograph-checks-its-credential' } as const;

export interface CredentialChecks {
  /** There may be something to be checked: looks now, instead of at the next tick. */
  readonly kick: () => void;
  /** Checks no more; what is under way is left to others, or ends. */
  close(): Promise<void>;
}

export interface CredentialChecksDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly endpoints: ProviderEndpoints;
  readonly apnsClient?: ApnsClientName | undefined;
  readonly log: Logger;
  readonly clockMs: () => number;
  /** Tests only: default 30 s, and a second. */
  readonly leaseMs?: number | undefined;
  readonly everyMs?: number | undefined;
}

export function startCredentialChecks(deps: CredentialChecksDeps): CredentialChecks {
  const { db, log, leaseMs = CHECK_LEASE_MS, everyMs = LOOK_EVERY_MS } = deps;
  const underWay = new Map<Promise<void>, ProviderPool>();
  let claiming: Promise<void> | undefined;
  let isKicked = false;
  let isClosing = false;

  async function claim(): Promise<void> {
    const room = MAX_CHECKS - underWay.size;
    if (room <= 0) return;
    for (const claimed of await claimCredentialChecks(db, room, leaseMs)) start(claimed);
  }

  function look(): void {
    if (isClosing) return;
    if (claiming !== undefined) {
      isKicked = true;
      return;
    }
    isKicked = false;
    claiming = claim()
      .catch((error: unknown) => log.warn({ err: error }, 'credential checks not claimed'))
      .finally(() => {
        claiming = undefined;
        // What we were kicked for may have been stored behind the claim's back.
        if (isKicked) look();
      });
  }

  function start(claimed: ClaimedCheck): void {
    const pool = openPool(deps);
    const work = check(claimed, pool)
      .catch((error: unknown) =>
        // Its lease runs out by itself.
        log.warn({ err: error, checkId: claimed.id }, 'credential not checked'),
      )
      .finally(() => {
        underWay.delete(work);
        look();
      });
    underWay.set(work, pool);
  }

  async function check(claimed: ClaimedCheck, pool: ProviderPool): Promise<void> {
    const { id, provider } = claimed;
    try {
      const result = await judge(claimed, pool);
      // Others may reach the provider, or have the key.
      if (result === undefined) return;
      if (isClosing && result.verdict === 'unanswered') return await releaseCheck(db, claimed);
      await recordCheckResult(db, claimed, result);
      log.info({ checkId: id, provider, ...result }, 'credential checked');
    } finally {
      await pool.close();
    }
  }

  async function judge(
    claimed: ClaimedCheck,
    pool: ProviderPool,
  ): Promise<CheckResult | undefined> {
    const { id, provider, environment, settings, sealedKey } = claimed;
    let key: Buffer;
    try {
      key = deps.secrets.open(sealedKey, toCheckPlace(id));
    } catch (error) {
      log.error({ err: error, checkId: id }, 'credential to be checked cannot be opened');
      return error instanceof KeyNotAtHand ? undefined : UNUSABLE;
    }
    const identity = { id, version: 1 };
    const credential = openCredential(identity, provider, { settings, environment }, key);
    if (credential === undefined) return UNUSABLE;
    return await push(credential, environment ?? 'production', pool);
  }

  async function push(
    credential: Credential,
    environment: 'production' | 'development',
    pool: ProviderPool,
  ): Promise<CheckResult> {
    const now = Date.now();
    const giveUpAtMs = deps.clockMs() + MAX_TRYING_MS;
    const settled = await attempt(
      pool.get(credential),
      {
        deliveryId: randomUUID(),
        pushToken: NOBODY[credential.provider],
        message: {
          id: createMessageId(now),
          body: {},
          silent: true,
          priority: 'NORMAL',
          expiresAt: new Date(now + 60_000),
        },
        environment,
      },
      {
        mayGoOn: () => !isClosing && deps.clockMs() < giveUpAtMs,
        onBug: (error) => log.error({ err: error }, 'provider client failed'),
      },
    );
    if (settled === 'unsent') return { verdict: 'unanswered', reason: 'not processed in time' };
    return judgeCredential(settled.outcome, settled.status, credential);
  }

  const timer = setInterval(look, everyMs);

  return {
    kick: look,
    async close() {
      isClosing = true;
      clearInterval(timer);
      await claiming;
      for (const pool of underWay.values()) pool.abandon();
      await Promise.all(underWay.keys());
    },
  };
}

const UNUSABLE: CheckResult = { verdict: 'refused', reason: 'unusable_key' };

/** It shares nothing: a check is to find out what this credential can do, and to leave no trace. */
function openPool({ endpoints, apnsClient }: CredentialChecksDeps): ProviderPool {
  return createProviderPool({
    endpoints,
    idleMs: 60_000,
    waitMs: WAIT_MS,
    fcm: { validateOnly: true },
    ...(apnsClient === undefined ? {} : { apnsClient }),
  });
}
