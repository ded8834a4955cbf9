/** Who wants to send: campaigns leave a part of what there is to messages. */
export type PaceLane = 'message' | 'campaign';

/** How fast one account may be sent to, for all that is sent to it by this process. */
export interface Pacer {
  /** Takes one permit, if there is one for that lane. Costs next to nothing. */
  tryTake(lane: PaceLane): boolean;
  /** Puts back a permit that was not used after all. */
  putBack(): void;
  /** Resolves when it is worth trying again, within a few seconds at most; never rejects. Others may be faster: try in a loop. */
  whenReady(lane: PaceLane): Promise<void>;
  /** The provider refused a push because the account's quota is used up, and asked to be left alone for so long. */
  slowDown(retryAfterMs?: number): void;
}

/** Both paces are kept: the account's, and the limit of this one credential. */
export function paceByBoth(account: Pacer, own: Pacer): Pacer {
  return {
    tryTake(lane) {
      if (!own.tryTake(lane)) return false;
      if (account.tryTake(lane)) return true;
      own.putBack();
      return false;
    },
    putBack() {
      own.putBack();
      account.putBack();
    },
    async whenReady(lane) {
      await Promise.all([account.whenReady(lane), own.whenReady(lane)]);
    },
    // What the account's other credentials send counts against its quota too.
    slowDown: (retryAfterMs) => account.slowDown(retryAfterMs),
  };
}
