import { readFileSync } from 'node:fs';

import { createProviderPool, type ProviderPool } from '@heliograph/providers';

import { PUSH_BODY } from '../load-request.ts';
import { countHandles, findLeftHandles, type Handles } from './handles.ts';
import type { OpenTask, SenderAnswer, SenderTask } from './processes.ts';
import { SendLedger } from './send-ledger.ts';
import { SoakSender } from './soak-sender.ts';
import { orStall } from './stall.ts';

const IDLE_MS = 600_000;
const DAY_MS = 86_400_000;
/** Far more than a server that goes away all the time asks for. */
const CONNECT_LIMITS = { burst: 1_000, perSecond: 1_000, backoffMs: 10, maxBackoffMs: 100 };
/** Longer than any deadline of the pool, and than it waits when it closes. */
const PATIENCE_MS = 20_000;

interface Opened {
  readonly pool: ProviderPool;
  readonly ledger: SendLedger;
  readonly sender: SoakSender;
  readonly handlesBefore: Handles;
}

let opened: Opened | undefined;

/** Our whole provider for APNs, in a process of its own: sends when told to, and says what came of it. A fault of its own ends it. */
process.on('message', (task: SenderTask) => {
  void perform(task).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.({ type: 'ready' });

async function perform(task: SenderTask): Promise<SenderAnswer> {
  if (task.type === 'open') {
    opened = open(task);
    return { type: 'opened' };
  }
  if (opened === undefined) throw new Error('it was not opened');
  return task.type === 'send' ? await send(opened, task.end) : await close(opened);
}

function open({ url, caFile, credentials, pushes, deadlineMs }: OpenTask): Opened {
  const handlesBefore = countHandles();
  const { bundle, keyId, teamId, privateKeyBase64 } = credentials;
  const pool = createProviderPool({
    endpoints: {
      apns: { production: url, development: url, ca: readFileSync(caFile, 'utf8') },
      fcm: { url, tokenUrl: url, allowedTokenUris: [] },
      proxy: { allowPrivateAddresses: false },
    },
    idleMs: IDLE_MS,
    deadlinesMs: { apns: deadlineMs },
    connectLimits: CONNECT_LIMITS,
  });
  const provider = pool.get({
    provider: 'apns',
    route: 'direct',
    id: 'soak',
    version: 1,
    environment: undefined,
    bundle,
    auth: 'token',
    keyId,
    teamId,
    privateKey: Buffer.from(privateKeyBase64, 'base64'),
  });
  const ledger = new SendLedger(pushes);
  const expiresAt = new Date(Date.now() + DAY_MS);
  const message = {
    id: 'soak',
    silent: false,
    priority: 'HIGH',
    expiresAt,
    body: PUSH_BODY,
  } as const;
  return { pool, ledger, sender: new SoakSender({ provider, message, ledger }), handlesBefore };
}

async function send({ sender, ledger }: Opened, end: number): Promise<SenderAnswer> {
  const startedAtMs = performance.now();
  const cpuBefore = process.cpuUsage();
  await orStall(sender.sendUpTo(end), {
    progress: () => ledger.ended + ledger.requeues,
    patienceMs: PATIENCE_MS,
    toMessage: () =>
      `nothing came of ${end - ledger.ended} pushes for long, and of ${ledger.endedAgain} more than once`,
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { type: 'sent', seconds, cpuMicros: user + system };
}

async function close({ pool, ledger, sender, handlesBefore }: Opened): Promise<SenderAnswer> {
  await orStall(pool.close(), {
    progress: () => 0,
    patienceMs: PATIENCE_MS,
    toMessage: () => 'the pool did not close',
  });
  return {
    type: 'closed',
    leftHandles: await findLeftHandles(handlesBefore),
    ends: Buffer.from(ledger.ends).toString('base64'),
    lastAttempts: Buffer.from(ledger.lastAttempts).toString('base64'),
    endedAgain: ledger.endedAgain,
    requeues: ledger.requeues,
    singles: sender.singles,
    stops: sender.stops,
  };
}
