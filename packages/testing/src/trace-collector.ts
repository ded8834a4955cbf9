import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it came over the wire. */
export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  /** As OTLP counts them: 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
}

/** Takes spans, refuses them with a 400, or reads them and never answers. */
export type CollectorMood = 'takes' | 'refuses' | 'hangs';

export interface TraceCollector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** What came, as text, taken or not. */
  readonly bodies: readonly string[];
  /** The headers of the requests. */
  readonly headers: readonly IncomingMessage['headers'][];
  mood: CollectorMood;
  close(): Promise<void>;
}

/** A collector of traces that takes OTLP over HTTP, on a real socket. It reads JSON; protobuf it only takes. */
export async function openTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const collector = { mood: 'takes' as CollectorMood };

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const text = await readText(req);
    bodies.push(text);
    headers.push(req.headers);
    if (collector.mood === 'hangs') return;
    if (collector.mood === 'refuses' || req.url !== '/v1/traces')
      return void res.writeHead(400).end('{}');
    const isJson = req.headers['content-type'] === 'application/json';
    if (isJson) spans.push(...toSpans(JSON.parse(text) as Export));
    res.writeHead(200).end(isJson ? '{}' : '');
  }

  const server = createServer((req, res) => {
    take(req, res).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(collector, {
    url: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    headers,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

interface WireSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

function toSpans({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        service: String(toAttributes(resource.attributes)['service.name']),
        name: span.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        attributes: toAttributes(span.attributes),
        links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
        isError: span.status.code === 2,
      })),
    ),
  );
}

function toAttributes(attributes: readonly Attribute[]) {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]));
}

function toValue({ stringValue, intValue, doubleValue, boolValue }: Value) {
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? doubleValue ?? boolValue ?? '';
}

async function readText(req: IncomingMessage): Promise<string> {
  let text = '';
  req.setEncoding('utf8');
  for await (const part of req) text += String(part);
  return text;
}
