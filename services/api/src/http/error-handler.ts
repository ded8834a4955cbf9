import type { IncomingMessage, ServerResponse } from 'node:http';

import { KeyNotAtHand, Refusal } from '@heliograph/core';
import { isDatabaseUnavailable } from '@heliograph/db';
import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';

import { writeJson } from './write-json.ts';

/** Puts a refusal on the surface's wire. */
export type RenderRefusal = (refusal: Refusal) => unknown;

/** Answers a request with what was thrown at it. */
export type AnswerError = (error: unknown, req: IncomingMessage, res: ServerResponse) => void;

/** The same where Express hands errors on. */
export function errorHandler(log: Logger, render: RenderRefusal): ErrorRequestHandler {
  const answer = createErrorAnswer(log, render);
  return (error: unknown, req, res, _next) => answer(error, req, res);
}

/** The one place that answers errors. What we did not expect becomes a 500 that says nothing about itself. */
export function createErrorAnswer(log: Logger, render: RenderRefusal): AnswerError {
  return (error, req, res) => {
    const path = req.url?.split('?', 1)[0];
    if (res.headersSent) {
      // Half an answer is not to look like a whole one.
      log.error(
        { err: error, path, requestId: res.getHeader('X-Correlation-ID') },
        'answer cut off',
      );
      return void res.destroy();
    }
    const refusal = toRefusal(error);
    if (refusal.status >= 500 && refusal.code !== 'overloaded')
      log.error(
        { err: error, path, requestId: res.getHeader('X-Correlation-ID') },
        'request failed',
      );
    if (refusal.retryAfterSeconds !== undefined)
      res.setHeader('Retry-After', refusal.retryAfterSeconds);
    writeJson(res, refusal.status, render(refusal));
  };
}

/** What body-parser and the router throw, by their `type`. */
const BY_TYPE = new Map<unknown, (error: Error) => Refusal>([
  [
    'entity.too.large',
    (error) => {
      const limit = 'limit' in error ? ` of ${String(error.limit)} bytes` : '';
      return new Refusal('too_large', `The body is larger than the limit${limit}.`);
    },
  ],
  ['entity.parse.failed', () => new Refusal('invalid_request', 'The body is not valid JSON.')],
  [
    'charset.unsupported',
    () => new Refusal('unsupported_media_type', 'The charset is not supported.'),
  ],
  [
    'encoding.unsupported',
    () => new Refusal('unsupported_media_type', 'The encoding is not supported.'),
  ],
]);

/** Whatever was thrown, as a refusal; what we did not expect becomes `internal`. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isDatabaseUnavailable(error))
    return new Refusal('unavailable', 'The database does not answer.', { cause: error });
  // Keys are being changed, and not in the order that is safe: another api may have it.
  if (error instanceof KeyNotAtHand)
    return new Refusal('unavailable', 'A key of this server is missing.', { cause: error });
  if (error instanceof Error) {
    const known = 'type' in error ? BY_TYPE.get(error.type) : undefined;
    if (known !== undefined) return known(error);
    if ('status' in error && typeof error.status === 'number' && error.status < 500)
      return new Refusal('invalid_request', 'The request is malformed.', { cause: error });
  }
  return new Refusal('internal', 'Something went wrong.', { cause: error });
}
