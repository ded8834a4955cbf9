import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { TLSSocket } from 'node:tls';

import { Refusal, type RefusalCode } from '@heliograph/core';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import type { Logger } from 'pino';

import { beginAnswer } from '../../http/begin-answer.ts';
import { toRefusal } from '../../http/error-handler.ts';
import { middleware } from '../../http/middleware.ts';
import { originOf, traceRequests } from '../../http/request-span.ts';
import { noteRoute } from '../../http/route-of.ts';
import { writeJson } from '../../http/write-json.ts';
import { authenticate, receivePush, type ReceiverDeps } from '../../liveperson/receive-push.ts';
import { renderLivePersonError } from './errors.ts';
import { toLogFacts } from '../../origin.ts';
import { readPush } from './read-push.ts';

export const RECEIVER_PATH = '/push/proxy/liveperson';

const MAX_BODY_BYTES = 64 * 1024;

interface RefusalDeps {
  readonly log: Logger;
  readonly onRefused?: (code: RefusalCode) => void;
}

/**
 * What LivePerson posts pushes to, as if we were the customer. It is for a listener that has verified the client's certificate, and
 * serves nothing else: no other endpoint is meant for those who hold one.
 */
export function createReceiver(deps: ReceiverDeps & RefusalDeps): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(middleware(beginAnswer));

  app.post(RECEIVER_PATH, async (req, res) => {
    noteRoute(res, RECEIVER_PATH);
    const fingerprint = getFingerprint(req);
    const senders = await authenticate(deps, fingerprint, req.headers.authorization);
    const bytes = await readBody(req, res);
    const handed = {
      fingerprint,
      idempotencyKey: findHeader(req, 'idempotency-key'),
      push: readPush(bytes),
      bytes,
    };
    const { messageId, repeated } = await receivePush(deps, senders, handed, originOf(res));
    writeJson(res, 200, { status: 'OK', messageId, repeated });
  });

  app.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  app.use(refusalHandler(deps));
  return traceRequests(deps.tracing, app);
}

/** The certificate that was shown in the handshake. */
function getFingerprint({ socket }: Request): Buffer {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined)
    throw new Refusal('unauthenticated', 'There is no client certificate.');
  return createHash('sha256').update(certificate.raw).digest();
}

/** LivePerson says nothing of a content type: what it sends is JSON, whatever it calls it. */
const parseBody = express.raw({ type: () => true, limit: MAX_BODY_BYTES });

function readBody(req: Request, res: Response): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    parseBody(req, res, (error?: unknown) => {
      if (error instanceof Error) return reject(error);
      const body: unknown = req.body;
      resolve(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
    });
  });
}

function findHeader(req: Request, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function refusalHandler({ log, onRefused }: RefusalDeps): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error);
    const refusal = toRefusal(error);
    onRefused?.(refusal.code);
    const { status, body } = renderLivePersonError(refusal);
    const facts = { status, ...toLogFacts(originOf(res)) };
    if (status === 500) log.error({ ...facts, err: error }, 'LivePerson push failed');
    else log.info({ ...facts, reason: body.message }, 'LivePerson push refused');
    if (status === 401) res.setHeader('WWW-Authenticate', 'Basic realm="liveperson"');
    writeJson(res, status, body);
  };
}
