import type { Provider } from '@heliograph/core';
import { findAppIds, type Db } from '@heliograph/db';
import type { ProviderPool } from '@heliograph/providers';
import type { Duration, Metrics } from '@heliograph/runtime';

import { createOutcomeCounts, type OutcomeCounts } from './outcome-counts.ts';

/** Of customers' proxies, Apple and Google alike: from a connection at hand to what is as good as no answer. */
const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A message is meant to leave in a fraction of a second; a pause may hold it for days. */
const ACCEPT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

type ByProvider = Readonly<Record<Provider, Duration>>;

/** What the parts of a dispatcher tell of what they do. All of it costs next to nothing. */
export interface DispatcherMetrics {
  readonly outcomes: OutcomeCounts;
  /** From the acceptance of a message to its first send. */
  readonly acceptToProvider: ByProvider;
  /** From handing a push over to the provider's answer, by lane. */
  readonly answers: { readonly message: ByProvider; readonly campaign: ByProvider };
  readonly goaway: (provider: Provider, code: string) => void;
  /** The sweep found so many. */
  readonly swept: (what: SweptThing, count: number) => void;
  /** So many events were told to a receiver, or not. */
  readonly callbackEvents: (outcome: CallbackOutcome, count: number) => void;
  readonly redisError: () => void;
  /** From now on what this pool has open is measured, too. */
  readonly watch: (pool: Pick<ProviderPool, 'loads'>) => void;
}

export type SweptThing = (typeof SWEPT)[number];
const SWEPT = ['unclaimed', 'lease_lost', 'due_again', 'lifted', 'credentialed', 'probe'] as const;

export type CallbackOutcome = (typeof CALLBACK_OUTCOMES)[number];
const CALLBACK_OUTCOMES = ['told', 'not_taken', 'given_up'] as const;

export function createDispatcherMetrics(
  metrics: Metrics,
  deps: { readonly db: Db; readonly onError: (error: unknown) => void },
): DispatcherMetrics {
  const acceptToProvider = metrics.durations({
    name: 'heliograph_accept_to_provider_seconds',
    help: 'From the acceptance of a message to the first send of its delivery.',
    labelNames: ['provider'],
    buckets: ACCEPT_BUCKETS,
  });
  const answers = metrics.durations({
    name: 'heliograph_provider_answer_seconds',
    help: 'From handing a push over to the answer of the provider.',
    labelNames: ['provider', 'lane'],
    buckets: ANSWER_BUCKETS,
  });
  const goaways = metrics.counter({
    name: 'heliograph_goaways_total',
    help: 'Connections that a provider sent away.',
    labelNames: ['provider', 'code'],
  });
  const sweepFound = metrics.counter({
    name: 'heliograph_sweep_found_total',
    help: 'What the sweep found and announced, or woke.',
    labelNames: ['what'],
  });
  const callbackEvents = metrics.counter({
    name: 'heliograph_callback_events_total',
    help: 'Events that receivers were told of, or not.',
    labelNames: ['outcome'],
  });
  const redisErrors = metrics.counter({
    name: 'heliograph_redis_errors_total',
    help: 'Commands and connections to Redis that failed.',
  });
  // From the start, so that the first one shows as an increase.
  for (const what of SWEPT) sweepFound.inc({ what }, 0);
  for (const outcome of CALLBACK_OUTCOMES) callbackEvents.inc({ outcome }, 0);

  return {
    outcomes: createOutcomeCounts({
      metrics,
      findAppIds: (refs) => findAppIds(deps.db, refs),
      onError: deps.onError,
    }),
    acceptToProvider: byProvider((provider) => acceptToProvider.of({ provider })),
    answers: {
      message: byProvider((provider) => answers.of({ provider, lane: 'message' })),
      campaign: byProvider((provider) => answers.of({ provider, lane: 'campaign' })),
    },
    goaway: (provider, code) => goaways.inc({ provider, code: toCodeLabel(code) }),
    swept: (what, count) => sweepFound.inc({ what }, count),
    callbackEvents: (outcome, count) => callbackEvents.inc({ outcome }, count),
    redisError: () => redisErrors.inc(),
    watch: (pool) => watchPool(metrics, pool),
  };
}

function byProvider(make: (provider: Provider) => Duration): ByProvider {
  return { apns: make('apns'), fcm: make('fcm') };
}

/** HTTP/2 names fourteen; a peer may send any number. */
function toCodeLabel(code: string): string {
  return /^[A-Z0-9_]+$/.test(code) ? code : 'other';
}

function watchPool(metrics: Metrics, pool: Pick<ProviderPool, 'loads'>): void {
  metrics.gauge(
    {
      name: 'heliograph_sessions',
      help: 'Connections that take pushes.',
      labelNames: ['provider'],
    },
    (gauge) => {
      for (const [provider, { sessions }] of Object.entries(pool.loads()))
        gauge.set({ provider }, sessions);
    },
  );
  metrics.gauge(
    {
      name: 'heliograph_streams_in_use',
      help: 'Pushes that wait for their answer.',
      labelNames: ['provider', 'lane'],
    },
    (gauge) => {
      for (const [provider, { message, campaign }] of Object.entries(pool.loads())) {
        gauge.set({ provider, lane: 'message' }, message);
        gauge.set({ provider, lane: 'campaign' }, campaign);
      }
    },
  );
}
