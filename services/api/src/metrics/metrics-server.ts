import { createServer } from 'node:http';

import { METRICS_PATH, writeMetrics, type Metrics } from '@heliograph/runtime';

import { listenWith, type HttpServer, type ListenAddress } from '../http/server.ts';

/** Serves what is measured, and nothing else, at an address of its own: who may call the api is not who may watch it. */
export function openMetricsServer(metrics: Metrics, address: ListenAddress): Promise<HttpServer> {
  const server = createServer((request, response) => {
    if (request.url === METRICS_PATH) return void writeMetrics(metrics, response);
    response.writeHead(404).end();
  });
  return listenWith(server, address, 'METRICS_PORT');
}
