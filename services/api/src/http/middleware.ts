import type { IncomingMessage, ServerResponse } from 'node:http';

import type { RequestHandler } from 'express';

/** A step on the way to an answer, for Express; it goes on unless the step throws. */
export function middleware(
  step: (req: IncomingMessage, res: ServerResponse) => void,
): RequestHandler {
  return (req, res, next) => {
    step(req, res);
    next();
  };
}
