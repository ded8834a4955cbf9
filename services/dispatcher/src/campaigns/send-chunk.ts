import { setTimeout as sleep } from 'node:timers/promises';

import type { Outcome, PushMessage, Requeue } from '@heliograph/core';
import { readOwedChunk, type ClaimedChunk, type CredentialScope } from '@heliograph/db';
import type { Credential, PushProvider } from '@heliograph/providers';

import type { Pacer } from '../pacing/pacer.ts';
import { toClaimed, type LoadedCredential } from '../send/credentials.ts';
import type { ProcessorDeps } from '../send/processor.ts';
import { BUSY_WAIT_MS } from '../send/updates.ts';
import type { Checkpointer } from './checkpointer.ts';
import { ChunkFeed } from './chunk-feed.ts';
import type { ChunkLeases } from './chunk-leases.ts';
import { ChunkProgress } from './chunk-progress.ts';
import type { ChunkTodo } from './chunk-push.ts';
import { ChunkWaits } from './chunk-waits.ts';
import { CREDENTIAL_WAIT_MS, planChunk } from './plan-chunk.ts';
import type { RunWatch } from './run-watch.ts';
import { FAULT_WAIT_MS, PushSettler } from './settle-push.ts';

export interface ChunkSenderDeps extends Omit<ProcessorDeps, 'leases' | 'recorder'> {
  readonly leases: ChunkLeases;
  readonly checkpointer: Checkpointer;
  readonly watch: RunWatch;
}

/** A chunk that is being sent. */
export interface SentChunk {
  /** Its lease is given up; answers how many deliveries were sent. Never rejects. */
  readonly done: Promise<number>;
  /** It waits, for a provider that has fallen silent or for the account's pace: others may be sent meanwhile. Or it is done. */
  readonly waitingOrDone: Promise<void>;
}

/** Sends what is owed of a leased chunk, `permits` deliveries at most, and gives the lease up. */
export type SendChunk = (chunk: ClaimedChunk, permits: number) => SentChunk;

/** A lease must outlast a send by this much, so that its outcome can be written under it. */
const RECORD_MARGIN_MS = 2_000;
/** A chunk that takes longer makes room for those of other runs, and goes on when it is its run's turn again. */
const SLICE_MS = 5_000;
/** A provider that answers nothing for so long is silent. */
const SILENCE_MS = 1_000;
const LOOK_EVERY_MS = 250;
/** So often a chunk looks that is held up by the database. */
const HELD_UP_MS = 50;
/** What has expired by our clock is looked at again after that. */
const EXPIRY_WAIT_MS = 1_000;

export function createChunkSender(deps: ChunkSenderDeps): SendChunk {
  return (chunk, permits) => {
    const sending = new ChunkSending(deps, chunk, permits);
    return { done: sending.run(), waitingOrDone: sending.waitingOrDone };
  };
}

/** One claim of a chunk: what is sent of it, and what waits. */
class ChunkSending {
  readonly #deps: ChunkSenderDeps;
  readonly #chunk: ClaimedChunk;
  readonly #progress: ChunkProgress;
  readonly #waits: ChunkWaits;
  readonly #message: PushMessage;
  /** When sending began: planning may take a while, and is not to use up the slice. */
  #startedMs = 0;
  readonly waitingOrDone: Promise<void>;
  #tellWaitingOrDone: () => void = () => undefined;
  #permits: number;
  #sends = 0;

