import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import type { Count, Duration, Metrics } from '@heliograph/runtime';

import { EVENT_STREAM } from '../http/event-stream.ts';
import { findRoute } from '../http/route-of.ts';

/** A request that waits for its outcomes takes seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const UNMATCHED = 'unmatched';
/** The caller went away before there was an answer. */
const NO_STATUS = 'none';
const USUAL_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
]);

/** Counts and times requests by the template of their endpoint, never by what stands in their path. */
export interface RequestMetrics {
  /** The same listener, measured. */
  measured(listener: RequestListener): RequestListener;
}

interface RouteMetrics {
  readonly seconds: Duration;
  /** By method and status. */
  readonly counts: Map<string, Count>;
}

export function createRequestMetrics(metrics: Metrics): RequestMetrics {
  const total = metrics.counts({
    name: 'heliograph_http_requests_total',
    help: 'Requests that were answered, or whose callers went away.',
    labelNames: ['route', 'method', 'status'],
  });
  const seconds = metrics.durations({
    name: 'heliograph_http_request_seconds',
    help: 'From the headers of a request to the last byte of its answer; of streams, nothing.',
    labelNames: ['route'],
    buckets: BUCKETS,
  });
  const byRoute = new Map<string, RouteMetrics>();

  function open(route: string): RouteMetrics {
    const kept = byRoute.get(route);
    if (kept !== undefined) return kept;
    const made = { seconds: seconds.of({ route }), counts: new Map<string, Count>() };
    byRoute.set(route, made);
    return made;
  }

  function note(req: IncomingMessage, res: ServerResponse, startedMs: number): void {
    const route = findRoute(res) ?? findExpressRoute(req) ?? UNMATCHED;
    const ofRoute = open(route);
    const method = req.method ?? '';
    const key = `${method} ${res.headersSent ? res.statusCode : NO_STATUS}`;
    const count = ofRoute.counts.get(key) ?? addCount(ofRoute, route, key);
    count.add();
    if (!isStream(res)) ofRoute.seconds.observe((performance.now() - startedMs) / 1000);
  }

  function addCount({ counts }: RouteMetrics, route: string, key: string): Count {
    const [method = '', status = ''] = key.split(' ');
    const label = USUAL_METHODS.has(method) ? method : 'other';
    const made = total.of({ route, method: label, status });
    // Node takes no method but the few that it knows, so this ends.
    counts.set(key, made);
    return made;
  }

  return {
    measured: (listener) => (req, res) => {
      const startedMs = performance.now();
      // Comes after the last byte, and when the caller goes before that.
      res.once('close', () => note(req, res, startedMs));
      listener(req, res);
    },
  };
}

/** Of what is no endpoint of the API, such as health: what Express took the request for. */
function findExpressRoute(req: IncomingMessage): string | undefined {
  if (!('route' in req)) return undefined;
  const { route } = req;
  if (typeof route !== 'object' || route === null || !('path' in route)) return undefined;
  const path: unknown = Array.isArray(route.path) ? route.path[0] : route.path;
  return typeof path === 'string' ? path : undefined;
}

function isStream(res: ServerResponse): boolean {
  return res.getHeader('content-type') === EVENT_STREAM;
}
