import {
  judge,
  toRetryDelayMs,
  type Outcome,
  type OwedDelivery,
  type PauseScope,
  type Requeue,
} from '@heliograph/core';
import type {
  AttemptRecord,
  ClaimedChunk,
  CredentialScope,
  OwedDevice,
  RouteName,
} from '@heliograph/db';
import type { Attempt } from '@heliograph/providers';
import type { Logger } from 'pino';

import type { Breaker, NotedAttempt } from '../guard/breaker.ts';
import type { Evidence } from '../guard/evidence.ts';
import type { Pauses } from '../guard/pauses.ts';
import type { Pacer } from '../pacing/pacer.ts';
import { toStorable, type SettledAttempt } from '../send/attempt.ts';
import { toRecord } from '../send/updates.ts';
import type { ChunkProgress } from './chunk-progress.ts';
import type { ChunkPush } from './chunk-push.ts';
import type { ChunkWaits } from './chunk-waits.ts';
import { toException } from './exceptions.ts';

/** What counts of a delivery's past: of one that was replayed, what came since. */
function toOwed(
  { attempts, ambiguousAttempts, history, replay }: OwedDevice,
  { provider, expiresAt }: ClaimedChunk,
): OwedDelivery {
  const sinceMs = replay === null ? Number.NEGATIVE_INFINITY : Date.parse(replay.at);
  const first = history?.find(
    ({ outcome, at }) => outcome !== 'pause' && Date.parse(at) >= sinceMs,
  );
  return {
    provider,
    attempts: attempts - (replay?.attempts ?? 0),
    ambiguousAttempts: ambiguousAttempts - (replay?.ambiguousAttempts ?? 0),
    firstAttemptAt: first === undefined ? undefined : new Date(first.at),
    expiresAt,
  };
}

export interface PushSettlerDeps {
  readonly chunk: ClaimedChunk;
  readonly route: RouteName;
  readonly progress: ChunkProgress;
  readonly waits: ChunkWaits;
  readonly breaker: Breaker;
  readonly evidence: Evidence;
  /** Of the account; undefined where it may be sent to as fast as it takes. */
  readonly pacer: Pacer | undefined;
  readonly pauses: Pauses;
  readonly log: Logger;
  readonly now: () => Date;
  readonly random: () => number;
}

/** What Google can't hand on to a third party is tried again after that. */
const THIRD_PARTY_WAIT_MS = 15 * 60_000;
/** What could not be settled waits that long. */
export const FAULT_WAIT_MS = 5_000;

/** Writes down what came of the pushes of a chunk that went out under one scope. */
export class PushSettler {
  readonly #deps: PushSettlerDeps;
  readonly #scope: CredentialScope;
  /** What takes statements of its own: faults of credentials, probes. */
  readonly #pending = new Set<Promise<void>>();
  /** Sent at the first try, and not told as evidence yet. */
  #plainlySent = 0;
  /** Their devices, where a customer's proxy took them. */
  #takenByProxy: number[] = [];

  constructor(deps: PushSettlerDeps, scope: CredentialScope) {
    this.#deps = deps;
    this.#scope = scope;
  }

