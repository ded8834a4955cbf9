import type { ServerResponse } from 'node:http';

/** How often it is looked whether the key, or session, of a stream is still valid. */
const EVERY_MS = 10_000;

/** Cuts a stream off once whoever opened it would not be let in any more. What can't be looked up is looked up again. */
export function endWithCaller(
  isStillValid: () => Promise<boolean>,
  res: ServerResponse,
  everyMs = EVERY_MS,
): void {
  async function look(): Promise<void> {
    if (!(await isStillValid())) res.destroy();
  }

  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  res.once('close', () => clearInterval(timer));
}
