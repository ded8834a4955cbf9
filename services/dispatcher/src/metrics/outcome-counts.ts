import {
  DEFERRED,
  isFinalCode,
  toOutcome,
  type DeliveryState,
  type Provider,
} from '@heliograph/core';
import type { ChunkCheckpoint } from '@heliograph/db';
import type { Counter, Metrics } from '@heliograph/runtime';

import type { Recording } from '../send/recorder.ts';
import { toReasonLabel } from './reasons.ts';

/** A checkpoint, and whose it is. */
export type CountedCheckpoint = Pick<ChunkCheckpoint, 'provider' | 'changes' | 'exceptions'> & {
  readonly appRef: number;
};

/** Counts what was written to the ledger. */
export interface OutcomeCounts {
  addRecorded(recordings: readonly Recording[]): void;
  addCheckpoint(checkpoint: CountedCheckpoint): void;
}

export interface OutcomeCountsDeps {
  readonly metrics: Metrics;
  /** What operators call the apps of these refs. */
  readonly findAppIds: (refs: readonly number[]) => Promise<ReadonlyMap<number, string>>;
  readonly onError: (error: unknown) => void;
  /** So many sets of labels have an app of their own; further ones share the app `other`. */
  readonly maxLabelSets?: number;
}

interface Tally {
  readonly provider: Provider;
  readonly outcome: DeliveryState;
  readonly reason: string;
  count: number;
}

const MAX_LABEL_SETS = 5_000;
const MAX_APPS_REMEMBERED = 10_000;
const OTHER = 'other';

/**
 * Adds up here, per app, and tells prom-client when somebody asks. What an app is called is looked up behind everybody's back: until that
 * is known its counts wait.
 */
export function createOutcomeCounts(deps: OutcomeCountsDeps): OutcomeCounts {
  const { maxLabelSets = MAX_LABEL_SETS } = deps;
  const tallies = new Map<number, Map<string, Tally>>();
  const appIds = new Map<number, string>();
  const labelSets = new Set<string>();
  let looking = false;

  function add(
    appRef: number,
    provider: Provider,
    outcome: DeliveryState,
    reason: string | null,
    count: number,
  ): void {
    const known = reason === null ? '' : toReasonLabel(reason);
    const key = `${provider} ${outcome} ${known}`;
    const ofApp = toTallies(appRef);
    const tally = ofApp.get(key);
    if (tally === undefined) ofApp.set(key, { provider, outcome, reason: known, count });
    else tally.count += count;
  }

  function toTallies(appRef: number): Map<string, Tally> {
    const kept = tallies.get(appRef);
    if (kept !== undefined) return kept;
    const made = new Map<string, Tally>();
    tallies.set(appRef, made);
    if (!appIds.has(appRef)) void lookUp();
    return made;
  }

  async function lookUp(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      for (let refs = listUnknown(); refs.length > 0; refs = listUnknown()) {
        if (appIds.size > MAX_APPS_REMEMBERED) appIds.clear();
        const found = await deps.findAppIds(refs);
        for (const ref of refs) appIds.set(ref, found.get(ref) ?? OTHER);
      }
    } catch (error) {
      // It is asked for again when the next scrape finds its counts still waiting.
      deps.onError(error);
    } finally {
      looking = false;
    }
  }

  function listUnknown(): number[] {
    return [...tallies.keys()].filter((ref) => !appIds.has(ref));
  }

  /** Once an app has a place for something, it keeps it. */
  function toApp(appId: string, { provider, outcome, reason }: Tally): string {
    const labels = `${provider} ${outcome} ${reason} ${appId}`;
    if (labelSets.has(labels)) return appId;
    if (labelSets.size >= maxLabelSets) return OTHER;
    labelSets.add(labels);
    return appId;
  }

  function collect(counter: Counter<'provider' | 'app' | 'outcome' | 'reason'>): void {
    for (const [appRef, ofApp] of tallies) {
      const appId = appIds.get(appRef);
      if (appId === undefined) continue;
      for (const tally of ofApp.values()) {
        const { count, ...labels } = tally;
        counter.inc({ ...labels, app: toApp(appId, tally) }, count);
      }
      tallies.delete(appRef);
    }
    if (tallies.size > 0) void lookUp();
  }

  deps.metrics.counter(
    {
      name: 'heliograph_outcomes_total',
      help: 'What was written to the ledger about deliveries.',
      labelNames: ['provider', 'app', 'outcome', 'reason'],
    },
    collect,
  );

  return {
    addRecorded(recordings) {
      for (const { appRef, provider, update } of recordings)
        add(appRef, provider, update.state, update.reason, 1);
    },

    addCheckpoint({ appRef, provider, changes, exceptions }) {
      for (const [code, count] of changes) {
        if (code < 0 || count <= 0 || !isFinalCode(code)) continue;
        const { state, reason } = toOutcome(code);
        add(appRef, provider, state, reason, count);
      }
      if (!changes.has(DEFERRED) && exceptions.length === 0) return;
      for (const { state, reason } of exceptions)
        if (state === 'pending') add(appRef, provider, state, reason, 1);
    },
  };
}
