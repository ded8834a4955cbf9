import type { CallbackAudience } from '@heliograph/db';
import { publishOutcomes, type Lane, type RedisClient } from '@heliograph/queue';

import type { Callbacks } from '../callbacks/callbacks.ts';
import type { Recording } from './recorder.ts';

/** What is due again within a minute is announced by a delayed job; later times wait in the database only. */
const ANNOUNCE_WITHIN_MS = 60_000;

/** Callers and callbacks that wait hear of their outcomes; what is due again soon is announced for then. */
export function tellOutcomes(
  deps: {
    readonly redis: RedisClient;
    readonly prefix: string;
    readonly lane: Lane;
    readonly audience: CallbackAudience;
    readonly callbacks: Pick<Callbacks, 'kick'>;
    readonly onRedisError: (error: Error) => void;
  },
  recordings: readonly Recording[],
): void {
  const awaited = new Set<string>();
  const soon = new Map<number, string[]>();
  for (const { update, appRef, awaitedMessageId } of recordings) {
    if (awaitedMessageId !== undefined) awaited.add(awaitedMessageId);
    if (update.state !== 'pending' && deps.audience.listensTo(appRef)) deps.callbacks.kick();
    if (update.nextAttemptAt === null || update.pauseId !== null) continue;
    const delayMs = update.nextAttemptAt.getTime() - Date.now();
    if (delayMs > ANNOUNCE_WITHIN_MS) continue;
    // Whole seconds, rounded up: deliveries that failed together share a job.
    const seconds = Math.max(1, Math.ceil(delayMs / 1000));
    const ids = soon.get(seconds) ?? [];
    ids.push(update.id);
    soon.set(seconds, ids);
  }
  void publishOutcomes(deps.redis, deps.prefix, [...awaited], deps.onRedisError);
  for (const [seconds, ids] of soon) void deps.lane.announce(ids, seconds * 1000);
}
