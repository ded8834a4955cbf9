import { setTimeout as sleep } from 'node:timers/promises';

import {
  judge,
  toRunDeliveryId,
  type Environment,
  type PushMessage,
  type Verdict,
} from '@heliograph/core';
import {
  claimMovedToken,
  MAX_DELIVERIES_PER_CHUNK,
  readDeferred,
  readOwedDevices,
  type AttemptRecord,
  type ChunkRelease,
  type ClaimedChunk,
  type CredentialScope,
  type OwedDevice,
} from '@heliograph/db';
import type { PushProvider } from '@heliograph/providers';

import { attempt, type SettledAttempt } from '../send/attempt.ts';
import type { ProcessorDeps } from '../send/processor.ts';
import { Turns } from '../send/turns.ts';
import { BUSY_WAIT_MS, toRecord } from '../send/updates.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { ChunkLeases } from './chunk-leases.ts';
import { ChunkProgress } from './chunk-progress.ts';
import { toException, toLastWord, toUntried } from './exceptions.ts';
import { gateDevice } from './gate-device.ts';
import type { RunWatch } from './run-watch.ts';

export interface ChunkSenderDeps extends Omit<ProcessorDeps, 'leases' | 'recorder'> {
  readonly leases: ChunkLeases;
  readonly checkpointer: Checkpointer;
  readonly watch: RunWatch;
}

/** Sends what is owed of a leased chunk, `permits` deliveries at most, and gives the lease up. Answers how many it sent. Never rejects. */
export type SendChunk = (chunk: ClaimedChunk, permits: number) => Promise<number>;

/** A lease must outlast a send by this much, so that its outcome can be written under it. */
const RECORD_MARGIN_MS = 2_000;
/** A chunk that takes longer makes room for those of other runs, and goes on when it is its run's turn again. */
const SLICE_MS = 5_000;
/** So often a chunk looks that is held up by the database. */
const HELD_UP_MS = 50;
/** Campaigns leave a part of a provider's places to messages. */
const SHARE_OF_PLACES = 0.75;
/** So much of that one chunk takes; as many of a run are sent at once by a process. */
export const CHUNKS_OF_A_RUN = 4;
/** Where nothing can be sent for want of a credential, we look again after that. */
const CREDENTIAL_WAIT_MS = 60_000;
/** What Google can't hand on to a third party is tried again after that. */
const THIRD_PARTY_WAIT_MS = 15 * 60_000;
/** A chunk that could not be read waits that long. */
const FAULT_WAIT_MS = 5_000;
/** Until the audience is frozen nobody knows whether a device's new token belongs to another one in it. */
const FREEZE_WAIT_MS = 1_000;

/** When a delivery is tried again; with a pause, when that is lifted or then. */
interface Wait {
  readonly until: Date;
  readonly pauseId: number | null;
}

interface Todo {
  readonly device: OwedDevice;
  readonly pushToken: string;
  readonly environment: Environment | '';
  readonly probeOf?: number;
}

export function createChunkSender(deps: ChunkSenderDeps): SendChunk {
  const turns = new WeakMap<PushProvider, Turns>();

  return async function sendChunk(chunk, permits) {
    const progress = new ChunkProgress(chunk);
    deps.checkpointer.watch(progress);
    const sending = new ChunkSending(deps, chunk, progress, turnsOf);
    try {
      await sending.run(permits);
    } catch (error) {
      // A read failed, or a bug of ours: what was sent is known, the rest is tried again after a moment.
      deps.log.error({ err: error, ...progress.lease }, 'chunk could not be sent');
      sending.waitWithAll();
    }
    await deps.checkpointer.release(progress, sending.toRelease());
    return sending.sends;
  };

  function turnsOf(provider: PushProvider): Turns {
    const kept = turns.get(provider);
    if (kept !== undefined) return kept;
    const made = new Turns(toPlaces(provider));
    turns.set(provider, made);
    return made;
  }
}

/** How many sends of campaigns may be under way at the provider. */
function toPlaces(provider: PushProvider): number {
  return Math.max(1, Math.floor(provider.maxInFlight * SHARE_OF_PLACES));
}

/** One claim of a chunk: what is sent of it, and what waits. */
class ChunkSending {
  readonly #deps: ChunkSenderDeps;
  readonly #chunk: ClaimedChunk;
  readonly #progress: ChunkProgress;
  readonly #turnsOf: (provider: PushProvider) => Turns;
  readonly #waits = new Map<number, Wait>();
  readonly #message: PushMessage;
  readonly #startedMs: number;
  sends = 0;

