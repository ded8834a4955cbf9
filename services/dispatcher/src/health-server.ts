import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { METRICS_PATH, writeMetrics, type Health, type Metrics } from '@heliograph/runtime';

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers `/actuator/health`, `/actuator/health/liveness` and `/actuator/health/readiness`, 200 when up, 503 when down; and `/metrics`. */
export async function openHealthServer(
  health: Health,
  metrics: Metrics,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (request.url === METRICS_PATH) return void writeMetrics(metrics, response);
    void answer(health, request.url ?? '').then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await listen(server, host, port);
  return {
    port: portOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(health: Health, url: string): Promise<{ status: number; body: object }> {
  switch (url) {
    case '/actuator/health/liveness':
      return { status: 200, body: health.liveness() };
    case '/actuator/health':
    case '/actuator/health/readiness': {
      const readiness = await health.readiness();
      return { status: readiness.status === 'UP' ? 200 : 503, body: readiness };
    }
    default:
      return { status: 404, body: { status: 'NOT_FOUND' } };
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
