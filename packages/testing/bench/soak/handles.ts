import { setTimeout as sleep } from 'node:timers/promises';

/** For last words of connections, which take a second at most. */
const GONE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** How many there are of each kind of what keeps this process busy: sockets, timers. */
export type Handles = ReadonlyMap<string, number>;

export function countHandles(kinds = process.getActiveResourcesInfo()): Handles {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Waits until there are no more of any kind than there were; answers which ones stayed, if any. */
export async function findLeftHandles(before: Handles): Promise<readonly string[]> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const left = listMore(before, countHandles());
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(LOOK_EVERY_MS);
  }
}

/** What there is more of than before, with by how many. */
export function listMore(before: Handles, after: Handles): readonly string[] {
  return [...after].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} × ${kind}`] : [];
  });
}
