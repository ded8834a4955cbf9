import type { ServerResponse } from 'node:http';

import { isOver, type AuthenticateDeps } from './authenticate.ts';

/** How often it is looked whether the key of a stream is still valid. */
const EVERY_MS = 10_000;

/** Cuts a stream off once its key was revoked, or its time is over. What can't be looked up is looked up again. */
export function endWithKey(
  { keys, now }: Pick<AuthenticateDeps, 'keys' | 'now'>,
  keyId: string,
  res: ServerResponse,
  everyMs = EVERY_MS,
): void {
  async function look(): Promise<void> {
    const key = await keys.find(keyId);
    if (key === undefined || isOver(key, now())) res.destroy();
  }

  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  res.once('close', () => clearInterval(timer));
}
