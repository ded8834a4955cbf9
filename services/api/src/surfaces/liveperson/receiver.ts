import { createHash } from 'node:crypto';
import { TLSSocket } from 'node:tls';

import { Refusal } from '@heliograph/core';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
} from 'express';
import type { Logger } from 'pino';

import { beginAnswer } from '../../http/begin-answer.ts';
import { toRefusal } from '../../http/error-handler.ts';
import { middleware } from '../../http/middleware.ts';
import { writeJson } from '../../http/write-json.ts';
import { authenticate, receivePush, type ReceiverDeps } from '../../liveperson/receive-push.ts';
import { readPush } from './read-push.ts';

export const RECEIVER_PATH = '/push/proxy/liveperson';

const MAX_BODY_BYTES = 64 * 1024;

/**
 * What LivePerson posts pushes to, as if we were the customer. It is for a listener that has verified the client's certificate, and
 * serves nothing else: no other endpoint is meant for those who hold one.
 */
export function createReceiver(deps: ReceiverDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(middleware(beginAnswer));

  app.post(RECEIVER_PATH, async (req, res) => {
    const fingerprint = getFingerprint(req);
    const senders = await authenticate(deps, fingerprint, req.headers.authorization);
    const bytes = await readBody(req, res);
    const { messageId, repeated } = await receivePush(deps, senders, {
      fingerprint,
      idempotencyKey: findHeader(req, 'idempotency-key'),
      push: readPush(bytes),
      bytes,
    });
    writeJson(res, 200, { status: 'OK', messageId, repeated });
  });

  app.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  app.use(refusalHandler(deps.log));
  return app;
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

/** LivePerson documents 200, 401, 403 and 500, and repeats what ended with a 5xx: all our trouble is a 500. */
function refusalHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error);
    const { status, code, message } = toRefusal(error);
    const answered = Math.min(status, 500);
    const facts = { status: answered, requestId: res.getHeader('X-Correlation-ID') };
    if (answered === 500) log.error({ ...facts, err: error }, 'LivePerson push failed');
    else log.info({ ...facts, reason: message }, 'LivePerson push refused');
    if (answered === 401) res.setHeader('WWW-Authenticate', 'Basic realm="liveperson"');
    writeJson(res, answered, { status: 'ERROR', code, message });
  };
}
