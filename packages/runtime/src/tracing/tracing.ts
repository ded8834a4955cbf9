/** What a span says: ids, counts and words of our own. Never a push token, a payload, a user's id or a key. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** A piece of work as a collector of traces gets to know it. */
export interface Span {
  /** W3C `traceparent` that goes with the work to where it goes on; undefined where the trace is not sampled. */
  readonly traceParent: string | undefined;
  /** What its log lines name. */
  readonly ids: TraceIds;
  rename(name: string): void;
  note(facts: SpanFacts): void;
  /** Ends it, with what went wrong where something did. Only the first end counts. */
  end(error?: string): void;
}

/** As OpenTelemetry spells them in logs. */
export interface TraceIds {
  readonly trace_id: string;
  readonly span_id: string;
}

export interface SpanOptions {
  readonly kind: 'server' | 'producer' | 'consumer' | 'client';
  /** A span here, or the `traceparent` of one elsewhere; one that can't be read counts as none. */
  readonly parent?: Span | string | undefined;
  /** W3C `tracestate`, with a `traceparent`. */
  readonly traceState?: string | undefined;
  /** The `traceparent` of others that this is about. Of very many the first ones are kept. */
  readonly links?: readonly string[];
  readonly facts?: SpanFacts;
  /** By the wall clock; now unless given. */
  readonly startedAt?: Date;
}

/** Makes spans. Where no collector is named there is none of this, and what would use it is left out. */
export interface Tracing {
  start(name: string, options: SpanOptions): Span;
  /** Hands over what is not yet with the collector, for a few seconds at most. */
  close(): Promise<void>;
}

/** Does the work within a span, where there is tracing. */
export function inSpan<T>(
  tracing: Tracing | undefined,
  name: string,
  options: SpanOptions,
  work: (span?: Span) => Promise<T>,
): Promise<T> {
  return tracing === undefined ? work() : workIn(tracing.start(name, options), work);
}

async function workIn<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    span.end(nameOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/** A word, since messages of errors may hold what is none of a collector's business. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
