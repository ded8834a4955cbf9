import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

import type { Logger } from '../log.ts';

/** Ended spans that wait for the collector; more are lost. A span takes about a kilobyte. */
export const MAX_WAITING_SPANS = 2048;

/**
 * Stands before and behind the processor that batches spans: bounds what waits, counts what is lost, and tells when losing begins and
 * when it is over. Spans are lost where the collector is away, hangs, refuses, or is slower than we are.
 */
export class ExportWatch {
  readonly #log: Logger;
  #waiting = 0;
  #lost = 0;
  /** Some found no room since the last export ended. */
  #isFull = false;
  #isLosing = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The exporter, watched. */
  behind(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) => {
        this.#waiting -= spans.length;
        exporter.export(spans, (result) => {
          this.#judge(result, spans.length);
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
    };
  }

  /** The batching processor, which is to get no more than it has room for. */
  before(batches: SpanProcessor): SpanProcessor {
    return {
      onStart: (span, context) => batches.onStart(span, context),
      onEnd: (span: ReadableSpan) => {
        if (this.#waiting < MAX_WAITING_SPANS) {
          this.#waiting += 1;
          batches.onEnd(span);
          return;
        }
        this.#isFull = true;
        this.#lose(1, 'too many spans wait');
      },
      forceFlush: () => batches.forceFlush(),
      shutdown: () => batches.shutdown(),
    };
  }

  #judge({ code, error }: ExportResult, spans: number): void {
    const wasFull = this.#isFull;
    this.#isFull = false;
    if (code !== ExportResultCode.SUCCESS) return this.#lose(spans, error);
    if (!this.#isLosing || wasFull) return;
    this.#isLosing = false;
    this.#log.info({ lost: this.#lost }, 'spans are taken again');
    this.#lost = 0;
  }

  #lose(spans: number, reason: Error | string | undefined): void {
    this.#lost += spans;
    if (this.#isLosing) return;
    this.#isLosing = true;
    // The words alone: an exporter's error holds what the collector answered.
    this.#log.warn(
      { reason: reason instanceof Error ? toWords(reason) : reason },
      'spans are lost: the collector does not take them',
    );
  }
}

const MAX_WORDS = 200;

function toWords(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined;
  const known = typeof code === 'string' || typeof code === 'number' ? `${code} ` : '';
  return `${known}${error.message}`.slice(0, MAX_WORDS);
}
