import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type Span as ApiSpan,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';

import { ExportWatch, MAX_WAITING_SPANS } from './export-watch.ts';
import type { TracingDeps } from './open-tracing.ts';
import type { TracingSettings } from './read-tracing.ts';
import type { Span, SpanFacts, SpanOptions, TraceIds, Tracing } from './tracing.ts';

/** A batch is handed over when it has so many spans, or after that time. */
const BATCH_SPANS = 512;
const BATCH_EVERY_MS = 2_000;
/** What is not with the collector then, when the process stops, is lost. */
const FLUSH_MS = 3_000;
const MAX_LINKS = 128;

/** OpenTelemetry's own SDK and exporter. Nothing global is set: who makes spans is handed this. */
export async function createOtelTracing(
  settings: TracingSettings,
  { log, version }: TracingDeps,
): Promise<Tracing> {
  const watch = new ExportWatch(log);
  const batches = new BatchSpanProcessor({
    exporter: watch.behind(await createExporter(settings)),
    maxQueueSize: MAX_WAITING_SPANS,
    maxExportBatchSize: BATCH_SPANS,
    scheduledDelayMillis: BATCH_EVERY_MS,
  });
  const provider = new TracerProvider({
    sampler: toSampler(settings),
    spanProcessors: [watch.before(batches)],
    spanLimits: { linkCountLimit: MAX_LINKS },
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.instance.id': randomUUID(),
        'host.name': hostname(),
        'process.pid': process.pid,
        ...(version === undefined ? {} : { 'service.version': version }),
        ...settings.resource,
      }),
    ),
  });
  const tracer = provider.getTracer('heliograph', version);
  let closed: Promise<void> | undefined;

  return {
    start(name, { kind, parent, traceState, links = [], facts = {}, startedAt }) {
      const options = {
        kind: KINDS[kind],
        attributes: toAttributes(facts),
        links: toLinks(links),
        ...(startedAt === undefined ? {} : { startTime: startedAt }),
      };
      return new OtelSpan(tracer.startSpan(name, options, toContext(parent, traceState)));
    },
    close: () => (closed ??= flush(provider)),
  };
}

/** Spans that are lost at the very end are no failure of a shutdown; the watch tells of them. */
async function flush(provider: TracerProvider): Promise<void> {
  const flushed = provider.shutdown().catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_MS);
  });
  await Promise.race([flushed, late]);
  clearTimeout(timer);
}

const KINDS: Readonly<Record<SpanOptions['kind'], SpanKind>> = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
};

class OtelSpan implements Span {
  readonly span: ApiSpan;
  #isEnded = false;

  constructor(span: ApiSpan) {
    this.span = span;
  }

  get traceParent(): string | undefined {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return (traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : `00-${traceId}-${spanId}-01`;
  }

  get ids(): TraceIds {
    const { traceId, spanId } = this.span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  note(facts: SpanFacts): void {
    this.span.setAttributes(toAttributes(facts));
  }

  end(error?: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (error !== undefined) {
      this.span.setAttribute('error.type', error);
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}

function toAttributes(facts: SpanFacts): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(facts))
    if (value !== undefined) attributes[name] = value;
  return attributes;
}

function toContext(parent: Span | string | undefined, traceState: string | undefined): Context {
  if (parent instanceof OtelSpan) return trace.setSpan(ROOT_CONTEXT, parent.span);
  const context = typeof parent === 'string' ? parseTraceParent(parent) : null;
  if (context === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...context,
    isRemote: true,
    ...(traceState === undefined ? {} : { traceState: createTraceState(traceState) }),
  });
}

function toLinks(links: readonly string[]): Link[] {
  return links.slice(0, MAX_LINKS).flatMap((link) => {
    const context = parseTraceParent(link);
    return context === null ? [] : [{ context: { ...context, isRemote: true } }];
  });
}

function toSampler({ sampler, ratio }: TracingSettings): Sampler {
  switch (sampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

async function createExporter(settings: TracingSettings): Promise<SpanExporter> {
  const { url, headers, timeoutMs, compression, ca } = settings;
  const { OTLPTraceExporter } =
    settings.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  const options = {
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    compression: compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    httpAgentOptions: { keepAlive: true, ...(ca === undefined ? {} : { ca }) },
  };
  return new OTLPTraceExporter(options);
}
