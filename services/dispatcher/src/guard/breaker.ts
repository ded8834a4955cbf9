import { hadAnswers, PROVIDER_TROUBLE, type CredentialScope, type Db } from '@heliograph/db';
import type { Logger } from 'pino';

import { judgeEndpoint, type EndpointAnswer } from './judge-endpoint.ts';
import { toKey, type ProbedPauses } from './pauses.ts';

/*
 * A breaker per scope:
 *
 *   closed ── open          20 moments of trouble in a row, or a minute of nothing else
 *   open ──── half-open     after 30 s, then twice as long each time, 10 minutes at most: one delivery is let through
 *   half-open ── closed     it was answered, whatever the answer
 *   half-open ── open       it met the trouble again
 *
 * Open and half-open are a pause of the endpoint in the database, so every dispatcher keeps to it, and an operator sees it and may
 * lift it. Only the way from closed to open is counted here, by each dispatcher for itself.
 */

/** An attempt that was settled just now. */
export interface NotedAttempt extends EndpointAnswer {
  readonly latencyMs: number;
}

export interface Breaker {
  /**
   * Takes note of what came of an attempt in the scope, as soon as it is settled. `probeOf` names the pause whose end it tried out.
   * What is to be written is written in the background.
   */
  note(scope: CredentialScope, attempt: NotedAttempt, probeOf?: number): void;
  /** Takes note of no more, and waits for what is being written. */
  close(): Promise<void>;
}

interface Troubled {
  /** When the first trouble since the last success was seen. */
  readonly sinceMs: number;
  /** When the last moment was. */
  lastMs: number;
  moments: number;
  opening: boolean;
}

const MOMENTS = 20;
/** With fewer moments than these a minute was too quiet to say anything. */
const MOMENTS_UNDER_LOAD = 5;
const WITHOUT_SUCCESS_MS = 60_000;
/** Failures closer together are one moment: a provider that restarts refuses thousands of connections in a second. */
const BETWEEN_MOMENTS_MS = 250;
/** Trouble so long ago says nothing about now. */
const FORGOTTEN_AFTER_MS = 120_000;
/** Answers of all dispatchers are noted that late at most. */
const NOTED_LATE_MS = 2_000;
const PROBING = { firstMs: 30_000, limitMs: 600_000 };
const MAX_SCOPES_REMEMBERED = 10_000;

export function createBreaker(deps: {
  db: Db;
  pauses: ProbedPauses;
  log: Logger;
  clockMs: () => number;
  onError: (error: unknown) => void;
}): Breaker {
  const { db, pauses, log, clockMs, onError } = deps;
  const troubled = new Map<string, Troubled>();
  const writing = new Set<Promise<void>>();
  let closed = false;

  function noteTrouble(scope: CredentialScope, latencyMs: number): void {
    const now = clockMs();
    const key = toKey(scope);
    const entry = troubled.get(key);
    if (entry === undefined || now - entry.lastMs > FORGOTTEN_AFTER_MS) {
      if (troubled.size >= MAX_SCOPES_REMEMBERED) troubled.clear();
      troubled.set(key, { sinceMs: now, lastMs: now, moments: 1, opening: false });
      return;
    }
    // What was under way in the last moment of trouble failed by it: one lost connection is one event, whatever it carried.
    if (now - latencyMs < entry.lastMs || now - entry.lastMs < BETWEEN_MOMENTS_MS) return;
    entry.moments += 1;
    entry.lastMs = now;
    if (entry.opening || !isTooMuch(entry)) return;
    entry.opening = true;
    write(open(scope, key, entry));
  }

  async function open(scope: CredentialScope, key: string, entry: Troubled): Promise<void> {
    try {
      // A dispatcher whose own network is broken must not stop the others.
      if (await hadAnswers(db, scope, clockMs() - entry.sinceMs - NOTED_LATE_MS))
        log.warn({ ...scope }, 'a provider is in trouble for this dispatcher only');
      // A success may have come meanwhile.
      else if (troubled.get(key) === entry)
        await pauses.open(scope, 'endpoint', PROVIDER_TROUBLE, PROBING);
    } finally {
      if (troubled.get(key) === entry) troubled.delete(key);
    }
  }

  function write(work: Promise<void>): void {
    const done = work.catch(onError).finally(() => writing.delete(done));
    writing.add(done);
  }

  return {
    note(scope, attempt, probeOf) {
      if (closed) return;
      const news = judgeEndpoint(attempt);
      if (news === 'works') {
        // Nothing is looked up while all is well.
        if (troubled.size > 0) troubled.delete(toKey(scope));
        if (probeOf !== undefined) write(pauses.liftAnswered(probeOf));
        return;
      }
      if (news !== 'trouble') return;
      if (probeOf === undefined) noteTrouble(scope, attempt.latencyMs);
      else write(pauses.endProbe(probeOf));
    },
    async close() {
      closed = true;
      await Promise.all(writing);
    },
  };
}

function isTooMuch({ moments, sinceMs, lastMs }: Troubled): boolean {
  if (moments >= MOMENTS) return true;
  return moments >= MOMENTS_UNDER_LOAD && lastMs - sinceMs >= WITHOUT_SUCCESS_MS;
}
