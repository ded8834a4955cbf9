import { setTimeout as sleep } from 'node:timers/promises';

import { LoadConnection } from './load-connection.ts';
import type { PaceResult, PaceTask } from './load.ts';

/**
 * Sends at an even pace, one message per device in their order, however long answers take: where every connection waits for one,
 * another is added to them.
 */
export async function pace(
  { port, perSecond, seconds, firstDevice }: PaceTask,
  connections: LoadConnection[],
  toRequest: (device: number) => string,
): Promise<PaceResult> {
  const idle = [...connections];
  const startedAtMs: number[] = [];
  const answerMs: number[] = [];
  let refused = 0;

  async function send(device: number): Promise<void> {
    const startedAt = performance.now();
    startedAtMs.push(Date.now());
    const connection = idle.pop() ?? (await addConnection());
    const status = await connection.exchange(toRequest(device));
    answerMs.push(performance.now() - startedAt);
    if (status !== 200) refused += 1;
    idle.push(connection);
  }

  async function addConnection(): Promise<LoadConnection> {
    const added = await LoadConnection.open(port);
    connections.push(added);
    return added;
  }

  const count = Math.round(perSecond * seconds);
  const start = performance.now();
  const sent: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    // From the start, not from the one before: a late timer makes no gap in the pace.
    const wait = start + (index * 1000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    sent.push(send(firstDevice + index));
  }
  await Promise.all(sent);
  return { startedAtMs, answerMs, refused };
}
