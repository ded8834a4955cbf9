import type { RedisClient } from './connection.ts';
import { toError } from './hint-queue.ts';

/** Message ids that got outcomes, told by dispatchers to the apis whose callers wait for them. A hint may get lost. */
const channelOf = (prefix: string) => `${prefix}:outcomes`;

/** Tells every listening api that these messages changed. Never rejects. */
export async function publishOutcomes(
  connection: RedisClient,
  prefix: string,
  messageIds: readonly string[],
  onError: (error: Error) => void,
): Promise<void> {
  if (messageIds.length === 0) return;
  try {
    await connection.publish(channelOf(prefix), messageIds.join(' '));
  } catch (error) {
    onError(toError(error));
  }
}

/** Calls `heard` with the ids of messages that changed. The connection is then good for hints only. */
export async function subscribeOutcomes(
  connection: RedisClient,
  prefix: string,
  heard: (messageIds: readonly string[]) => void,
): Promise<void> {
  connection.on('message', (channel: string, message: string) => {
    if (channel === channelOf(prefix)) heard(message.split(' '));
  });
  await connection.subscribe(channelOf(prefix));
}
