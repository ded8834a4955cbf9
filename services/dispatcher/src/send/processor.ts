import { judge, type PushMessage } from '@heliograph/core';
import {
  type ClaimedDelivery,
  type CredentialScope,
  type Db,
  type DeliveryUpdate,
  type RouteName,
} from '@heliograph/db';
import type { ProviderPool, PushProvider } from '@heliograph/providers';
import type { Logger } from 'pino';

import type { Breaker } from '../guard/breaker.ts';
import type { Evidence } from '../guard/evidence.ts';
import type { Pauses } from '../guard/pauses.ts';
import type { Pacer } from '../pacing/pacer.ts';
import type { Pacers } from '../pacing/pacers.ts';
import { attempt, type SettledAttempt } from './attempt.ts';
import { createBulkheads } from './bulkheads.ts';
import { createClaimer } from './claimer.ts';
import { toClaimed, type CredentialStore, type LoadedCredential } from './credentials.ts';
import { EXPIRED, isExpired, passGate, type Gate } from './gate.ts';
import type { LeaseBook } from './lease-book.ts';
import { giveBack, type Recorder } from './recorder.ts';
import { Turns } from './turns.ts';
import {
  toBusyUpdate,
  toGatedUpdate,
  toHeldUpdate,
  toJudgedUpdate,
  toLockedUpdate,
} from './updates.ts';

type SendGate = Extract<Gate, { action: 'send' }>;

export interface ProcessorDeps {
  readonly db: Db;
  readonly leases: LeaseBook;
  readonly recorder: Recorder;
  readonly breaker: Breaker;
  readonly evidence: Evidence;
  readonly pacers: Pacers;
  readonly pauses: Pauses;
  readonly credentials: CredentialStore;
  readonly pool: ProviderPool;
  readonly log: Logger;
  readonly clockMs: () => number;
  readonly now: () => Date;
  readonly random: () => number;
  /** Aborted when the process stops: what has not been handed to a provider then is given back. */
  readonly stopping: AbortSignal;
  readonly leaseMs: number;
}

/** A lease must outlast a send by this much, so that its outcome can be written under it. */
const RECORD_MARGIN_MS = 2_000;
/** So long a message waits for its turn under the pace of its account, before it comes again later. */
const PACE_PATIENCE_MS = 5_000;

export interface Processor {
  /**
   * Claims what is due of the given deliveries, sends it, and records what came of it. Resolves when others may be claimed: as soon as
   * these are handed over, or where their app has much in hand already, when they are done.
   */
  process(ids: readonly string[]): Promise<void>;
  /** Resolves when no delivery is in hand. */
  drained(): Promise<void>;
}

