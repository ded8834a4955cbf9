import type { Ambiguous, Outcome, Retry } from '@heliograph/core';
import type { ResponseFailure } from '@parse/node-apn';
import { findField, findText } from '../../json.ts';
import { listErrorCodes, toConnectOutcome } from '../../transport-faults.ts';
import { toApnsOutcome, toUnprocessed, type ApnsAnswer } from '../answers.ts';

/** What node-apn 8.1 says in words only. A wording that we don't know is ambiguous, which is never wrong. */
const EMPTY_BODY = /with status (\d{3}) and empty body$/;
const HEADERS_NOT_WRITTEN = /^Request frame error: \(frameType: 1,/;
const REFUSED_STREAM = /NGHTTP2_REFUSED_STREAM$/;
const ANSWER_DROPPED = 'client session is either closed or destroyed';
const TIMEOUT = 'apn write timeout';

/** Thrown by node where a request is made on a connection that is closing: none of it was written. */
const NO_SESSION = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

export interface FailedAttempt {
  readonly outcome: Outcome;
  readonly status?: number;
}

/** What a push came to that node-apn reports as failed. */
export function toFailedAttempt(failure: ResponseFailure): FailedAttempt {
  const answer = findAnswer(failure);
  if (answer) return { outcome: toApnsOutcome(answer), status: answer.status };
  return { outcome: toUnanswered(failure) };
}

/** The answer inside the failure. For some statuses node-apn puts the reason, or only the status, into an error's text. */
function findAnswer({ status, response, error }: ResponseFailure): ApnsAnswer | undefined {
  const message = error?.message ?? '';
  const inWords = EMPTY_BODY.exec(message)?.[1];
  if (inWords !== undefined) return { status: Number(inWords) };
  if (typeof status !== 'number') return undefined;

  // It keeps the whole body for itself on exactly one reason of these two.
  if (!response) return { status, reason: status === 500 ? 'InternalServerError' : message };
  const reason = findText(response, 'reason');
  const timestamp = Number(findField(response, 'timestamp') ?? Number.NaN);
  return {
    status,
    ...(reason !== undefined && { reason }),
    ...(Number.isFinite(timestamp) && { timestamp }),
  };
}

function toUnanswered(failure: ResponseFailure): Outcome {
  const message = failure.error?.message ?? '';
  const codes = listErrorCodes(failure.error);

  // node-apn spreads an error that is thrown at once: of that one only the code is left.
  const thrown = findText(failure, 'code');
  if (thrown !== undefined && NO_SESSION.has(thrown)) return toUnprocessed('connection_closing');
  if (HEADERS_NOT_WRITTEN.test(message)) return toUnprocessed('connection_closing');
  if (REFUSED_STREAM.test(message)) return toUnprocessed('refused_stream');
  // The connection ended before it was ready for the request.
  if (codes[0] === 'ERR_HTTP2_STREAM_CANCEL') return toConnectOutcome(failure.error, 'connection');
  if (message === ANSWER_DROPPED) return ANSWERED_WHILE_CLOSING;
  return toAmbiguous(message === TIMEOUT ? 'timeout' : (codes.at(-1) ?? 'no_answer'));
}

function toAmbiguous(reason: string): Ambiguous {
  return { kind: 'ambiguous', reason };
}

/** node-apn looks at the connection before it hands out a 429, a 5xx or an expired token, and then forgets which it was. */
const ANSWERED_WHILE_CLOSING: Retry = {
  kind: 'retry',
  reason: 'answered_while_closing',
  backoff: 'apns_trouble',
  bound: 'expiry',
};
