import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { Refusal } from '@heliograph/core';
import express, { type RequestHandler } from 'express';

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

const hashes = new WeakMap<IncomingMessage, Buffer>();

const EMPTY_HASH = createHash('sha256').digest();

/** The SHA-256 of the body as it came, for requests with an `Idempotency-Key`. No body counts as an empty one. */
export function findBodyHash(req: IncomingMessage): Buffer | undefined {
  return hashes.get(req) ?? (hasBody(req) ? undefined : EMPTY_HASH);
}

/**
 * Parses a JSON body into `req.body`, of a request without content type too. No body leaves it undefined. Bodies over the limit, of
 * another media type, and malformed ones end in the error handler.
 */
export function jsonBody(limitBytes: number): RequestHandler {
  const parse = express.json({
    limit: limitBytes,
    type: () => true,
    verify(req, _res, body) {
      if (req.headers['idempotency-key'] !== undefined)
        hashes.set(req, createHash('sha256').update(body).digest());
    },
  });
  return (req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD') return next();
    const type = req.headers['content-type'];
    if (type !== undefined && !JSON_TYPE.test(type) && hasBody(req))
      throw new Refusal('unsupported_media_type', 'The body must be application/json.');
    parse(req, res, next);
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
