import { randomUUID } from 'node:crypto';

import type { RequestHandler } from 'express';

/** What the original calls a correlation id; anything else is not taken over. */
const ACCEPTED = /^[a-zA-Z0-9-]{8,1024}$/;
const NAMES = ['x-correlation-id', 'x-request-id'] as const;

/** Answers with the caller's id of the request, or one of ours, as `X-Correlation-ID`; the lines of the log that it causes name it. */
export function requestId(): RequestHandler {
  return (req, res, next) => {
    const given = NAMES.map((name) => req.headers[name]).find(
      (id) => typeof id === 'string' && ACCEPTED.test(id),
    );
    res.setHeader('X-Correlation-ID', given ?? randomUUID());
    next();
  };
}
