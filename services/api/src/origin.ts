import type { Span } from '@heliograph/runtime';

/** The request that something is done for. */
export interface RequestOrigin {
  /** Its `X-Correlation-ID`. */
  readonly requestId: string;
  /** Where the request is traced. */
  readonly span: Span | undefined;
}

/** What a log line says of it. */
export function toLogFacts({ requestId, span }: RequestOrigin) {
  return { requestId, ...span?.ids };
}
