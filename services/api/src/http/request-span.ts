import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import type { Span, Tracing } from '@heliograph/runtime';

import type { RequestOrigin } from '../origin.ts';
import { findRoute } from './route-of.ts';

/** Beside the answers, since Express hands no value of ours from one handler to the next that knows its type. */
const spans = new WeakMap<ServerResponse, Span>();

/** Looking after our health is nobody's request. */
const UNTRACED = /\/actuator\//;

/**
 * Each request is a span, which goes on with the caller's trace where there is one. It says the route, and never the path: that may name
 * a user.
 */
export function traceRequests(
  tracing: Tracing | undefined,
  listener: RequestListener,
): RequestListener {
  if (tracing === undefined) return listener;
  return (req, res) => {
    if (!UNTRACED.test(req.url ?? '')) trace(tracing, req, res);
    listener(req, res);
  };
}

function trace(tracing: Tracing, req: IncomingMessage, res: ServerResponse): void {
  const method = req.method ?? 'HTTP';
  const { traceparent, tracestate } = req.headers;
  const span = tracing.start(method, {
    kind: 'server',
    parent: typeof traceparent === 'string' ? traceparent : undefined,
    traceState: tracestate?.toString(),
    facts: { 'http.request.method': method, 'url.scheme': toScheme(req) },
  });
  spans.set(res, span);
  // Comes after the last byte, and when the caller goes before that.
  res.once('close', () => {
    const route = findRoute(res);
    if (route !== undefined) span.rename(`${method} ${route}`);
    span.note({
      'http.route': route,
      'http.response.status_code': res.headersSent ? res.statusCode : undefined,
      'heliograph.request.id': originOf(res).requestId,
    });
    span.end(toError(res));
  });
}

function toScheme({ socket }: IncomingMessage): string {
  return 'encrypted' in socket ? 'https' : 'http';
}

/** A refusal is no error of the server's. */
function toError(res: ServerResponse): string | undefined {
  if (!res.writableFinished) return 'aborted';
  return res.statusCode >= 500 ? String(res.statusCode) : undefined;
}

export function originOf(res: ServerResponse): RequestOrigin {
  return { requestId: String(res.getHeader('X-Correlation-ID')), span: spans.get(res) };
}
