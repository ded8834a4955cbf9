import type { Attempt, Push, PushFeed } from './push-provider.ts';

/** Serves a feed where a client can only send one push after another; `limit` at once. */
export async function feedBySends<P extends Push>(
  feed: PushFeed<P>,
  limit: number,
  send: (push: P) => Promise<Attempt>,
): Promise<void> {
  const sendOneAfterAnother = async () => {
    for (let push = feed.next(); push !== undefined; push = feed.next())
      feed.settle(push, await send(push));
  };
  await Promise.all(Array.from({ length: limit }, sendOneAfterAnother));
}
