import type { AttemptBucket, Attempts } from '@heliograph/queue';

import { toClientNetwork } from '../http/client-address.ts';
import { createLocalAttempts } from './local-attempts.ts';

/** Who tries to sign in. */
export interface SignInAttempt {
  /** Undefined where what was typed is nobody's name. */
  readonly name: string | undefined;
  readonly address: string;
}

/** Bounds the guessing of passwords over all servers; in each of them alone while Redis does not answer. */
export interface SignInLimit {
  /** Answers 0, or how long to wait, in ms. Never rejects. */
  take(attempt: SignInAttempt): Promise<number>;
  /** The attempt was none to guess. Never rejects. */
  giveBack(attempt: SignInAttempt): Promise<void>;
  /** Whether it is the first time in ten minutes that this is shown. Never rejects. */
  isFirstUse(id: string): Promise<boolean>;
  /** Whether one more failure may be written down: strangers are not to fill the audit log. Never rejects. */
  takeRecord(): Promise<boolean>;
}

export interface SignInLimitDeps {
  readonly attempts: Attempts;
  readonly onError: (error: unknown) => void;
  /** Instead of `SIGN_IN_BOUNDS`. */
  readonly bounds?: SignInBounds;
  readonly patienceMs?: number;
}

type Bound = Omit<AttemptBucket, 'name'>;

export interface SignInBounds {
  readonly pair: Bound;
  readonly address: Bound;
  readonly name: Bound;
  readonly record: Bound;
}

/**
 * One address has few attempts at a name, so it can't keep the user out who comes from another; only what guesses from everywhere at once
 * meets the bound of the name.
 */
export const SIGN_IN_BOUNDS: SignInBounds = {
  pair: { size: 10, perSecond: 1 / 30 },
  address: { size: 50, perSecond: 1 / 2 },
  name: { size: 100, perSecond: 1 / 6 },
  record: { size: 200, perSecond: 1 / 30 },
};

/** What comes once has come again after so long at the earliest. */
const ONCE = { size: 1, perSecond: 1 / 600 };

/** No sign-in waits longer for Redis. */
const PATIENCE_MS = 500;

export function createSignInLimit({
  attempts,
  onError,
  bounds = SIGN_IN_BOUNDS,
  patienceMs = PATIENCE_MS,
}: SignInLimitDeps): SignInLimit {
  const local = createLocalAttempts();

  async function ask<T>(work: (attempts: Attempts) => Promise<T>): Promise<T> {
    try {
      return await withPatience(work(attempts), patienceMs);
    } catch (error) {
      onError(error);
      return work(local);
    }
  }

  function toBuckets({ name, address }: SignInAttempt): readonly AttemptBucket[] {
    const network = toClientNetwork(address);
    const ofAddress = { name: `address:${network}`, ...bounds.address };
    if (name === undefined) return [ofAddress];
    return [
      { name: `pair:${name}:${network}`, ...bounds.pair },
      ofAddress,
      { name: `name:${name}`, ...bounds.name },
    ];
  }

  return {
    take: (attempt) => ask((one) => one.take(toBuckets(attempt))),
    giveBack: (attempt) => ask((one) => one.giveBack(toBuckets(attempt))),
    isFirstUse: async (id) =>
      (await ask((one) => one.take([{ name: `once:${id}`, ...ONCE }]))) === 0,
    takeRecord: async () =>
      (await ask((one) => one.take([{ name: 'records', ...bounds.record }]))) === 0,
  };
}

function withPatience<T>(asked: Promise<T>, patienceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Redis takes too long')), patienceMs);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
