import { Refusal } from '@heliograph/core';
import type { Db } from '@heliograph/db';

import type { MessageAcceptor } from '../messages/accept-messages.ts';

/** What the verbs about failures work with. */
export interface FailureDeps {
  readonly db: Db;
  readonly acceptor: Pick<MessageAcceptor, 'isHeard' | 'announce'>;
  readonly now: () => Date;
}

/** A span of time; `since` belongs to it, `until` does not. */
export interface Period {
  readonly since: Date;
  readonly until: Date;
}

const DEFAULT_SPAN_MS = 24 * 3_600_000;

/** The last day unless told otherwise. Refuses one that ends before it begins. */
export function toPeriod(
  { since, until }: { readonly since: Date | undefined; readonly until: Date | undefined },
  now: Date,
): Period {
  const end = until ?? now;
  const period = { since: since ?? new Date(end.getTime() - DEFAULT_SPAN_MS), until: end };
  if (period.until <= period.since)
    throw new Refusal('invalid_request', 'until must be later than since.');
  return period;
}

/** Where a walk through pages goes on: opaque to callers. */
export function toCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** What `toCursor` was given; undefined for anything that is none. */
export function parseCursor(text: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return value;
  } catch {
    return undefined;
  }
}

export function badCursor(): Refusal {
  return new Refusal(
    'invalid_request',
    'after must be the next of the answer before, with the same filter.',
  );
}