  constructor(
    deps: ChunkSenderDeps,
    chunk: ClaimedChunk,
    progress: ChunkProgress,
    turnsOf: (provider: PushProvider) => Turns,
  ) {
    this.#deps = deps;
    this.#chunk = chunk;
    this.#progress = progress;
    this.#turnsOf = turnsOf;
    this.#startedMs = deps.clockMs();
    const { validUntil: _, ...body } = chunk.message;
    // One object per chunk, so that a provider maps it once for all its deliveries.
    this.#message = {
      id: chunk.runId,
      body,
      silent: false,
      priority: 'HIGH',
      expiresAt: chunk.expiresAt,
    };
  }

  async run(permits: number): Promise<void> {
    const { db } = this.#deps;
    const devices = await readOwedDevices(db, this.#chunk);
    const deferred = await readDeferred(db, this.#chunk);
    for (const [index, until] of deferred) this.#waits.set(index, { until, pauseId: null });
    for (const { index } of devices) this.#waits.delete(index);

    const todo = await this.#gateAll(devices);
    if (todo.length > 0) await this.#sendAll(todo, permits);
  }

  /** Everything that is owed waits for a moment. */
  waitWithAll(): void {
    const until = this.#toLater(FAULT_WAIT_MS);
    for (const index of this.#progress.owed()) this.#waits.set(index, { until, pauseId: null });
  }

  /** When the chunk has something to do again. */
  toRelease(): ChunkRelease {
    const owed = [...this.#progress.owed()];
    if (owed.length === 0) return { kind: 'done' };
    const waits = owed.flatMap((index) => this.#waits.get(index) ?? []);
    // Something is owed that waits for nothing: it was not its turn yet.
    if (waits.length < owed.length) return { kind: 'due' };

    const dueAt = new Date(Math.min(...waits.map(({ until }) => until.getTime())));
    const pauses = new Set(waits.flatMap(({ pauseId }) => pauseId ?? []));
    const [pauseId = null] = pauses;
    if (pauses.size <= 1) return { kind: 'later', dueAt, pauseId };
    // Held by two at once: either may be lifted first.
    const soon = this.#toLater(CREDENTIAL_WAIT_MS);
    return { kind: 'later', dueAt: dueAt < soon ? dueAt : soon, pauseId: null };
  }

  /** Decides about each device, and answers those that are to be sent. */
  async #gateAll(devices: readonly OwedDevice[]): Promise<Todo[]> {
    const todo: Todo[] = [];
    const probed = new Set<number>();
    for (const device of devices) {
      const { index, pushToken } = device;
      const gate = gateDevice(device, this.#chunk);
      switch (gate.action) {
        case 'skip':
          this.#skip(device, gate.reason);
          break;
        case 'expire':
          this.#progress.finish(index, 'expired', 'expired', toLastWord(device, 'expired'));
          break;
        case 'hold':
          this.#hold(index, gate.pauseId);
          break;
        case 'await_credential':
          this.#wait(index, CREDENTIAL_WAIT_MS);
          break;
        case 'ask_for_token':
          if (!this.#deps.watch.isMaterialised(this.#chunk.runId))
            this.#wait(index, FREEZE_WAIT_MS);
          else if (!(await this.#mayHaveToken(device))) this.#skip(device, 'token_in_audience');
          else todo.push({ device, pushToken: pushToken ?? '', environment: gate.environment });
          break;
        case 'send':
          // Of what a pause holds one delivery at a time tries it out.
          if (gate.probeOf !== undefined && probed.has(gate.probeOf))
            this.#hold(index, gate.probeOf);
          else todo.push({ device, pushToken: pushToken ?? '', ...gate });
          if (gate.probeOf !== undefined) probed.add(gate.probeOf);
          break;
      }
    }
    return todo;
  }

  async #mayHaveToken({ deviceId, pushToken }: OwedDevice): Promise<boolean> {
    if (pushToken === null) return false;
    const { runId, provider } = this.#chunk;
    return claimMovedToken(this.#deps.db, { runId, provider, deviceId, pushToken });
  }

  async #sendAll(todo: readonly Todo[], permits: number): Promise<void> {
    const { credentials, pool } = this.#deps;
    const { appRef, provider: name, credential } = this.#chunk;
    const loaded = await credentials.load(appRef, name, credential?.version ?? 0);
    if (loaded.kind === 'removed') {
      for (const { device } of todo) this.#wait(device.index, CREDENTIAL_WAIT_MS);
      return;
    }
    if (loaded.kind === 'unusable') {
      for (const one of todo) await this.#stopScope(one, loaded.version, loaded.reason);
      return;
    }

    const provider = pool.get(loaded.credential);
    const turns = this.#turnsOf(provider);
    const mayGoOn = () =>
      this.#deps.leases.outlasts(this.#chunk, provider.deadlineMs + RECORD_MARGIN_MS) &&
      this.#deps.watch.maySend(this.#chunk.runId) &&
      !this.#progress.isLost &&
      this.#deps.now() < this.#chunk.expiresAt;
    const isInSlice = () =>
      !this.#deps.stopping.aborted && this.#deps.clockMs() - this.#startedMs < SLICE_MS;
    const mayOpen = () =>
      mayGoOn() && isInSlice() && !this.#deps.checkpointer.isBehind() && this.sends < permits;
    const isHeldUp = () =>
      this.#deps.watch.isStale(this.#chunk.runId) || this.#deps.checkpointer.isBehind();
    /** A database that is slow would only have more to do, and nothing be sent, if chunks were given up and claimed anew. */
    const mayOpenSoon = async () => {
      while (isHeldUp() && isInSlice() && this.sends < permits) await sleep(HELD_UP_MS);
      return mayOpen();
    };

    let next = 0;
    const sendOneAfterAnother = async () => {
      while (next < todo.length && (mayOpen() || (await mayOpenSoon()))) {
        const one = todo[next];
        // The others took the last ones meanwhile.
        if (one === undefined) return;
        next += 1;
        await this.#sendOne(
          one,
          provider,
          turns,
          loaded.credential.version,
          mayOpen,
          mayGoOn,
        ).catch((error: unknown) => this.#noteFault(one.device.index, error));
      }
    };
    const atOnce = Math.max(1, Math.ceil(toPlaces(provider) / CHUNKS_OF_A_RUN));
    await Promise.all(Array.from({ length: Math.min(atOnce, todo.length) }, sendOneAfterAnother));
  }

  /** The others go on, and what they sent is recorded: the chunk is not given up before their answers are there. */
  #noteFault(index: number, error: unknown): void {
    this.#deps.log.error({ err: error, ...this.#progress.lease, index }, 'delivery not settled');
    this.#wait(index, FAULT_WAIT_MS);
  }

  async #sendOne(
    one: Todo,
    provider: PushProvider,
    turns: Turns,
    credentialVersion: number,
    mayOpen: () => boolean,
    mayGoOn: () => boolean,
  ): Promise<void> {
    const { runId, ordinal } = this.#chunk;
    const { device, environment } = one;
    const scope = this.#toScope(one, credentialVersion);
    const place = ordinal * MAX_DELIVERIES_PER_CHUNK + device.index;
    const deliveryId = toRunDeliveryId(runId, place);
    const settled = await turns.run(async () => {
      // Checked at the last moment: waiting for a place, or a process that was stopped, may have used up the lease.
      if (!mayOpen()) return 'unsent';
      const pause = one.probeOf === undefined ? this.#deps.pauses.findOpenedHere(scope) : undefined;
      if (pause !== undefined) return pause;
      this.sends += 1;
      return attempt(
        provider,
        {
          deliveryId,
          pushToken: one.pushToken,
          message: this.#message,
          environment: environment === '' ? 'production' : environment,
        },
        {
          signal: this.#deps.abandoning,
          mayGoOn,
          onBug: (error) =>
            this.#deps.log.error({ err: error, deliveryId }, 'provider client failed'),
        },
      );
    });
    if (settled === 'unsent') return;
    if (settled === 'busy')
      return this.#wait(
        device.index,
        BUSY_WAIT_MS.least + BUSY_WAIT_MS.spread * this.#deps.random(),
      );
    if ('pauseId' in settled) return this.#hold(device.index, settled.pauseId);
    await this.#settle(one, scope, settled);
  }

  async #settle(one: Todo, scope: CredentialScope, settled: SettledAttempt): Promise<void> {
    const { device } = one;
    const { outcome } = settled;
    const [first] = (device.history ?? []).filter(({ outcome: was }) => was !== 'pause');
    const verdict = judge(
      outcome,
      {
        provider: this.#chunk.provider,
        attempts: device.attempts,
        ambiguousAttempts: device.ambiguousAttempts,
        firstAttemptAt: first === undefined ? undefined : new Date(first.at),
        expiresAt: this.#chunk.expiresAt,
      },
      this.#deps.now(),
      this.#deps.random,
    );
    if (outcome.kind === 'ambiguous' && device.ambiguousAttempts === 0)
      this.#progress.countAmbiguous();

    // Almost all of them: nothing is kept but the byte.
    if (verdict.state === 'sent' && device.history === null)
      this.#progress.finish(device.index, 'sent', null);
    else await this.#note(one, verdict, scope, settled);
    this.#deps.evidence.add({
      scope,
      outcome,
      status: settled.status,
      deviceId: device.deviceId,
      pushToken: one.pushToken,
      claimedAt: this.#chunk.claimedAt,
    });
    if (one.probeOf !== undefined && (outcome.kind === 'sent' || isDeadToken(outcome)))
      await this.#deps.pauses.lift(one.probeOf);
    if (outcome.kind === 'fail' && outcome.alarm === true)
      this.#deps.log.error(
        { ...this.#progress.lease, reason: outcome.reason },
        'provider refused what we accepted',
      );
  }

  /** What came of a delivery that was not sent at the first try. */
  async #note(
    one: Todo,
    verdict: Verdict,
    scope: CredentialScope,
    settled: SettledAttempt,
  ): Promise<void> {
    const { index } = one.device;
    const nextAttemptAt = verdict.state === 'pending' ? verdict.nextAttemptAt : null;
    const record = toRecord(settled, scope, nextAttemptAt);
    switch (verdict.state) {
      case 'sent':
        return this.#progress.finish(
          index,
          'sent',
          null,
          toException(one.device, 'sent', null, settled, record),
        );
      case 'failed':
      case 'expired':
        return this.#progress.finish(
          index,
          verdict.state,
          verdict.reason,
          toException(one.device, verdict.state, verdict.reason, settled, record),
        );
      case 'pending':
        return this.#defer(one, verdict.reason, verdict.nextAttemptAt, settled, record);
      case 'paused':
        if (verdict.scope === 'third_party')
          return this.#defer(
            one,
            verdict.reason,
            this.#toLater(THIRD_PARTY_WAIT_MS),
            settled,
            record,
          );
        return this.#stopScope(one, scope.credentialVersion, verdict.reason, verdict.scope);
    }
  }

  async #stopScope(
    one: Todo,
    credentialVersion: number,
    reason: string,
    kind: 'credential' | 'app' | 'endpoint' = 'credential',
  ): Promise<void> {
    const scope = this.#toScope(one, credentialVersion);
    const known = this.#deps.pauses.findOpenedHere(scope);
    const pauseId = known?.pauseId ?? (await this.#deps.pauses.open(scope, kind, reason));
    // Without one the credential was replaced meanwhile: it goes again at once, with the new one.
    if (pauseId === undefined) this.#wait(one.device.index, 0);
    else this.#hold(one.device.index, pauseId);
  }

  #hold(index: number, pauseId: number): void {
    this.#waits.set(index, { until: this.#chunk.expiresAt, pauseId });
  }

  #wait(index: number, ms: number): void {
    const later = this.#toLater(ms);
    const { expiresAt } = this.#chunk;
    this.#waits.set(index, { until: later < expiresAt ? later : expiresAt, pauseId: null });
  }

  #defer(
    one: Todo,
    reason: string,
    nextAttemptAt: Date,
    settled: SettledAttempt,
    record: AttemptRecord,
  ): void {
    const { expiresAt } = this.#chunk;
    const until = nextAttemptAt < expiresAt ? nextAttemptAt : expiresAt;
    this.#waits.set(one.device.index, { until, pauseId: null });
    this.#progress.defer({
      ...toException(one.device, 'pending', reason, settled, record),
      nextAttemptAt: until,
    });
  }

  #skip(device: OwedDevice, reason: string): void {
    const exception = toUntried(device, 'skipped', reason);
    this.#progress.finish(device.index, 'skipped', reason, exception);
  }

  #toLater(ms: number): Date {
    return new Date(this.#deps.now().getTime() + ms);
  }

  #toScope({ environment }: Todo, credentialVersion: number): CredentialScope {
    const { appRef, provider } = this.#chunk;
    return { appRef, provider, environment, credentialVersion };
  }
}

function isDeadToken(outcome: SettledAttempt['outcome']): boolean {
  return outcome.kind === 'gone' && outcome.fault === 'dead';
}
