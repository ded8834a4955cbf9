import type { RedisClient } from './connection.ts';
import { toError } from './hint-queue.ts';

/** That a credential waits to be checked, told by apis to dispatchers. A hint may get lost. */
const channelOf = (prefix: string) => `${prefix}:checks`;

/** Tells every listening dispatcher. To be called after the commit. Never rejects. */
export async function publishCheck(
  connection: RedisClient,
  prefix: string,
  onError: (error: Error) => void,
): Promise<void> {
  try {
    await connection.publish(channelOf(prefix), '');
  } catch (error) {
    onError(toError(error));
  }
}

/** Calls `heard` when there is something to be checked. The connection is then good for hints only. */
export async function subscribeChecks(
  connection: RedisClient,
  prefix: string,
  heard: () => void,
): Promise<void> {
  connection.on('message', (channel: string) => {
    if (channel === channelOf(prefix)) heard();
  });
  await connection.subscribe(channelOf(prefix));
}
