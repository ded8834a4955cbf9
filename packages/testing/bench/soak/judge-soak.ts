import { ENDED } from './send-ledger.ts';

/** What sender and server say, a byte per push each. */
export interface SoakBooks {
  /** As `SendLedger` has them. */
  readonly ends: Uint8Array;
  readonly lastAttempts: Uint8Array;
  readonly endedAgain: number;
  /** As `Acceptance` has them. */
  readonly accepted: Uint8Array;
  readonly acceptedAgain: number;
}

export interface Judgement {
  readonly sent: number;
  readonly ambiguous: number;
  /** Of these the server had accepted so many. */
  readonly ambiguousAccepted: number;
  readonly unprocessed: number;
  /** What is not true of the transport's promise, if anything; for people. */
  readonly faults: readonly string[];
}

/**
 * Whether every push came to one end, and that end is true: what was sent was accepted, by its last attempt and once; what was called
 * unprocessed, a last attempt or one before another, was not. What is ambiguous may have been accepted, once.
 */
export function judgeSoak(books: SoakBooks): Judgement {
  const { ends, lastAttempts, endedAgain, accepted, acceptedAgain } = books;
  const ended = { not: 0, sent: 0, ambiguous: 0, unprocessed: 0, refused: 0 };
  let ambiguousAccepted = 0;
  let missing = 0;
  let twice = acceptedAgain;
  let processed = 0;
  for (const [number, end] of ends.entries()) {
    const attempts = accepted[number] ?? 0;
    const last = end === ENDED.unprocessed ? 0 : 1 << (lastAttempts[number] ?? 0);
    if (end === ENDED.not) ended.not += 1;
    if (end === ENDED.sent) ended.sent += 1;
    if (end === ENDED.ambiguous) ended.ambiguous += 1;
    if (end === ENDED.unprocessed) ended.unprocessed += 1;
    if (end === ENDED.refused) ended.refused += 1;
    if (end === ENDED.ambiguous && attempts !== 0) ambiguousAccepted += 1;
    if (end === ENDED.sent && (attempts & last) === 0) missing += 1;
    if ((attempts & (attempts - 1)) !== 0) twice += 1;
    if (end !== ENDED.not && (attempts & ~last) !== 0) processed += 1;
  }
  const faults: readonly (readonly [number, string])[] = [
    [ended.not, 'have no outcome'],
    [endedAgain, 'had another outcome after their first'],
    [ended.refused, 'were refused, though the server refuses none'],
    [missing, 'ended as sent, and the server has not accepted them'],
    [twice, 'were accepted more than once'],
    [processed, 'had an attempt that was called unprocessed, and the server has accepted it'],
  ];
  return {
    sent: ended.sent,
    ambiguous: ended.ambiguous,
    ambiguousAccepted,
    unprocessed: ended.unprocessed,
    faults: faults.flatMap(([count, text]) => (count > 0 ? [`${count} pushes ${text}`] : [])),
  };
}
