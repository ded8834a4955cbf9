import type { ChunkRelease } from '@heliograph/db';

/** When a delivery is tried again; with a pause, when that is lifted or then. */
interface Wait {
  readonly until: Date;
  readonly pauseId: number | null;
}

export interface ChunkWaitsDeps {
  readonly now: () => Date;
  /** Nothing waits longer. */
  readonly expiresAt: Date;
}

/** Held by two pauses at once, either of which may be lifted first, a chunk is looked at after that. */
const LOOK_AGAIN_MS = 60_000;

/** What of a chunk waits, and for what. */
export class ChunkWaits {
  readonly #now: () => Date;
  readonly #expiresAt: Date;
  readonly #waits = new Map<number, Wait>();

  constructor({ now, expiresAt }: ChunkWaitsDeps) {
    this.#now = now;
    this.#expiresAt = expiresAt;
  }

  has(index: number): boolean {
    return this.#waits.has(index);
  }

  /** Until the pause is lifted, or the push expires. */
  hold(index: number, pauseId: number): void {
    this.#waits.set(index, { until: this.#expiresAt, pauseId });
  }

  /** Answers until when. */
  waitUntil(index: number, at: Date): Date {
    const until = at < this.#expiresAt ? at : this.#expiresAt;
    this.#waits.set(index, { until, pauseId: null });
    return until;
  }

  wait(index: number, ms: number): void {
    this.waitUntil(index, this.toLater(ms));
  }

  /** Though the push expires meanwhile: only to find that out. */
  waitPastExpiry(index: number, ms: number): void {
    this.#waits.set(index, { until: this.toLater(ms), pauseId: null });
  }

  toLater(ms: number): Date {
    return new Date(this.#now().getTime() + ms);
  }

  /** When the chunk has something to do again, of which these places are owed. */
  toRelease(owed: readonly number[]): ChunkRelease {
    if (owed.length === 0) return { kind: 'done' };
    const waits = owed.flatMap((index) => this.#waits.get(index) ?? []);
    // Something is owed that waits for nothing: it was not its turn yet.
    if (waits.length < owed.length) return { kind: 'due' };

    const dueAt = new Date(Math.min(...waits.map(({ until }) => until.getTime())));
    const pauses = new Set(waits.flatMap(({ pauseId }) => pauseId ?? []));
    const [pauseId = null] = pauses;
    if (pauses.size <= 1) return { kind: 'later', dueAt, pauseId };
    const soon = this.toLater(LOOK_AGAIN_MS);
    return { kind: 'later', dueAt: dueAt < soon ? dueAt : soon, pauseId: null };
  }
}
