import type { Ambiguous, Unprocessed } from './request.ts';

// Those without a status. They are the same for all requests, and made once.

export const REFUSED: Unprocessed = { kind: 'unprocessed', reason: 'refused_stream' };
export const REFUSED_BY_GOAWAY: Unprocessed = { kind: 'unprocessed', reason: 'goaway' };
export const NOT_WRITTEN: Unprocessed = { kind: 'unprocessed', reason: 'not_written' };
export const NO_ANSWER = toAmbiguous('no_status');

export function toAmbiguous(reason: string): Ambiguous {
  return { kind: 'ambiguous', reason };
}