  constructor(deps: ChunkSenderDeps, chunk: ClaimedChunk, permits: number) {
    this.#deps = deps;
    this.#chunk = chunk;
    this.#permits = permits;
    this.#progress = new ChunkProgress(chunk);
    this.#waits = new ChunkWaits({ now: deps.now, expiresAt: chunk.expiresAt });
    this.waitingOrDone = new Promise((resolve) => {
      this.#tellWaitingOrDone = resolve;
    });
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

  async run(): Promise<number> {
    const { checkpointer, log } = this.#deps;
    checkpointer.watch(this.#progress);
    try {
      await this.#sendOwed();
    } catch (error) {
      // A read failed, or a bug of ours: what was sent is known, the rest is tried again after a moment.
      log.error({ err: error, ...this.#progress.lease }, 'chunk could not be sent');
      for (const index of this.#progress.owed()) this.#waits.wait(index, FAULT_WAIT_MS);
    }
    const release = this.#waits.toRelease([...this.#progress.owed()]);
    await checkpointer.release(this.#progress, release);
    this.#tellWaitingOrDone();
    return this.#sends;
  }

  async #sendOwed(): Promise<void> {
    const { db, watch } = this.#deps;
    const loaded = await this.#loadCredential();
    // It may have been replaced since the claim: what is decided has to be so for what is sent with, and the way that leads.
    const chunk =
      loaded?.kind === 'usable'
        ? { ...this.#chunk, credential: toClaimed(loaded.credential) }
        : this.#chunk;
    const todos = await planChunk(
      {
        db,
        chunk,
        message: this.#message,
        progress: this.#progress,
        waits: this.#waits,
        isMaterialised: () => watch.isMaterialised(chunk.runId),
      },
      await readOwedChunk(db, chunk),
    );
    if (todos.length > 0) await this.#sendAll(todos, loaded ?? { kind: 'removed' });
  }

  async #loadCredential(): Promise<LoadedCredential | undefined> {
    const { appRef, provider, credential } = this.#chunk;
    return credential === null
      ? undefined
      : this.#deps.credentials.load(appRef, provider, credential.version);
  }

  async #sendAll(todos: readonly ChunkTodo[], loaded: LoadedCredential): Promise<void> {
    const { pool } = this.#deps;
    this.#startedMs = this.#deps.clockMs();
    if (loaded.kind === 'usable') {
      const provider = pool.get(loaded.credential);
      const sendings = todos.map((todo) => this.#sendTo(provider, loaded.credential, todo));
      // The chunk is not given up while another host owes answers.
      await Promise.allSettled(sendings);
      await Promise.all(sendings);
      return;
    }
    for (const todo of todos) {
      if (loaded.kind === 'removed')
        for (const { index } of todo.drain()) this.#waits.wait(index, CREDENTIAL_WAIT_MS);
      // Another dispatcher may have the key.
      else if (loaded.kind === 'locked') this.#waitLonger(todo);
      else await this.#putOffUnusable(todo, loaded.version, loaded.reason);
    }
  }

  async #putOffUnusable(todo: ChunkTodo, credentialVersion: number, reason: string): Promise<void> {
    const settler = this.#toSettler(todo, { version: credentialVersion, route: 'direct' });
    settler.putOff(todo.drain(), { kind: 'pause', reason, scope: 'credential' });
    await settler.settled();
  }

  async #sendTo(provider: PushProvider, credential: Credential, todo: ChunkTodo): Promise<void> {
    const pacer = this.#deps.pacers.of(credential);
    const settler = this.#toSettler(todo, credential, pacer);
    const scope = this.#toScope(todo, credential.version);
    const feed = new ChunkFeed({
      todo,
      mayOpen: () => this.#mayOpen(provider),
      isPaused: () => this.#deps.pauses.findOpenedHere(scope) !== undefined,
      takePermit: () => this.#takePermit(pacer),
      settle: (push, attempt, outcome) => settler.settle(push, attempt, outcome),
    });
    const looking = setInterval(() => {
      settler.tellSent();
      if (feed.silentForMs() >= SILENCE_MS) this.#tellWaitingOrDone();
    }, LOOK_EVERY_MS);
    try {
      await provider.feed(feed);
      while (await this.#mayGoOn(provider, feed, pacer)) await provider.feed(feed);
    } finally {
      clearInterval(looking);
      await settler.settled();
    }
    this.#putOffRest(feed, scope, settler);
    await settler.settled();
  }

  /** Waits for what holds the chunk up. Given up and claimed anew, it would only give a slow database more to do. */
  async #mayGoOn(
    provider: PushProvider,
    feed: ChunkFeed,
    pacer: Pacer | undefined,
  ): Promise<boolean> {
    if (feed.stoppedBy !== undefined || feed.isHeld || feed.isEmpty || this.#permits < 1)
      return false;
    if (pacer !== undefined && feed.wantsPermit) {
      this.#tellWaitingOrDone();
      await pacer.whenReady('campaign');
    }
    const { watch, checkpointer } = this.#deps;
    const isHeldUp = () => watch.isStale(this.#chunk.runId) || checkpointer.isBehind();
    while (isHeldUp() && this.#isInSlice()) await sleep(HELD_UP_MS);
    return this.#mayOpen(provider);
  }

  #isInSlice(): boolean {
    const { stopping, clockMs } = this.#deps;
    return !stopping.aborted && clockMs() - this.#startedMs < SLICE_MS;
  }

  /** What was not sent and waits for nothing is the next claim's, at once, unless there is a reason to wait. */
  #putOffRest(feed: ChunkFeed, scope: CredentialScope, settler: PushSettler): void {
    const outcome = toLastOutcome(feed.stoppedBy);
    if (outcome !== undefined) return settler.putOff(feed.drain(), outcome);
    // The database's clock decides that it has expired, and may be behind.
    if (this.#deps.now() >= this.#chunk.expiresAt) {
      for (const { index } of feed.drain()) this.#waits.waitPastExpiry(index, EXPIRY_WAIT_MS);
      return;
    }
    const pause = this.#deps.pauses.findOpenedHere(scope);
    if (pause !== undefined) {
      for (const { index } of feed.drain()) this.#waits.hold(index, pause.pauseId);
      return;
    }
    // A provider that answered nothing at all is left alone for a while.
    if (feed.isUnanswered) this.#waitLonger(feed);
  }

  #waitLonger(pushes: Pick<ChunkTodo, 'drain'> | Pick<ChunkFeed, 'drain'>): void {
    const { least, spread } = BUSY_WAIT_MS;
    for (const { index } of pushes.drain())
      this.#waits.wait(index, least + spread * this.#deps.random());
  }

  /** Asked at the last moment: a process that was stopped may have used up the lease. */
  #mayOpen(provider: PushProvider): boolean {
    const { leases, watch, checkpointer, now } = this.#deps;
    return (
      leases.outlasts(this.#chunk, provider.deadlineMs + RECORD_MARGIN_MS) &&
      watch.maySend(this.#chunk.runId) &&
      !this.#progress.isLost &&
      now() < this.#chunk.expiresAt &&
      this.#isInSlice() &&
      !checkpointer.isBehind()
    );
  }

  /** Within what the run may send, and at the pace of the account. */
  #takePermit(pacer: Pacer | undefined): boolean {
    if (this.#permits < 1) return false;
    if (pacer !== undefined && !pacer.tryTake('campaign')) return false;
    this.#permits -= 1;
    this.#sends += 1;
    return true;
  }

  #toSettler(
    todo: ChunkTodo,
    { version, route }: Pick<Credential, 'version' | 'route'>,
    pacer?: Pacer,
  ): PushSettler {
    const own = { chunk: this.#chunk, progress: this.#progress, waits: this.#waits, pacer, route };
    return new PushSettler({ ...this.#deps, ...own }, this.#toScope(todo, version));
  }

  #toScope({ environment }: ChunkTodo, credentialVersion: number): CredentialScope {
    const { appRef, provider } = this.#chunk;
    return { appRef, provider, environment, credentialVersion };
  }
}

/** Why everything waits that was not sent; undefined where it may go on at once, as with a credential that was replaced. */
function toLastOutcome(stoppedBy: Outcome | undefined): Exclude<Outcome, Requeue> | undefined {
  if (stoppedBy?.kind !== 'requeue') return stoppedBy;
  return stoppedBy.reason === 'closing' ? undefined : stoppedBy.otherwise;
}
