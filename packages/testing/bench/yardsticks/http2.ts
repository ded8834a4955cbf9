import type { Processes } from '../processes.ts';
import type { ReceivedPush, SandboxCredentials } from '../sandbox.ts';

export interface Http2Task {
  readonly url: string;
  readonly caFile: string;
  readonly credentials: SandboxCredentials['apns'];
  /** The push that is sent again and again, each time with an apns-id of its own. */
  readonly push: ReceivedPush;
  readonly pushes: number;
  /** Pushes go to the APNs devices below this number. */
  readonly devices: number;
}

export interface Http2Result {
  readonly seconds: number;
  readonly refused: number;
  readonly cpuMicros: number;
}

/** Sends the pushes with a bare `node:http2` client in a new process, which is then as cold as a new dispatcher. */
export async function sendByHttp2(processes: Processes, task: Http2Task): Promise<Http2Result> {
  const client = processes.start('http2', 'packages/testing/bench/yardsticks/http2-main.ts', {
    fromSource: true,
  });
  await client.next();
  const result = await client.ask<Http2Result>(task);
  await client.stop();
  if (result.refused > 0) throw new Error(`the yardstick had ${result.refused} pushes refused`);
  return result;
}
