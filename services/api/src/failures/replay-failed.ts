import { isUuid, Refusal, toMessageId, toRunPlace, type Provider } from '@heliograph/core';
import {
  claimIdempotencyKey,
  findFailedChunk,
  findIdempotencyEntry,
  keepFirstAnswer,
  listFailedRuns,
  listFailureCauses,
  listReplayable,
  replayChunk,
  replayDeliveries,
  REPLAY_VERDICTS,
  type DeliveryLane,
  type FailedCandidate,
  type FailedCause,
  type FailedPosition,
  type FailureState,
  type ReplayTerms,
  type ReplayVerdict,
} from '@heliograph/db';

import { isRecord } from '../http/reader.ts';
import type { IdempotentRequest } from '../messages/accept-once.ts';
import { badCursor, parseCursor, toCursor, type FailureDeps, type Period } from './failure-deps.ts';

/** Which failures are to be sent again, and how. */
export interface ReplayRequest extends ReplayTerms, Period {
  readonly appRef: number;
  readonly lanes: readonly DeliveryLane[];
  readonly provider: Provider | undefined;
  readonly state: FailureState | undefined;
  readonly reason: string | undefined;
  readonly messageId: string | undefined;
  readonly runId: string | undefined;
  readonly dryRun: boolean;
  /** The `next` of the answer before. */
  readonly after: string | undefined;
}

export interface ReplayAnswer {
  /** Put back to be sent again, or would be. */
  readonly replayed: number;
  /** Looked at and left as they are, by why. */
  readonly left: Readonly<Record<Exclude<ReplayVerdict, 'replayable'>, number>>;
  /** There was no time for all of them, or some could not be touched just now: ask again with `next`. */
  readonly more: boolean;
  readonly next: string | null;
}

/** How far a request came. Failures from `untilMs` on are not its own, however often it goes on: else what fails again would go round. */
interface Position {
  readonly untilMs: number;
  readonly message?: MessagePosition | undefined;
  readonly run?: RunPosition | undefined;
}

interface MessagePosition {
  readonly cause: string;
  readonly at: FailedPosition | undefined;
}

interface RunPosition {
  readonly runId: string;
  readonly chunk: number;
}

/** A request does as much as it gets done in that time. */
const WITHIN_MS = 15_000;
const DELIVERIES_AT_ONCE = 1000;
const MAX_CAUSES = 10_000;

/**
 * Puts failed deliveries back to be sent again, in batches that each are one transaction. Each failure is put back once: what is pending,
 * or has failed anew, since it was seen is left alone. With a key, a repeat answers what the first request did; one whose first request
 * died takes its place, and leaves alone what has failed since that came.
 */
export async function replayFailed(
  deps: FailureDeps,
  request: ReplayRequest,
  idempotency: IdempotentRequest | undefined,
): Promise<ReplayAnswer & { readonly isRepeat: boolean }> {
  if (idempotency === undefined || request.dryRun)
    return { ...(await replay(deps, request)), isRepeat: false };

  await claimIdempotencyKey(deps.db, idempotency, idempotency.bodyHash, []);
  const entry = await findIdempotencyEntry(deps.db, idempotency);
  if (entry === undefined) throw new Refusal('conflict', 'This Idempotency-Key is too old.');
  if (!entry.bodyHash.equals(idempotency.bodyHash))
    throw new Refusal('conflict', 'This Idempotency-Key was used with another request body.');
  if (entry.answer !== null) return { ...toAnswer(entry.answer), isRepeat: true };
  const until = entry.createdAt < request.until ? entry.createdAt : request.until;
  const answer = await replay(deps, { ...request, until });
  return { ...toAnswer(await keepFirstAnswer(deps.db, idempotency, answer)), isRepeat: false };
}

async function replay(deps: FailureDeps, request: ReplayRequest): Promise<ReplayAnswer> {
  const start =
    request.after === undefined
      ? { untilMs: request.until.getTime() }
      : toPosition(parseCursor(request.after));
  const until = new Date(Math.min(start.untilMs, request.until.getTime()));
  const walk = new Walk(deps, { ...request, until });
  const position = await walk.from(start);
  return {
    replayed: walk.tally.get('replayable') ?? 0,
    left: {
      ambiguous: walk.tally.get('ambiguous') ?? 0,
      unreachable: walk.tally.get('unreachable') ?? 0,
      over: walk.tally.get('over') ?? 0,
      cancelled: walk.tally.get('cancelled') ?? 0,
    },
    more: position !== undefined,
    next: position === undefined ? null : toCursor(position),
  };
}

/** Goes through the messages cause by cause, then through the runs chunk by chunk. */
class Walk {
  readonly tally = new Map<ReplayVerdict, number>();
  readonly #deps: FailureDeps;
  readonly #request: ReplayRequest;
  readonly #startedAt = performance.now();

  constructor(deps: FailureDeps, request: ReplayRequest) {
    this.#deps = deps;
    this.#request = request;
  }

