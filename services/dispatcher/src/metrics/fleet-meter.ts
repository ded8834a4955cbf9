import { randomUUID } from 'node:crypto';

import type { Provider } from '@heliograph/core';
import {
  countHeldFaults,
  countPauses,
  holdMeter,
  listCertificates,
  measureBacklog,
  measureCallbackWait,
  measureImbalance,
  releaseMeter,
  type Db,
  type StoredCertificate,
} from '@heliograph/db';
import type { Gauge, Metrics } from '@heliograph/runtime';
import type { Logger } from 'pino';

import { toReasonLabel } from './reasons.ts';

/*
 * Measures what the fleet has in common. A timer in every dispatcher, of which one holds a lease in the database: it asks, once in a while,
 * however many dispatchers there are and however often they are scraped. The others have no such value at all, and neither has the holder
 * while it doesn't know one: nothing is better than what was so a minute ago.
 */

export const METER_EVERY_MS = 10_000;
/** After the holder dies there are no values for so long. */
const HOLD_MS = 35_000;
/** What changes slowly, or costs more, is asked for in every so many rounds. */
const SELDOM_ROUNDS = 6;
const MAX_CERTIFICATES = 1_000;

export interface FleetMeter {
  /** One round; measures nothing where another dispatcher holds the lease. */
  run(): Promise<void>;
  /** Stops the timer, and lets another one measure at once. */
  close(): Promise<void>;
}

export function startFleetMeter(deps: {
  readonly db: Db;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => Date;
  readonly everyMs: number;
}): FleetMeter {
  const { db, log } = deps;
  const holder = randomUUID();
  const gauges = createGauges(deps.metrics);
  let round: Promise<void> | undefined;
  let rounds = 0;

  async function measure(): Promise<void> {
    if (!(await holdMeter(db, holder, HOLD_MS))) return forget();
    gauges.setBacklog(await measureBacklog(db));
    gauges.setPauses(await countPauses(db));
    gauges.heldFaults.set(await countHeldFaults(db));
    gauges.imbalance.set(await measureImbalance(db, deps.now().getTime()));
    if (rounds % SELDOM_ROUNDS === 0) await measureSeldom();
    rounds += 1;
  }

  async function measureSeldom(): Promise<void> {
    gauges.setCallbackWait(await measureCallbackWait(db));
    const query = { appRef: undefined, now: deps.now(), limit: MAX_CERTIFICATES, offset: 0 };
    gauges.setCertificates(await listCertificates(db, query));
  }

  function forget(): void {
    rounds = 0;
    gauges.forget();
  }

  function run(): Promise<void> {
    round ??= measure()
      .catch((error: unknown) => {
        forget();
        log.warn({ err: error }, 'fleet not measured; the next round tries again');
      })
      .finally(() => {
        round = undefined;
      });
    return round;
  }

  const timer = setInterval(() => void run(), deps.everyMs);
  void run();

  return {
    run,
    async close() {
      clearInterval(timer);
      await round;
      forget();
      await releaseMeter(db, holder).catch((error: unknown) =>
        log.debug({ err: error }, 'lease to measure not given up'),
      );
    },
  };
}

function createGauges(metrics: Metrics) {
  const clearing: (() => void)[] = [];
  function gauge<T extends string>(name: string, help: string, ...labelNames: T[]): Gauge<T> {
    const one = metrics.gauge({ name, help, labelNames });
    const clear = () => {
      one.reset();
      // That leaves a 0 where there are no labels.
      if (labelNames.length === 0) one.remove();
    };
    clear();
    clearing.push(clear);
    return one;
  }

  const oldest = gauge(
    'heliograph_oldest_waiting_seconds',
    'How long what is due longest, and nobody has in hand, has waited.',
    'lane',
  );
  const waiting = gauge(
    'heliograph_waiting_deliveries',
    'Deliveries that are due; a chunk of a campaign counts as 1,000.',
    'lane',
  );
  const pauses = gauge(
    'heliograph_paused_scopes',
    'Scopes that are stopped, breakers included.',
    'kind',
    'reason',
  );
  const breakers = gauge(
    'heliograph_breakers_open',
    'Breakers that are open or half-open.',
    'provider',
  );
  const certificates = gauge(
    'heliograph_certificate_days_left',
    'Whole days until the first stored certificate of the app ends; below 0 when it has.',
    'app',
    'provider',
  );
  const callbackWait = gauge(
    'heliograph_callback_oldest_waiting_seconds',
    'How long the oldest event has waited that a receiver was not told of yet.',
    'receiver',
  );
  const heldFaults = gauge(
    'heliograph_token_faults_held',
    'Token faults that the guard holds back for an operator to decide; 10,000 at most.',
  );
  const imbalance = gauge(
    'heliograph_ledger_imbalance',
    'Deliveries that the ledger can not account for. Not 0: a bug.',
  );

  return {
    heldFaults,
    imbalance,

    setBacklog({ message, campaign }: Awaited<ReturnType<typeof measureBacklog>>): void {
      for (const [lane, { oldestSeconds, deliveries }] of Object.entries({ message, campaign })) {
        oldest.set({ lane }, oldestSeconds);
        waiting.set({ lane }, deliveries);
      }
    },

    setPauses(counts: Awaited<ReturnType<typeof countPauses>>): void {
      pauses.reset();
      const open: Record<Provider, number> = { apns: 0, fcm: 0 };
      for (const { kind, provider, reason, count } of counts) {
        pauses.inc({ kind, reason: toReasonLabel(reason) }, count);
        if (kind === 'endpoint') open[provider] += count;
      }
      for (const [provider, count] of Object.entries(open)) breakers.set({ provider }, count);
    },

    setCallbackWait({
      workingSeconds,
      failingSeconds,
    }: Awaited<ReturnType<typeof measureCallbackWait>>): void {
      callbackWait.set({ receiver: 'working' }, workingSeconds);
      callbackWait.set({ receiver: 'failing' }, failingSeconds);
    },

    /** The first to end come first. */
    setCertificates(stored: readonly StoredCertificate[]): void {
      certificates.reset();
      const told = new Set<string>();
      for (const { appId, kind, provider, daysLeft } of stored) {
        const labels = { app: appId, provider: provider ?? kind };
        const key = `${labels.provider} ${labels.app}`;
        if (told.has(key)) continue;
        told.add(key);
        certificates.set(labels, daysLeft);
      }
    },

    forget(): void {
      for (const clear of clearing) clear();
    },
  };
}
