import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Bench } from '../bench.ts';
import type { Report } from '../report.ts';
import { startSink, writeIdentity } from '../sink/sink.ts';
import { startClient } from '../transport/clients.ts';
import { measure, measureInTurns } from '../transport/measure.ts';
import { PROXY_MESSAGE } from '../transport/proxy-message.ts';
import { toProxyReport } from '../transport/proxy-report.ts';
import type { ProxyClientKind } from '../transport/push-client.ts';

const KINDS: readonly ProxyClientKind[] = ['proxy', 'undici-agent'];
const SECONDS = 4;
const WARM_UP_SECONDS = 2;
/** Each of the eight connections has the next one waiting. */
const IN_FLIGHT = 16;

/**
 * Our provider for customers' proxies beside bare undici, each over eight connections with a client certificate, from a process of its
 * own to nginx.
 */
export async function proxy(bench: Bench): Promise<Report> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-proxy-'));
  bench.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const credentials = await writeIdentity(folder);
  const sink = await startSink(bench, folder);
  const target = {
    url: sink.mutualUrl,
    caFile: sink.caFile,
    credentials,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      accept: 'application/json',
      'user-agent': 'bench',
    },
    body: toBody(),
    inFlight: IN_FLIGHT,
  };

  const clients = [];
  for (const kind of KINDS) {
    const client = await startClient(bench.processes, kind, target);
    await measure(sink, client, { seconds: WARM_UP_SECONDS });
    clients.push(client);
  }
  const measured = await measureInTurns(sink, clients, bench.seconds ?? SECONDS);
  return toProxyReport(measured);
}

/** Of the same size as the provider makes it. */
function toBody(): string {
  const { body, sound, badge, extras } = PROXY_MESSAGE.body;
  return JSON.stringify({
    'push-service': 1,
    notificationType: 'apn',
    ...extras,
    badge,
    aps: { alert: body, sound },
  });
}
