import type { Outcome } from '@heliograph/core';

import type { Attempt, Push, PushFeed } from './push-provider.ts';

export interface Sends<P extends Push> {
  /** At once. */
  readonly limit: number;
  readonly send: (push: P) => Promise<Attempt>;
  /** Why nothing more is sent, once that is so. */
  readonly findStop: () => Outcome | undefined;
}

/** Serves a feed where a client can only send one push after another. */
export async function feedBySends<P extends Push>(
  feed: PushFeed<P>,
  { limit, send, findStop }: Sends<P>,
): Promise<void> {
  const sendOneAfterAnother = async () => {
    while (findStop() === undefined) {
      const push = feed.next();
      if (push === undefined) return;
      feed.settle(push, await send(push));
    }
  };
  await Promise.all(Array.from({ length: limit }, sendOneAfterAnother));
  const stop = findStop();
  if (stop !== undefined) feed.stop(stop);
}
