import { DEFERRED, OWED, toOutcomeCode, type DeliveryState } from '@heliograph/core';
import {
  AMBIGUOUS,
  type ChunkCheckpoint,
  type ChunkException,
  type ChunkLease,
  type ChunkRelease,
} from '@heliograph/db';

/** A leased chunk as this process knows it: ahead of the ledger by what was not checkpointed yet. */
export class ChunkProgress {
  readonly #chunk: ChunkLease & Pick<ChunkCheckpoint, 'appRef' | 'provider'>;
  /** Nothing but the lease: it goes into the log, and the chunk holds the payload. */
  readonly lease: ChunkLease;
  readonly #outcomes: Buffer;
  #checkpoint: number;
  #changes = new Map<number, number>();
  #exceptions = new Map<number, ChunkException>();
  #release: ChunkRelease | undefined;
  /** Handed to the database; whether it was written is not known yet. It is repeated as it is, or it might be counted twice. */
  #underWay: ChunkCheckpoint | undefined;
  /** The lease is another's by now: nothing more of this can be recorded, and nothing more may be sent. */
  isLost = false;

  constructor(
    chunk: ChunkLease & Pick<ChunkCheckpoint, 'appRef' | 'provider' | 'outcomes' | 'checkpoint'>,
  ) {
    this.#chunk = chunk;
    const { runId, ordinal, leaseEpoch } = chunk;
    this.lease = { runId, ordinal, leaseEpoch };
    this.#outcomes = Buffer.from(chunk.outcomes);
    this.#checkpoint = chunk.checkpoint;
  }

  /** There is something to be checkpointed. */
  get isDirty(): boolean {
    return (
      this.#underWay !== undefined ||
      this.#changes.size > 0 ||
      this.#exceptions.size > 0 ||
      this.#release !== undefined
    );
  }

  codeAt(index: number): number {
    return this.#outcomes[index] ?? OWED;
  }

  /** Places that are owed still. */
  *owed(): Generator<number> {
    for (const [index, code] of this.#outcomes.entries())
      if (code === OWED || code === DEFERRED) yield index;
  }

  /** Nothing more is owed for this place. Goes with an exception unless it was sent at the first try. */
  finish(
    index: number,
    state: Exclude<DeliveryState, 'pending'>,
    reason: string | null,
    exception?: ChunkException,
  ): void {
    this.#set(index, toOutcomeCode(state, reason));
    if (exception !== undefined) this.#note(exception);
  }

  /** It was tried, and is tried again. */
  defer(exception: ChunkException): void {
    this.#set(exception.index, DEFERRED);
    this.#note(exception);
  }

  /** A delivery that was never answered, for the first time. */
  countAmbiguous(): void {
    this.#add(AMBIGUOUS, 1);
  }

  /** The lease ends with the next checkpoint. */
  release(release: ChunkRelease): void {
    this.#release = release;
  }

  /** What is to be written, the same until it was `settled`. */
  toCheckpoint(): ChunkCheckpoint {
    this.#underWay ??= this.#take();
    return this.#underWay;
  }

  /** What `toCheckpoint` answered is in the ledger, or can't get there any more. Answers whether the lease ended with it. */
  settle(recorded: boolean): boolean {
    const released = this.#underWay !== undefined && this.#underWay.release.kind !== 'keep';
    this.#underWay = undefined;
    if (recorded) this.#checkpoint += 1;
    else this.isLost = true;
    return released || this.isLost;
  }

  /** Leaves out the words that the database refuses: what came of a push must be known. */
  withoutWords(): void {
    const point = this.toCheckpoint();
    this.#underWay = {
      ...point,
      exceptions: point.exceptions.map((one) => ({
        ...one,
        reason: one.reason === null ? null : 'unrecordable',
        providerMessageId: null,
        history: [],
      })),
    };
  }

  #take(): ChunkCheckpoint {
    const taken: ChunkCheckpoint = {
      ...this.#chunk,
      checkpoint: this.#checkpoint,
      outcomes: Buffer.from(this.#outcomes),
      changes: this.#changes,
      exceptions: [...this.#exceptions.values()],
      release: this.#release ?? { kind: 'keep' },
    };
    this.#changes = new Map();
    this.#exceptions = new Map();
    this.#release = undefined;
    return taken;
  }

  #set(index: number, code: number): void {
    const before = this.codeAt(index);
    if (before === code) return;
    this.#outcomes[index] = code;
    // What is owed is counted by what is not.
    if (before !== OWED) this.#add(before, -1);
    this.#add(code, 1);
  }

  #add(code: number, change: number): void {
    this.#changes.set(code, (this.#changes.get(code) ?? 0) + change);
  }

  #note(exception: ChunkException): void {
    this.#exceptions.set(exception.index, exception);
  }
}