export function createProcessor(deps: ProcessorDeps): Processor {
  const claim = createClaimer(deps);
  const turns = new WeakMap<PushProvider, Turns>();
  const bulkheads = createBulkheads(deps.clockMs);

  async function processDue(ids: readonly string[]): Promise<void> {
    if (deps.stopping.aborted) return;
    // Claimed from the table, not taken from the job: after a crash only what is still owed goes again.
    const claimed = await claim(ids);

    // One object per message, so that a provider maps it once for all its deliveries.
    const messages = new Map<string, PushMessage>();
    for (const delivery of claimed)
      if (!messages.has(delivery.messageId))
        messages.set(delivery.messageId, toPushMessage(delivery));
    await Promise.all(
      claimed.map(async (delivery) => {
        // What one app's provider takes its time for is not to keep the others' deliveries from being claimed.
        const scope = `${delivery.appRef}/${delivery.provider}`;
        const isTaken = await bulkheads.run(scope, () => deliver(delivery, messages));
        if (!isTaken) await record(delivery, toBusyUpdate(delivery, deps.now(), deps.random));
      }),
    );
  }

  async function deliver(
    delivery: ClaimedDelivery,
    messages: ReadonlyMap<string, PushMessage>,
  ): Promise<void> {
    // By the database's clock, which decided that it is due: ours may be behind.
    const gate = passGate(delivery, delivery.claimedAt);
    try {
      if (gate.action !== 'send')
        return await record(delivery, toGatedUpdate(delivery, gate, deps.now()));
      const loaded = await load(delivery);
      const credential = loaded.kind === 'usable' ? toClaimed(loaded.credential) : undefined;
      // Replaced since the claim: what was decided for the old one, and maybe for another way, is no good for this one.
      if (credential !== undefined && credential.version !== delivery.credential?.version)
        return await deliver({ ...delivery, credential }, messages);
      const message = messages.get(delivery.messageId) ?? toPushMessage(delivery);
      await send(delivery, gate, loaded, message);
    } catch (error) {
      // Nothing was handed to a provider: a read failed, or a bug of ours. It is due again, after a moment.
      deps.log.error({ err: error, deliveryId: delivery.id }, 'delivery could not be tried');
      await giveBack({ ...deps, onError: noteError }, [delivery]);
    }
  }

  function load({ appRef, provider, credential }: ClaimedDelivery): Promise<LoadedCredential> {
    if (credential === null) throw new Error('the gate let nothing through');
    return deps.credentials.load(appRef, provider, credential.version);
  }

  async function send(
    delivery: ClaimedDelivery,
    gate: SendGate,
    loaded: LoadedCredential,
    message: PushMessage,
  ): Promise<void> {
    const { device } = delivery;
    if (device === null) throw new Error('the gate let nothing through');
    if (loaded.kind === 'removed')
      return record(delivery, toGatedUpdate(delivery, { action: 'await_credential' }, deps.now()));
    if (loaded.kind === 'locked')
      return record(delivery, toLockedUpdate(delivery, deps.now(), deps.random));

    const version = loaded.kind === 'usable' ? loaded.credential.version : loaded.version;
    const scope = toScope(delivery, gate, version);
    if (loaded.kind === 'unusable') {
      const pauseId = await deps.pauses.open(scope, 'credential', loaded.reason);
      return record(delivery, toHeldUpdate(delivery, loaded.reason, pauseId, deps.now()));
    }

    const provider = deps.pool.get(loaded.credential);
    // Checked at the last moment: waiting for a place, or a process that was stopped, may have used up the lease or the message's time.
    const mayGoOn = () =>
      deps.leases.outlasts(delivery, provider.deadlineMs + RECORD_MARGIN_MS) &&
      !isExpired(delivery, deps.now());
    const pacer = deps.pacers.of(loaded.credential);
    const inPace = await keepPace(pacer);
    const settled = await turnsOf(provider).run(async () => {
      if (!mayGoOn() || deps.stopping.aborted) return 'unsent';
      if (!inPace) return 'busy';
      // The scope may have been stopped by the answer to a push that was under way before this one.
      const pause = gate.probeOf === undefined ? deps.pauses.findOpenedHere(scope) : undefined;
      return (
        pause ??
        attempt(
          provider,
          {
            deliveryId: delivery.id,
            pushToken: device.pushToken,
            message,
            environment: gate.environment === '' ? 'production' : gate.environment,
          },
          {
            mayGoOn,
            onBug: (error) =>
              deps.log.error({ err: error, deliveryId: delivery.id }, 'provider client failed'),
          },
        )
      );
    });
    if (settled === 'unsent') return recordUnsent(delivery);
    if (settled === 'busy')
      return record(delivery, toBusyUpdate(delivery, deps.now(), deps.random));
    if ('pauseId' in settled)
      return record(delivery, toHeldUpdate(delivery, settled.reason, settled.pauseId, deps.now()));

    const { outcome } = settled;
    if (outcome.kind === 'retry' && outcome.throttles === 'project')
      pacer?.slowDown(outcome.retryAfterMs);
    const { route } = loaded.credential;
    await settle(delivery, gate, { scope, route }, settled, device.pushToken);
  }

  /** Waits for the pace of the account; answers false where that takes too long. */
  async function keepPace(pacer: Pacer | undefined): Promise<boolean> {
    const untilMs = deps.clockMs() + PACE_PATIENCE_MS;
    while (pacer !== undefined && !pacer.tryTake('message')) {
      if (deps.clockMs() >= untilMs || deps.stopping.aborted) return false;
      await pacer.whenReady('message');
    }
    return true;
  }

  async function settle(
    delivery: ClaimedDelivery,
    gate: SendGate,
    { scope, route }: { readonly scope: CredentialScope; readonly route: RouteName },
    settled: SettledAttempt,
    pushToken: string,
  ): Promise<void> {
    const { outcome } = settled;
    deps.breaker.note(scope, settled, gate.probeOf);
    const verdict = judge(
      outcome,
      {
        provider: delivery.provider,
        attempts: delivery.attempts,
        ambiguousAttempts: delivery.ambiguousAttempts,
        firstAttemptAt:
          delivery.firstAttemptAt === null ? undefined : new Date(delivery.firstAttemptAt),
        expiresAt: delivery.expiresAt,
      },
      deps.now(),
      deps.random,
    );
    const pauseId =
      verdict.state === 'paused'
        ? await deps.pauses.open(scope, verdict.scope, verdict.reason)
        : undefined;
    await record(delivery, toJudgedUpdate(delivery, verdict, pauseId, settled, scope, deps.now()));

    deps.evidence.add({
      scope,
      route,
      outcome,
      status: settled.status,
      deviceId: delivery.deviceId,
      pushToken,
      claimedAt: delivery.claimedAt,
    });
    if (gate.probeOf !== undefined && showsThatItWorks(outcome))
      await deps.pauses.lift(gate.probeOf);
    if (outcome.kind === 'fail' && outcome.alarm === true)
      deps.log.error(
        { deliveryId: delivery.id, reason: outcome.reason },
        'provider refused what we accepted',
      );
  }

  function recordUnsent(delivery: ClaimedDelivery): Promise<void> {
    const now = deps.now();
    if (!isExpired(delivery, now)) return giveBack({ ...deps, onError: noteError }, [delivery]);
    return record(delivery, toGatedUpdate(delivery, EXPIRED, now));
  }

  function record(delivery: ClaimedDelivery, update: DeliveryUpdate): Promise<void> {
    const awaitedMessageId = delivery.awaited ? delivery.messageId : undefined;
    return deps.recorder.record({ update, appRef: delivery.appRef, awaitedMessageId });
  }

  function turnsOf(provider: PushProvider): Turns {
    const kept = turns.get(provider);
    if (kept !== undefined) return kept;
    const made = new Turns(provider.maxInFlight);
    turns.set(provider, made);
    return made;
  }

  function noteError(error: unknown): void {
    deps.log.warn({ err: error }, 'leases could not be given back');
  }

  return { process: processDue, drained: () => bulkheads.drained() };
}

/** A provider that accepts a push, or knows its token as dead, has taken the credential. */
function showsThatItWorks(outcome: SettledAttempt['outcome']): boolean {
  return outcome.kind === 'sent' || (outcome.kind === 'gone' && outcome.fault === 'dead');
}

function toPushMessage(delivery: ClaimedDelivery): PushMessage {
  return {
    id: delivery.messageId,
    body: delivery.body,
    silent: delivery.silent,
    priority: delivery.priority,
    expiresAt: delivery.expiresAt,
  };
}

function toScope(
  delivery: ClaimedDelivery,
  gate: SendGate,
  credentialVersion: number,
): CredentialScope {
  return {
    appRef: delivery.appRef,
    provider: delivery.provider,
    environment: gate.environment,
    credentialVersion,
  };
}
