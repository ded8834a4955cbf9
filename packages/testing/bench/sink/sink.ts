import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createSandbox } from '@heliograph/sandbox';

import type { Bench } from '../bench.ts';
import type { BenchProcess } from '../processes.ts';
import { parseStubStatus, toNginxConfig, type SinkCounts, type SinkPorts } from './nginx-config.ts';

const MAX_CONCURRENT_STREAMS = 1000;
/** A sink that uses so much of a core is what is measured. */
export const BUSY_CORE = 0.95;
const READY_WITHIN_MS = 10_000;
const POLL_MS = 20;

/** An nginx in the place of the providers: it takes every push, and costs less than whoever sends it. */
export interface Sink {
  readonly process: BenchProcess;
  readonly nearUrl: string;
  /** Answers after `FAR_MS`. */
  readonly farUrl: string;
  /** Verifies the certificate of a client. */
  readonly mutualUrl: string;
  readonly caFile: string;
  /** What makes services send to it. FCM's tokens come from elsewhere. */
  readonly env: Readonly<Record<string, string>>;
  /** What nginx itself counted since its start: requests whose header it read, and connections it accepted. */
  count(): Promise<SinkCounts>;
}

/** Starts one with the certificates in the folder, which the sandbox has written there. */
export async function startSink(
  { getNginx, processes }: Pick<Bench, 'getNginx' | 'processes'>,
  folder: string,
): Promise<Sink> {
  const program = getNginx();
  const ports = await findFreePorts();
  const file = path.join(folder, 'nginx.conf');
  const config = {
    folder,
    echoModule: path.join(
      path.dirname(program),
      'root/usr/lib/nginx/modules/ngx_http_echo_module.so',
    ),
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    ports,
  };
  writeFileSync(file, toNginxConfig(config));
  const log = path.join(folder, 'nginx-error.log');
  const started = processes.startProgram('nginx', program, ['-p', folder, '-c', file, '-e', log]);

  let looks = 0;
  async function count(): Promise<SinkCounts> {
    const answer = await fetch(`http://127.0.0.1:${ports.status}/`);
    // nginx counts those who ask, too.
    looks += 1;
    const { connections, requests } = parseStubStatus(await answer.text());
    return { connections, requests: requests - looks };
  }
  await Promise.race([waitUntilUp(count), started.failed]);
  const nearUrl = `https://127.0.0.1:${ports.near}`;
  return {
    process: started,
    nearUrl,
    farUrl: `https://127.0.0.1:${ports.far}`,
    mutualUrl: `https://127.0.0.1:${ports.mutual}`,
    caFile: path.join(folder, 'ca.pem'),
    env: { APNS_URL: nearUrl, APNS_SANDBOX_URL: nearUrl, FCM_URL: nearUrl },
    count,
  };
}

/** Writes certificates, as the sandbox does, for a sink without one. Answers a key to sign provider tokens with. */
export async function writeIdentity(folder: string) {
  const sandbox = await createSandbox({ dir: folder });
  await sandbox.close();
  return sandbox.credentials.apns;
}

async function waitUntilUp(look: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await look();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** All at once, so that they differ. */
async function findFreePorts(): Promise<SinkPorts> {
  const servers = await Promise.all([listen(), listen(), listen(), listen()]);
  const [near = 0, far = 0, mutual = 0, status = 0] = servers.map(
    (server) => (server.address() as AddressInfo).port,
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { near, far, mutual, status };
}

function listen() {
  const server = createServer();
  return new Promise<typeof server>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
