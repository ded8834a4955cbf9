import type { LoadConnection } from './load-connection.ts';
import type { SaturateResult, SaturateTask } from './load.ts';

/** Keeps every connection busy until the time is over, with messages to random devices; waits for the last answers. */
export async function saturate(
  { seconds, devices, firstDevice = 0, platforms }: SaturateTask,
  connections: readonly LoadConnection[],
  toRequest: (device: number) => string,
): Promise<SaturateResult> {
  const step = platforms === 'both' ? 1 : 2;
  const choices = devices / step;
  const first = firstDevice + (platforms === 'android' ? 1 : 0);
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  let accepted = 0;
  let refused = 0;

  async function keepBusy(connection: LoadConnection): Promise<void> {
    while (performance.now() < until) {
      const status = await connection.exchange(
        toRequest(first + Math.floor(Math.random() * choices) * step),
      );
      if (status === 200) accepted += 1;
      else refused += 1;
    }
  }

  await Promise.all(connections.map(keepBusy));
  return { accepted, refused, seconds: (performance.now() - startedAt) / 1000 };
}
