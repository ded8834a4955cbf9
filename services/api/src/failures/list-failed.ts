import { isUuid, toOutcome, type Provider } from '@heliograph/core';
import {
  listFailedDeliveries,
  listFailedRuns,
  listPlacesByOutcome,
  readRunDeliveries,
  toFailureCodes,
  type Db,
  type DeliveryLane,
  type FailedPosition,
  type FailureState,
  type RunDelivery,
} from '@heliograph/db';

import { ofMessage, ofRun, type TracedDelivery } from '../deliveries/trace-deliveries.ts';
import { isRecord } from '../http/reader.ts';
import { badCursor, parseCursor, toCursor, type Period } from './failure-deps.ts';

/** One cause of failures of an app. */
export interface FailedPageQuery extends Period {
  readonly appRef: number;
  readonly lane: DeliveryLane;
  readonly provider: Provider;
  readonly state: FailureState;
  readonly reason: string;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  readonly size: number;
}

export interface FailedPage {
  readonly deliveries: readonly TracedDelivery[];
  /** Null where this was the last page. */
  readonly next: string | null;
}

/**
 * Failed deliveries of one cause. Those of messages come with the latest failure first, those of campaigns with the latest run first and
 * in the order of its audience; a page of those may have fewer than there are, and a `next` all the same.
 */
export function listFailed(deps: { readonly db: Db }, query: FailedPageQuery): Promise<FailedPage> {
  return query.lane === 'message' ? listOfMessages(deps, query) : listOfRuns(deps, query);
}

async function listOfMessages(
  { db }: { readonly db: Db },
  { appRef, provider, state, reason, since, until, after, size }: FailedPageQuery,
): Promise<FailedPage> {
  const found = await listFailedDeliveries(db, {
    cause: { appRef, provider, state, reason },
    since,
    until,
    after: after === undefined ? undefined : toPosition(parseCursor(after)),
    limit: size + 1,
  });
  const page = found.slice(0, size);
  const last = found.length > size ? page.at(-1) : undefined;
  return {
    deliveries: page.map(ofMessage),
    next: last === undefined ? null : toCursor({ atMicros: last.atMicros, id: last.id }),
  };
}

function toPosition(value: unknown): FailedPosition {
  if (!isRecord(value)) throw badCursor();
  const { atMicros, id } = value;
  if (!Number.isSafeInteger(atMicros) || typeof id !== 'string' || !isUuid(id)) throw badCursor();
  return { atMicros: Number(atMicros), id };
}

/** So much is looked at for a page: where most of it is of another cause with the same byte, the page is short. */
const MAX_LOOKS = 10;
const MIN_PLACES = 100;

async function listOfRuns(
  { db }: { readonly db: Db },
  query: FailedPageQuery,
): Promise<FailedPage> {
  const { provider, size } = query;
  const codes = toFailureCodes(query);
  const limit = Math.max(size, MIN_PLACES);
  const deliveries: TracedDelivery[] = [];
  let at = query.after === undefined ? undefined : toPlace(parseCursor(query.after));
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const [runId] = await listFailedRuns(
      db,
      { ...query, runId: undefined },
      { from: at?.runId, limit: 1, order: 'desc' },
    );
    if (runId === undefined) return { deliveries, next: null };
    const from = at?.runId === runId ? at.ordinal + 1 : 0;
    const places = await listPlacesByOutcome(db, { runId, codes, provider, from, limit });
    for (const row of await readRunDeliveries(db, places)) {
      at = row;
      if (isOf(row, query)) deliveries.push(ofRun(row));
      if (deliveries.length === size) return { deliveries, next: toRunCursor(row) };
    }
    // Behind the last place of a run come the runs before it.
    if (places.length < limit) at = { runId: toRunBefore(runId), ordinal: -1 };
  }
  return { deliveries, next: at === undefined ? null : toRunCursor(at) };
}

/** Ids of runs end with zeros, so nothing lies between one and what is one less. */
function toRunBefore(runId: string): string {
  const before = BigInt(`0x${runId.replaceAll('-', '')}`) - 1n;
  const hex = before.toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function isOf(
  { code, exception }: RunDelivery,
  { state, reason, since, until }: FailedPageQuery,
): boolean {
  const outcome = toOutcome(code);
  if (outcome.state !== state) return false;
  const words = exception?.state === state ? exception : null;
  if ((words?.reason ?? outcome.reason) !== reason) return false;
  const finishedAt = words?.finishedAt ?? null;
  return finishedAt === null || (finishedAt >= since && finishedAt < until);
}

interface Place {
  readonly runId: string;
  readonly ordinal: number;
}

function toRunCursor({ runId, ordinal }: Place): string {
  return toCursor({ runId, ordinal });
}

function toPlace(value: unknown): Place {
  if (!isRecord(value)) throw badCursor();
  const { runId, ordinal } = value;
  if (typeof runId !== 'string' || !isUuid(runId) || !Number.isSafeInteger(ordinal))
    throw badCursor();
  return { runId, ordinal: Number(ordinal) };
}
