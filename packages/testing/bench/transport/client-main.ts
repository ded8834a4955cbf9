import { toDevice } from '../devices.ts';
import type { ClientAnswer, ClientTask, RunTask } from './clients.ts';
import { drive } from './drive.ts';
import { openEngineClient } from './engine-client.ts';
import { openHeliographClient } from './heliograph-client.ts';
import { openHttp2Client } from './http2-client.ts';
import { openNodeApnClient } from './node-apn-client.ts';
import { openProxyClient } from './proxy-client.ts';
import type { ClientKind, OpenClient, PushClient } from './push-client.ts';
import { openUndiciAgentClient } from './undici-agent-client.ts';
import { openUndiciClient } from './undici-client.ts';

const OPENERS: Readonly<Record<ClientKind, OpenClient>> = {
  heliograph: openHeliographClient,
  engine: openEngineClient,
  http2: openHttp2Client,
  'node-apn': openNodeApnClient,
  undici: openUndiciClient,
  proxy: openProxyClient,
  'undici-agent': openUndiciAgentClient,
};
const TOKENS = 10_000;

const pushTokens = Array.from({ length: TOKENS }, (_, n) => toDevice(2 * n).pushToken);
let client: PushClient | undefined;
let inFlight = 0;

/** One of the clients: opens its connection when told to, sends when told to, and ends with its parent. */
process.on('message', (task: ClientTask) => {
  void perform(task).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.({ type: 'ready' });

async function perform(task: ClientTask): Promise<ClientAnswer> {
  try {
    if (task.type === 'run') return await run(task);
    client = await OPENERS[task.kind](task.target);
    inFlight = task.target.inFlight;
    return { type: 'opened' };
  } catch (error) {
    return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function run({ seconds, pushes }: RunTask): Promise<ClientAnswer> {
  if (client === undefined) throw new Error('there is no connection yet');
  const cpuBefore = process.cpuUsage();
  const driven = await drive(client, {
    ...(seconds === undefined ? {} : { seconds }),
    ...(pushes === undefined ? {} : { pushes }),
    inFlight,
    pushTokens,
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  return { type: 'ran', ...driven, cpuMicros: user + system };
}
