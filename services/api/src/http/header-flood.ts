import { Refusal } from '@heliograph/core';
import type { RequestHandler } from 'express';

const MAX_HEADERS = 100;

/** Refuses a request with more headers than anybody needs. Node would drop what is over its own bound without a word. */
export function refuseHeaderFlood(): RequestHandler {
  return ({ rawHeaders }, _res, next) => {
    if (rawHeaders.length > 2 * MAX_HEADERS)
      throw new Refusal('too_many_headers', `A request may have ${MAX_HEADERS} headers.`);
    next();
  };
}
