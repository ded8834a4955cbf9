import type { RedisClient } from './connection.ts';
import { toError } from './hint-queue.ts';

/** Users who got a message into their inbox, told to the apis that have streams open for them. A hint may get lost. */
const channelOf = (prefix: string) => `${prefix}:inbox`;

/** Tells every listening api that these users have a message. To be called after the commit. Never rejects. */
export async function publishInbox(
  connection: RedisClient,
  prefix: string,
  userIds: readonly string[],
  onError: (error: Error) => void,
): Promise<void> {
  if (userIds.length === 0) return;
  try {
    // A user id may be any text.
    await connection.publish(channelOf(prefix), JSON.stringify(userIds));
  } catch (error) {
    onError(toError(error));
  }
}

/** Calls `heard` with the ids of users who have a message. The connection is then good for hints only. */
export async function subscribeInbox(
  connection: RedisClient,
  prefix: string,
  heard: (userIds: readonly string[]) => void,
): Promise<void> {
  connection.on('message', (channel: string, message: string) => {
    if (channel === channelOf(prefix)) heard(toUserIds(message));
  });
  await connection.subscribe(channelOf(prefix));
}

/** None where the message is not ours. */
function toUserIds(message: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(message);
    return Array.isArray(parsed) ? parsed.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}