  /** `outcome` is that of the attempt, its requeues spent. */
  settle(push: ChunkPush, attempt: Attempt, outcome: Exclude<Outcome, Requeue>): void {
    // Almost all of them: nothing is kept but the byte.
    if (outcome.kind === 'sent' && push.probeOf === undefined && !push.wasTried) {
      this.#deps.progress.finish(push.index, 'sent', null);
      this.#plainlySent += 1;
      if (this.#deps.route === 'proxy') this.#takenByProxy.push(push.toDevice().deviceId);
      return;
    }
    this.#later(push, this.#settleOther(push, attempt, outcome));
  }

  /** Nothing could be sent, and nothing was tried: these wait as long as the outcome says. */
  putOff(pushes: readonly ChunkPush[], raw: Exclude<Outcome, Requeue>): void {
    const { breaker, waits, random } = this.#deps;
    const outcome = toStorable(raw);
    const probes = pushes.filter((push) => push.probeOf !== undefined);
    const rest = pushes.filter((push) => push.probeOf === undefined);
    for (const probe of probes) this.#putOffProbe(probe, outcome);
    const [first] = rest;
    if (first === undefined) return;
    breaker.note(this.#scope, { outcome, latencyMs: 0 });
    const indexes = rest.map(({ index }) => index);
    const delayMs =
      outcome.kind === 'retry'
        ? toRetryDelayMs(outcome.backoff, 1, outcome.retryAfterMs, random)
        : FAULT_WAIT_MS;
    for (const index of indexes) waits.wait(index, delayMs);
    if (outcome.kind === 'pause' && outcome.scope !== 'third_party')
      this.#later(first, this.#stopScope(indexes, outcome.reason, outcome.scope));
  }

  /** The pause goes on; when it is tried out next is decided anew. */
  #putOffProbe(push: ChunkPush, outcome: Exclude<Outcome, Requeue>): void {
    if (push.probeOf === undefined) return;
    this.#deps.breaker.note(this.#scope, { outcome, latencyMs: 0 }, push.probeOf);
    this.#deps.waits.hold(push.index, push.probeOf);
  }

  /** Tells what was simply sent. */
  tellSent(): void {
    if (this.#plainlySent === 0) return;
    const { evidence, chunk, route } = this.#deps;
    const byProxy = { deviceIds: this.#takenByProxy, claimedAt: chunk.claimedAt };
    evidence.addSent(this.#scope, this.#plainlySent, route === 'proxy' ? byProxy : undefined);
    this.#takenByProxy = [];
    this.#deps.breaker.note(this.#scope, SENT);
    this.#plainlySent = 0;
  }

  /** Resolves once everything is written down here. */
  async settled(): Promise<void> {
    this.tellSent();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #later(push: ChunkPush, work: Promise<void>): void {
    // The others go on, and what they sent is recorded: the chunk is not given up before their answers are there.
    const guarded = work.catch((error: unknown) => {
      const { log, progress, waits } = this.#deps;
      log.error({ err: error, ...progress.lease, index: push.index }, 'delivery not settled');
      waits.wait(push.index, FAULT_WAIT_MS);
    });
    this.#pending.add(guarded);
    void guarded.finally(() => this.#pending.delete(guarded));
  }

  async #settleOther(
    push: ChunkPush,
    { status, endpoint }: Attempt,
    outcome: Exclude<Outcome, Requeue>,
  ): Promise<void> {
    const latencyMs = Math.round((performance.now() - push.startedAtMs) * 10) / 10;
    // In the order of the answers: a good one counts before the bad one after it.
    this.tellSent();
    this.#deps.breaker.note(this.#scope, { outcome, status, latencyMs }, push.probeOf);
    if (outcome.kind === 'retry' && outcome.throttles === 'project')
      this.#deps.pacer?.slowDown(outcome.retryAfterMs);
    await this.#note(push, {
      outcome: toStorable(outcome),
      endpoint,
      startedAt: new Date(this.#deps.now().getTime() - latencyMs),
      latencyMs,
      ...(status === undefined ? {} : { status }),
    });
    const { evidence, chunk, route, pauses, log, progress } = this.#deps;
    evidence.add({
      scope: this.#scope,
      route,
      outcome,
      status,
      deviceId: push.toDevice().deviceId,
      pushToken: push.pushToken,
      claimedAt: chunk.claimedAt,
    });
    if (push.probeOf !== undefined && (outcome.kind === 'sent' || isDeadToken(outcome)))
      await pauses.lift(push.probeOf);
    if (outcome.kind === 'fail' && outcome.alarm === true)
      log.error({ ...progress.lease, reason: outcome.reason }, 'provider refused what we accepted');
  }

  /** What came of a delivery that was not simply sent at the first try. */
  async #note(push: ChunkPush, settled: SettledAttempt): Promise<void> {
    const { chunk, progress, now, random } = this.#deps;
    const device = push.toDevice();
    const { outcome } = settled;
    const verdict = judge(outcome, toOwed(device, chunk), now(), random);
    if (outcome.kind === 'ambiguous' && device.ambiguousAttempts === 0) progress.countAmbiguous();
    const nextAttemptAt = verdict.state === 'pending' ? verdict.nextAttemptAt : null;
    const record = toRecord(settled, this.#scope, nextAttemptAt);
    switch (verdict.state) {
      case 'sent':
        // Of a first try the ledger's byte says all.
        if (!push.wasTried) return progress.finish(push.index, 'sent', null);
        return progress.finish(
          push.index,
          'sent',
          null,
          toException(device, 'sent', null, settled, record),
        );
      case 'failed':
      case 'expired': {
        const { state, reason } = verdict;
        const exception = toException(device, state, reason, settled, record);
        return progress.finish(push.index, state, reason, exception);
      }
      case 'pending':
        return this.#defer(push, verdict.reason, verdict.nextAttemptAt, settled, record);
      case 'paused': {
        const { reason, scope } = verdict;
        if (scope !== 'third_party') return this.#stopScope([push.index], reason, scope);
        const later = this.#deps.waits.toLater(THIRD_PARTY_WAIT_MS);
        return this.#defer(push, reason, later, settled, record);
      }
    }
  }

  async #stopScope(
    indexes: readonly number[],
    reason: string,
    kind: Exclude<PauseScope, 'third_party'>,
  ): Promise<void> {
    const { pauses, waits } = this.#deps;
    const known = pauses.findOpenedHere(this.#scope);
    const pauseId = known?.pauseId ?? (await pauses.open(this.#scope, kind, reason));
    for (const index of indexes) {
      // Without one the credential was replaced meanwhile: it goes again at once, with the new one.
      if (pauseId === undefined) waits.wait(index, 0);
      else waits.hold(index, pauseId);
    }
  }

  #defer(
    push: ChunkPush,
    reason: string,
    nextAttemptAt: Date,
    settled: SettledAttempt,
    record: AttemptRecord,
  ): void {
    const until = this.#deps.waits.waitUntil(push.index, nextAttemptAt);
    const exception = toException(push.toDevice(), 'pending', reason, settled, record);
    this.#deps.progress.defer({ ...exception, nextAttemptAt: until });
  }
}

const SENT: NotedAttempt = { outcome: { kind: 'sent' }, status: 200, latencyMs: 0 };

function isDeadToken(outcome: Exclude<Outcome, Requeue>): boolean {
  return outcome.kind === 'gone' && outcome.fault === 'dead';
}
