import { setTimeout as sleep } from 'node:timers/promises';

import { LoadConnection } from './load-connection.ts';
import type { FloodResult, FloodTask } from './load.ts';

/**
 * Sends at an even pace, whatever comes of it: where every connection waits for an answer another is added, up to so many. What finds none
 * is not sent.
 */
export async function flood(
  { port, perSecond, seconds, devices, maxConnections }: FloodTask,
  connections: LoadConnection[],
  toRequest: (device: number) => string,
): Promise<FloodResult> {
  const idle = [...connections];
  const answers: Record<number, number> = {};
  let unsent = 0;
  let broken = 0;

  async function send(device: number): Promise<void> {
    const connection = idle.pop() ?? (await addConnection());
    if (connection === undefined) {
      unsent += 1;
      return;
    }
    try {
      const status = await connection.exchange(toRequest(device));
      answers[status] = (answers[status] ?? 0) + 1;
      idle.push(connection);
    } catch {
      // Whether it was done, nobody knows.
      broken += 1;
    }
  }

  let opening = 0;
  async function addConnection(): Promise<LoadConnection | undefined> {
    if (connections.length + opening >= maxConnections) return undefined;
    opening += 1;
    const added = await LoadConnection.open(port);
    opening -= 1;
    connections.push(added);
    return added;
  }

  const count = Math.round(perSecond * seconds);
  const start = performance.now();
  const sent = new Set<Promise<void>>();
  for (let index = 0; index < count; index += 1) {
    // From the start, not from the one before: a late timer makes no gap in the pace.
    const wait = start + (index * 1000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    const sending = send(index % devices);
    sent.add(sending);
    void sending.finally(() => sent.delete(sending));
  }
  await Promise.all(sent);
  return {
    answers,
    unsent,
    broken,
    connections: connections.length,
    seconds: (performance.now() - start) / 1000,
  };
}
