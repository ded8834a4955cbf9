import type { Bench } from '../bench.ts';
import { readCpuMicros, startCpuMeter } from '../process-meter.ts';
import { formatCores, perSecond, round, type Row, toCores } from '../report.ts';
import type { SandboxCredentials } from '../sandbox.ts';
import { BUSY_CORE, type Sink } from '../sink/sink.ts';
import { toBenchPush } from '../transport/bench-push.ts';
import { startClient } from '../transport/clients.ts';

const IN_FLIGHT = 500;

export interface BareHttp2 {
  readonly rate: number;
  /** Per push, of the client. */
  readonly cpuMicros: number;
  readonly cores: { readonly client: number; readonly nginx: number };
}

/**
 * The least that a push costs over `node:http2`: one connection, and no ledger, queue, retry or deadline. The client is new, and then as
 * cold as a new dispatcher.
 */
export async function measureBareHttp2(
  { processes }: Pick<Bench, 'processes'>,
  sink: Sink,
  credentials: SandboxCredentials['apns'],
  pushes: number,
): Promise<BareHttp2> {
  const client = await startClient(processes, 'http2', {
    url: sink.nearUrl,
    caFile: sink.caFile,
    credentials,
    ...toBenchPush(credentials.bundle, Date.now()),
    inFlight: IN_FLIGHT,
  });
  const { requests: before } = await sink.count();
  const meter = startCpuMeter({ nginx: () => readCpuMicros(sink.process.pid) });
  const { accepted, seconds, cpuMicros } = await client.run({ pushes });
  const { nginx } = toCores(meter.read(), seconds);
  const counted = (await sink.count()).requests - before;
  await client.process.stop();
  if (counted !== accepted)
    throw new Error(`the yardstick had ${accepted} pushes accepted, nginx counted ${counted}`);
  return {
    rate: accepted / seconds,
    cpuMicros: cpuMicros / accepted,
    cores: { client: round(cpuMicros / 1e6 / seconds, 2), nginx },
  };
}

export function toBareRows({ rate, cpuMicros, cores }: BareHttp2): Row[] {
  return [
    { name: 'yardstick', value: `${perSecond(rate)}, bare node:http2 to APNs` },
    { name: '  CPU per push', value: `client ${round(cpuMicros)} µs` },
    { name: '  cores in use', value: formatCores(cores) },
  ];
}

/** What to say of a rate that is nginx's own. */
export function noteBusySink(nginx: number): string[] {
  if (nginx < BUSY_CORE) return [];
  return [`nginx used ${round(nginx * 100)} % of a core: it is the limit, so there is no ratio`];
}
