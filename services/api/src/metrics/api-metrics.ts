import type { RefusalCode } from '@heliograph/core';
import type { Metrics } from '@heliograph/runtime';

import { createRequestMetrics, type RequestMetrics } from './request-metrics.ts';

/** Through which door messages come. */
export const SURFACES = ['powerauth', 'm800', 'liveperson'] as const;
export type AcceptingSurface = (typeof SURFACES)[number];

/** What there was too much of. */
export const SHED = ['requests', 'connections', 'messages', 'inbox_streams'] as const;
export type ShedReason = (typeof SHED)[number];

/** What the parts of an api tell of what they do. */
export interface ApiMetrics {
  readonly requests: RequestMetrics;
  readonly accepted: (surface: AcceptingSurface, messages: number) => void;
  readonly refused: (code: RefusalCode) => void;
  readonly shed: (why: ShedReason) => void;
  readonly redisError: () => void;
  /** From now on the streams of inboxes are measured, too. */
  readonly watchStreams: (streams: { readonly size: number }) => void;
}

export function createApiMetrics(metrics: Metrics): ApiMetrics {
  const accepted = metrics.counter({
    name: 'heliograph_messages_accepted_total',
    help: 'Messages that were stored to be delivered.',
    labelNames: ['surface'],
  });
  const refusals = metrics.counter({
    name: 'heliograph_refusals_total',
    help: 'Requests that were answered with an error.',
    labelNames: ['code'],
  });
  const rateLimited = metrics.counter({
    name: 'heliograph_rate_limited_total',
    help: 'Requests that came faster than their API key may make them.',
  });
  const shed = metrics.counter({
    name: 'heliograph_shed_total',
    help: 'What was turned away because there was too much of it.',
    labelNames: ['why'],
  });
  const redisErrors = metrics.counter({
    name: 'heliograph_redis_errors_total',
    help: 'Commands and connections to Redis that failed.',
  });
  // From the start, so that the first one shows as an increase.
  for (const surface of SURFACES) accepted.inc({ surface }, 0);
  for (const why of SHED) shed.inc({ why }, 0);

  return {
    requests: createRequestMetrics(metrics),
    accepted: (surface, messages) => accepted.inc({ surface }, messages),
    refused(code) {
      refusals.inc({ code });
      if (code === 'rate_limited') rateLimited.inc();
    },
    shed: (why) => shed.inc({ why }),
    redisError: () => redisErrors.inc(),
    watchStreams(streams) {
      metrics.gauge(
        { name: 'heliograph_inbox_streams', help: 'Live streams of inboxes that are open.' },
        (gauge) => gauge.set(streams.size),
      );
    },
  };
}
