import type { SecretBox } from '@heliograph/core';
import {
  CALLBACK_STANDINGS,
  claimCallbacks,
  type CallbackRoom,
  type CallbackStanding,
  type ClaimedCallback,
  type Db,
} from '@heliograph/db';
import { createGuardedAgent } from '@heliograph/outbound';
import type { Tracing } from '@heliograph/runtime';
import type { Logger } from 'pino';

import type { CallbackOutcome } from '../metrics/dispatcher-metrics.ts';
import { CALLBACK_LEASE_MS, serveCallback } from './serve-callback.ts';

/*
 * Tells receivers what happened. A timer in every dispatcher claims endpoints that have something to be told; who has one tells it,
 * batch after batch, so there is one request under way to an endpoint in the fleet. What is under way is bounded per process, per host,
 * and again for endpoints that fail or are slow, so that these cost the others nothing.
 */

export interface CallbackSettings {
  /** Requests under way at a time, of this process. */
  readonly concurrency: number;
  /** Requests under way to one host and port, of all processes. */
  readonly perHost: number;
  /** For tests, and for receivers in the same network. */
  readonly allowPrivateAddresses: boolean;
  /** PEM of an authority to trust beside the public ones. */
  readonly ca?: string;
}

export const CALLBACK_DEFAULTS: CallbackSettings = {
  concurrency: 32,
  perHost: 4,
  allowPrivateAddresses: false,
};

const LOOK_EVERY_MS = 1_000;
/** Of the places so many are for endpoints that failed last, and for those that never answered yet or are slow. */
const FAILING_SHARE = 1 / 4;
const UNPROVEN_SHARE = 1 / 2;
/** Claims are not made more often, whatever there is to be told. */
const CLAIM_PAUSE_MS = 100;
/** A process that stops waits that long for requests under way. */
const WAIT_FOR_ANSWERS_MS = 16_000;

export interface Callbacks {
  /** There may be something to be told: looks soon, instead of at the next tick. */
  kick(): void;
  /** Makes no more requests, and waits for those under way. */
  close(): Promise<void>;
}

export interface CallbacksDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly settings: CallbackSettings;
  readonly log: Logger;
  readonly clockMs: () => number;
  readonly now: () => Date;
  readonly random: () => number;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly onEvents?: (outcome: CallbackOutcome, count: number) => void;
  /** Tests only: default half a minute. */
  readonly leaseMs?: number;
  /** Tests only: default 15 s. */
  readonly deadlineMs?: number;
}

export function startCallbacks(deps: CallbacksDeps): Callbacks {
  const { concurrency, perHost, allowPrivateAddresses, ca } = deps.settings;
  const stopping = new AbortController();
  const abandoning = new AbortController();
  const agent = createGuardedAgent({
    allowPrivateAddresses,
    connections: perHost,
    ...(ca === undefined ? {} : { ca: [ca] }),
  });
  const serving = { ...deps, agent, stopping: stopping.signal, abandoning: abandoning.signal };
  const underWay = new Map<Promise<void>, CallbackStanding>();
  let claiming: Promise<void> | undefined;
  let claimedAtMs = Number.NEGATIVE_INFINITY;
  let soon: NodeJS.Timeout | undefined;

  async function claim(): Promise<void> {
    const room = toRoom(concurrency, [...underWay.values()]);
    if (room.all === 0) return;
    claimedAtMs = deps.clockMs();
    const claimed = await claimCallbacks(deps.db, room, perHost, deps.leaseMs ?? CALLBACK_LEASE_MS);
    // Another process claims at this moment, and may leave something.
    if (claimed === undefined) return kick();
    for (const one of claimed) serve(one, claimedAtMs);
  }

  function serve(claimed: ClaimedCallback, askedAtMs: number): void {
    const work = serveCallback(serving, claimed, askedAtMs).finally(() => {
      underWay.delete(work);
      kick();
    });
    underWay.set(work, claimed.standing);
  }

  function look(): void {
    if (stopping.signal.aborted || claiming !== undefined) return;
    claiming = claim()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'callbacks not claimed'))
      .finally(() => {
        claiming = undefined;
      });
  }

  function kick(): void {
    if (soon !== undefined || stopping.signal.aborted) return;
    const waitMs = Math.max(0, claimedAtMs + CLAIM_PAUSE_MS - deps.clockMs());
    soon = setTimeout(() => {
      soon = undefined;
      // One that is under way may not have seen what we are kicked for.
      if (claiming === undefined) look();
      else void claiming.then(kick);
    }, waitMs);
  }

  const timer = setInterval(look, LOOK_EVERY_MS);

  return {
    kick,
    async close() {
      stopping.abort();
      clearInterval(timer);
      clearTimeout(soon);
      await claiming;
      const abandon = setTimeout(() => abandoning.abort(), WAIT_FOR_ANSWERS_MS);
      await Promise.all(underWay.keys());
      clearTimeout(abandon);
      await agent.destroy();
    },
  };
}

/** How many more may be under way. */
export function toRoom(concurrency: number, underWay: readonly CallbackStanding[]): CallbackRoom {
  const most: Readonly<Record<CallbackStanding, number>> = {
    proven: concurrency,
    unproven: Math.max(1, Math.floor(concurrency * UNPROVEN_SHARE)),
    failing: Math.max(1, Math.floor(concurrency * FAILING_SHARE)),
  };
  const room = { proven: 0, unproven: 0, failing: 0 };
  for (const standing of CALLBACK_STANDINGS) {
    const taken = underWay.filter((one) => one === standing).length;
    room[standing] = Math.max(0, most[standing] - taken);
  }
  return { ...room, all: Math.max(0, concurrency - underWay.length) };
}
