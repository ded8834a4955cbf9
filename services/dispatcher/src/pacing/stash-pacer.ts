import type { Pace, PaceBuckets } from '@heliograph/queue';

import type { PaceLane, Pacer } from './pacer.ts';

export interface StashPacerDeps {
  readonly buckets: PaceBuckets;
  readonly clockMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** A batch is what is used in so long, so Redis is asked about ten times a second, however much is sent. */
const BATCH_MS = 100;
const MIN_BATCH = 4;
/** The bucket was empty: it is asked no more often than that, or it would be asked for each permit, and no more seldom. */
const MIN_WAIT_MS = 50;
const MAX_WAIT_MS = 1_000;
/** What was not used in so long goes back: another dispatcher may want it. */
const KEEP_MS = 1_000;
/** Without Redis: so long until it is asked again. */
const AWAY_WAIT_MS = 250;
/** While Redis is away a process lets through so many messages per second, or a tenth of the pace where that is less. */
const ALONE_PER_SECOND = 20;
/** Answers to what was under way come together: one of them is passed on. */
const ONE_REFUSAL_MS = 1_000;

/**
 * A stash of permits of one bucket, fetched in batches before it is empty. Campaigns leave the last tenth of a batch to messages, and take
 * nothing while a message waits. While Redis does not answer campaigns stand still; messages trickle, since those in hand may be
 * what somebody waits for, and a trickle from each dispatcher is far from any quota.
 */
export class StashPacer implements Pacer {
  readonly #deps: StashPacerDeps;
  readonly #name: string;
  readonly #pace: Pace;
  #permits = 0;
  /** What campaigns leave. */
  #reserve = 0;
  /** At so few the next batch is fetched. */
  #low = 0;
  #batch = MIN_BATCH;
  #used = 0;
  #perSecond: number;
  #fetchedAtMs: number;
  /** Since the last fetch somebody went away empty-handed; a message did. */
  #missed = false;
  #missedByMessage = false;
  /** Being fetched, or waiting until the bucket may be asked again. */
  #busy = false;
  #waitTimer: NodeJS.Timeout | undefined;
  #keepTimer: NodeJS.Timeout | undefined;
  #waiting: Record<PaceLane, (() => void)[]> = { message: [], campaign: [] };
  /** Permits of the trickle without Redis. */
  #alone = 0;
  #aloneSinceMs: number | undefined;
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(deps: StashPacerDeps, name: string, pace: Pace) {
    this.#deps = deps;
    this.#name = name;
    this.#pace = pace;
    this.#perSecond = pace.base;
    this.#fetchedAtMs = deps.clockMs();
  }

  tryTake(lane: PaceLane): boolean {
    if (this.#isThere(lane)) {
      if (this.#permits > 0) this.#permits -= 1;
      else this.#alone -= 1;
      this.#used += 1;
      if (this.#permits <= this.#low) this.#fetch();
      return true;
    }
    this.#missed = true;
    if (lane === 'message') this.#missedByMessage = true;
    this.#fetch();
    return false;
  }

  putBack(): void {
    this.#permits += 1;
    this.#used -= 1;
  }

  whenReady(lane: PaceLane): Promise<void> {
    if (this.#closed) return new Promise((resolve) => setTimeout(resolve, MAX_WAIT_MS).unref());
    if (this.#isThere(lane)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting[lane].push(resolve);
      this.#fetch();
    });
  }

  slowDown(retryAfterMs?: number): void {
    const now = this.#deps.clockMs();
    const until = now + Math.max(ONE_REFUSAL_MS, retryAfterMs ?? 0);
    if (until < this.#refusedUntilMs + ONE_REFUSAL_MS) return;
    this.#refusedUntilMs = until;
    this.#drop();
    void this.#deps.buckets.slowDown(this.#name, this.#pace, retryAfterMs);
  }

  /** Gives back what is left. From then on nothing is granted. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#waitTimer);
    this.#wake();
    await this.#giveBack();
  }

  #isThere(lane: PaceLane): boolean {
    if (this.#closed) return false;
    if (lane === 'message') return this.#permits > 0 || this.#alone >= 1;
    return this.#permits > this.#reserve && this.#waiting.message.length === 0;
  }

  #fetch(): void {
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    void this.#fetchBatch().then((waitMs) => {
      this.#busy = waitMs > 0;
      if (this.#busy) this.#waitTimer = setTimeout(() => this.#endWait(), waitMs);
      this.#wake();
    });
  }

  #endWait(): void {
    this.#busy = false;
    if (this.#waiting.message.length + this.#waiting.campaign.length > 0) this.#fetch();
  }

  /** Answers how long the bucket is to be left alone. Never rejects. */
  async #fetchBatch(): Promise<number> {
    const wanted = this.#sizeBatch();
    const leaving = !this.#missedByMessage && this.#waiting.message.length === 0;
    this.#missed = false;
    this.#missedByMessage = false;
    try {
      const { granted, waitMs, perSecond } = await this.#deps.buckets.take(
        this.#name,
        this.#pace,
        wanted,
        { leaving },
      );
      this.#alone = 0;
      this.#aloneSinceMs = undefined;
      this.#perSecond = perSecond;
      this.#batch = wanted;
      this.#stash(granted);
      if (granted === wanted) return 0;
      return Math.min(Math.max(waitMs, MIN_WAIT_MS), MAX_WAIT_MS);
    } catch (error) {
      this.#deps.onError(error);
      this.#trickle();
      return AWAY_WAIT_MS;
    }
  }

  #sizeBatch(): number {
    const now = this.#deps.clockMs();
    const elapsedMs = Math.max(1, now - this.#fetchedAtMs);
    const inBatchTime = Math.ceil((this.#used / elapsedMs) * BATCH_MS);
    this.#fetchedAtMs = now;
    this.#used = 0;
    const wanted = this.#missed ? Math.max(inBatchTime, this.#batch * 2) : inBatchTime;
    const most = Math.ceil((this.#perSecond * BATCH_MS) / 1000);
    return Math.min(Math.max(wanted, MIN_BATCH), Math.max(most, 1));
  }

  #stash(granted: number): void {
    if (this.#closed) return void this.#deps.buckets.giveBack(this.#name, this.#pace, granted);
    if (granted === 0) return;
    this.#permits += granted;
    this.#reserve = granted === 1 ? 0 : Math.max(1, Math.floor(granted / 10));
    this.#low = Math.max(this.#reserve, granted >> 1);
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => void this.#giveBack(), KEEP_MS).unref();
  }

  async #giveBack(): Promise<void> {
    const unused = this.#permits;
    this.#drop();
    await this.#deps.buckets.giveBack(this.#name, this.#pace, Math.max(unused, 0));
  }

  #drop(): void {
    clearTimeout(this.#keepTimer);
    this.#permits = 0;
    this.#reserve = 0;
    this.#low = 0;
    this.#batch = MIN_BATCH;
  }

  #trickle(): void {
    const now = this.#deps.clockMs();
    const perSecond = Math.min(ALONE_PER_SECOND, this.#pace.ceiling / 10);
    const elapsedMs = now - (this.#aloneSinceMs ?? now);
    this.#aloneSinceMs = now;
    this.#alone = Math.min(this.#alone + (perSecond * elapsedMs) / 1000, Math.max(1, perSecond));
  }

  /** Messages first: they have taken theirs before a campaign looks. */
  #wake(): void {
    const { message, campaign } = this.#waiting;
    this.#waiting = { message: [], campaign: [] };
    for (const resolve of message) resolve();
    for (const resolve of campaign) resolve();
  }
}
