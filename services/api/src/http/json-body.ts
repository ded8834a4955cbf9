import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { Refusal } from '@heliograph/core';
import express from 'express';

import type { ApiRequest } from './endpoint.ts';

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

const hashes = new WeakMap<IncomingMessage, Buffer>();

const EMPTY_HASH = createHash('sha256').digest();

/** The SHA-256 of the body as it came, for requests with an `Idempotency-Key`. No body counts as an empty one. */
export function findBodyHash(req: IncomingMessage): Buffer | undefined {
  return hashes.get(req) ?? (hasBody(req) ? undefined : EMPTY_HASH);
}

/** Reads the body of a request into `req.body`. */
export type ReadBody = (req: ApiRequest, res: ServerResponse) => Promise<void>;

/**
 * Parses JSON, of a request without content type too. No body leaves it undefined. Rejects bodies over the limit, of another media
 * type, and malformed ones.
 */
export function jsonBody(limitBytes: number): ReadBody {
  const parse = express.json({
    limit: limitBytes,
    type: () => true,
    verify(req, _res, body) {
      if (req.headers['idempotency-key'] !== undefined)
        hashes.set(req, createHash('sha256').update(body).digest());
    },
  });
  return async (req, res) => {
    if (req.method === 'GET' || req.method === 'HEAD') return;
    const type = req.headers['content-type'];
    if (type !== undefined && !JSON_TYPE.test(type) && hasBody(req))
      throw new Refusal('unsupported_media_type', 'The body must be application/json.');
    await new Promise<void>((resolve, reject) => {
      parse(req, res, (error?: unknown) => {
        if (error instanceof Error) return reject(error);
        resolve();
      });
    });
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