  get #isOutOfTime(): boolean {
    return performance.now() - this.#startedAt > WITHIN_MS;
  }

  /** Answers where to go on; undefined where there is nothing more. */
  async from({ untilMs, message, run }: Position): Promise<Position | undefined> {
    const { lanes, runId, messageId } = this.#request;
    if (run === undefined && lanes.includes('message') && runId === undefined) {
      const left = await this.#throughMessages(message);
      if (left !== undefined) return { untilMs, message: left };
    }
    if (!lanes.includes('campaign') || messageId !== undefined) return undefined;
    const left = await this.#throughRuns(run);
    return left === undefined ? undefined : { untilMs, run: left };
  }

  async #throughMessages(start: MessagePosition | undefined): Promise<MessagePosition | undefined> {
    const found = await listFailureCauses(this.#deps.db, {
      ...this.#request,
      lane: 'message',
      limit: MAX_CAUSES,
    });
    const causes = found
      .map((cause) => ({ cause, name: toCauseName(cause) }))
      .filter(({ name }) => start === undefined || name >= start.cause)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const { cause, name } of causes) {
      const at = name === start?.cause ? start.at : undefined;
      const left = await this.#throughCause(cause, at);
      if (left !== undefined) return { cause: name, at: left };
    }
    return undefined;
  }

  /** Answers the last one that was looked at, where there are more. */
  async #throughCause(
    { appRef, provider, state, reason }: FailedCause,
    start: FailedPosition | undefined,
  ): Promise<FailedPosition | undefined> {
    const { db } = this.#deps;
    const { since, until, messageId, validUntil, dryRun } = this.#request;
    let after = start;
    for (;;) {
      const candidates = await listReplayable(
        db,
        {
          cause: { appRef, provider, state, reason },
          since,
          until,
          messageId,
          after,
          limit: DELIVERIES_AT_ONCE,
        },
        this.#request,
      );
      const good = candidates.filter(({ verdict }) => verdict === 'replayable');
      const replayed = dryRun ? good : await this.#putBack(good, validUntil);
      this.#count('replayable', replayed.length);
      for (const { verdict } of candidates) if (verdict !== 'replayable') this.#count(verdict, 1);
      const last = candidates.at(-1);
      if (last === undefined || candidates.length < DELIVERIES_AT_ONCE) return undefined;
      after = { atMicros: last.atMicros, id: last.id };
      if (this.#isOutOfTime) return after;
    }
  }

  /** The sweep finds what the announcement does not reach. */
  async #putBack(
    good: readonly FailedCandidate[],
    validUntil: Date | undefined,
  ): Promise<readonly string[]> {
    const ids = await replayDeliveries(this.#deps.db, good, validUntil);
    this.#deps.acceptor.announce(ids.map((id) => ({ id, state: 'pending' })));
    return ids;
  }

  /** Answers the first chunk that was not looked at, or could not be touched. */
  async #throughRuns(start: RunPosition | undefined): Promise<RunPosition | undefined> {
    const { db } = this.#deps;
    let busy: RunPosition | undefined;
    let at = start;
    for (;;) {
      const [runId] = await listFailedRuns(db, this.#request, { from: at?.runId, limit: 1 });
      if (runId === undefined) return busy;
      const from = at?.runId === runId ? at.chunk : 0;
      const chunk = await findFailedChunk(db, runId, from, this.#request);
      if (chunk === undefined) {
        at = { runId: toNext(runId), chunk: 0 };
        continue;
      }
      at = { runId, chunk: chunk + 1 };
      const replayed = await replayChunk(
        db,
        { runId, ordinal: chunk },
        this.#request,
        this.#request,
        this.#request.dryRun,
      );
      if (replayed.busy) busy ??= { runId, chunk };
      for (const [verdict, count] of replayed.verdicts) this.#count(verdict, count);
      if (this.#isOutOfTime) return busy ?? at;
    }
  }

  #count(verdict: ReplayVerdict, count: number): void {
    this.tally.set(verdict, (this.tally.get(verdict) ?? 0) + count);
  }
}

/** Ids of runs end with zeros, so nothing lies between one and this. */
function toNext(runId: string): string {
  return runId.slice(0, -1) + '1';
}

function toCauseName({ provider, state, reason }: FailedCause): string {
  return `${provider} ${state} ${reason}`;
}

/** The message of that id, or of that delivery. */
export function parseMessageId(id: string): string {
  if (!isUuid(id)) throw new Refusal('invalid_request', 'messageId is not an id of a message.');
  return toMessageId(id.toLowerCase());
}

/** The run of that id, or of that delivery. */
export function parseRunId(id: string): string {
  if (!isUuid(id)) throw new Refusal('invalid_request', 'runId is not an id of a run.');
  return toRunPlace(id.toLowerCase()).runId;
}

function toPosition(value: unknown): Position {
  if (!isRecord(value) || typeof value['untilMs'] !== 'number') throw badCursor();
  const { untilMs, message, run } = value;
  return {
    untilMs,
    ...(message === undefined ? {} : { message: toMessagePosition(message) }),
    ...(run === undefined ? {} : { run: toRunPosition(run) }),
  };
}

function toMessagePosition(value: unknown): MessagePosition {
  if (!isRecord(value) || typeof value['cause'] !== 'string') throw badCursor();
  const { cause, at } = value;
  if (!isRecord(at)) throw badCursor();
  const { atMicros, id } = at;
  if (typeof atMicros !== 'number' || typeof id !== 'string' || !isUuid(id)) throw badCursor();
  if (!Number.isSafeInteger(atMicros)) throw badCursor();
  return { cause, at: { atMicros, id } };
}

function toRunPosition(value: unknown): RunPosition {
  if (!isRecord(value)) throw badCursor();
  const { runId, chunk } = value;
  if (typeof runId !== 'string' || !isUuid(runId)) throw badCursor();
  if (typeof chunk !== 'number' || !Number.isSafeInteger(chunk)) throw badCursor();
  return { runId, chunk };
}

function toAnswer(kept: unknown): ReplayAnswer {
  if (!isReplayAnswer(kept)) throw new Error('the kept answer of an Idempotency-Key is damaged');
  return kept;
}

function isReplayAnswer(value: unknown): value is ReplayAnswer {
  if (!isRecord(value) || !isRecord(value['left'])) return false;
  const { left } = value;
  return (
    typeof value['replayed'] === 'number' &&
    typeof value['more'] === 'boolean' &&
    REPLAY_VERDICTS.every((one) => one === 'replayable' || typeof left[one] === 'number')
  );
}
