import type { RedisClient } from './connection.ts';
import { toError, type LaneOptions } from './hint-queue.ts';

/** The nonces of signed requests, as the api's replicas share them: a quick look before the database decides. */
export interface Nonces {
  /**
   * Claims the nonce; `accepted` where a request with it was accepted. Otherwise `open`, also where another one is claiming it (it may
   * have died before its commit) and where Redis does not answer: then the database decides. Never rejects.
   */
  claim(developerKeyRef: number, nonce: string): Promise<'open' | 'accepted'>;
  /** Says that the request was accepted, after the commit. Never rejects. */
  accept(developerKeyRef: number, nonce: string): Promise<void>;
}

export interface NoncesOptions extends LaneOptions {
  /** A nonce is forgotten after so long: by then the date of its request is out of the window. */
  readonly ttlMs: number;
}

const CLAIMED = 'claimed';
const ACCEPTED = 'accepted';

export function createNonces(
  connection: RedisClient,
  { prefix, ttlMs, onError }: NoncesOptions,
): Nonces {
  const keyOf = (developerKeyRef: number, nonce: string) =>
    `${prefix}:nonce:${developerKeyRef}:${nonce}`;

  return {
    async claim(developerKeyRef, nonce) {
      const key = keyOf(developerKeyRef, nonce);
      try {
        if ((await connection.set(key, CLAIMED, 'PX', ttlMs, 'NX')) !== null) return 'open';
        return (await connection.get(key)) === ACCEPTED ? 'accepted' : 'open';
      } catch (error) {
        onError(toError(error));
        return 'open';
      }
    },

    async accept(developerKeyRef, nonce) {
      try {
        await connection.set(keyOf(developerKeyRef, nonce), ACCEPTED, 'PX', ttlMs);
      } catch (error) {
        onError(toError(error));
      }
    },
  };
}
