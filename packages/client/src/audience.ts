import { HeliographError } from './error.ts';
import type { CallOptions, Endpoint, Http } from './http.ts';

/** With the longest user ids, a quarter of what a server takes unless told otherwise. */
const MAX_USERS = 10_000;

/**
 * Hands over users in requests of bounded size, one after the other. A server that finds them too large gets smaller ones. Users that
 * were handed over before a failure stay; handing over all of them again is harmless.
 */
export async function sendAudience(
  http: Http,
  endpoint: Endpoint,
  users: Iterable<string> | AsyncIterable<string>,
  options: CallOptions | undefined,
): Promise<void> {
  let size = MAX_USERS;
  let waiting: string[] = [];

  async function send(part: readonly string[]): Promise<void> {
    try {
      await http.call({ ...endpoint, request: part }, options);
    } catch (error) {
      if (!isTooLarge(error) || part.length < 2) throw error;
      const half = Math.ceil(part.length / 2);
      size = Math.min(size, half);
      await send(part.slice(0, half));
      await send(part.slice(half));
    }
  }

  for await (const user of users) {
    waiting.push(user);
    if (waiting.length < size) continue;
    await send(waiting);
    waiting = [];
  }
  if (waiting.length > 0) await send(waiting);
}

function isTooLarge(error: unknown): boolean {
  return error instanceof HeliographError && error.status === 413;
}
