import type { ServerResponse } from 'node:http';

import type { Metrics } from './metrics.ts';

export const METRICS_PATH = '/metrics';

/** Answers with all that is measured. Never rejects: what can't be collected is a 500, which says so to Prometheus. */
export async function writeMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  try {
    const body = await metrics.render();
    response.writeHead(200, { 'content-type': metrics.contentType });
    response.end(body);
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' });
    response.end(String(error));
  }
}
