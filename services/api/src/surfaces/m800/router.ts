import type { BlockList } from 'node:net';

import { Refusal } from '@heliograph/core';
import { useNonce, type Db } from '@heliograph/db';
import express, { Router, type ErrorRequestHandler, type Request } from 'express';
import type { Logger } from 'pino';

import type { LoadLimit } from '../../access/load-limit.ts';
import { encryptedOnly } from '../../http/encrypted-only.ts';
import { errorHandler } from '../../http/error-handler.ts';
import { refuseHeaderFlood } from '../../http/header-flood.ts';
import { middleware } from '../../http/middleware.ts';
import { writeJson } from '../../http/write-json.ts';
import { acceptPush, type AcceptPushDeps } from '../../signed-push/accept-push.ts';
import { findPushRequest } from '../../signed-push/find-push-request.ts';
import { authenticate, toNonceUsed, type AuthenticateDeps, type Caller } from './authenticate.ts';
import { M800Refusal, renderM800Error } from './errors.ts';
import { parsePushBody } from './push-body.ts';
import { toPushRequestAnswer } from './push-request-answer.ts';
import { parseReceiver } from './receiver.ts';
import { toLastSegment, toRequestUri } from './sent-text.ts';

export interface M800Deps extends AcceptPushDeps, AuthenticateDeps {
  readonly db: Db;
  readonly log: Logger;
  readonly bodyLimitBytes: number;
  readonly trustedProxies: BlockList;
  readonly load: LoadLimit;
}

const ROOT = '/api/1.0';
/** Expressions, because Express would decode what a path names, and refuse some of it, before we look at the signature. */
const PUSH = /^\/push\/[^/]+\/?$/;
const REQUEST = /^\/push\/requests\/[^/]+\/?$/;

/** M800's signed requests; every error below their path has M800's shape. */
export function m800Router(deps: M800Deps): Router {
  const body = express.raw({ limit: deps.bodyLimitBytes, type: () => true, inflate: false });
  const routes = Router({ caseSensitive: true });
  routes.use((_req, res, next) => {
    deps.load.enter(res);
    next();
  });
  routes.use(middleware(refuseHeaderFlood), encryptedOnly(deps.trustedProxies));

  routes
    .route(PUSH)
    .post(body, async (req, res) => writeJson(res, 200, await takePush(deps, req)))
    .all((_req, res) => {
      res.setHeader('Allow', 'POST');
      throw new Refusal('method_not_allowed', 'This path takes POST.');
    });
  routes
    .route(REQUEST)
    .get(body, async (req, res) => writeJson(res, 200, await readRequest(deps, req)))
    .all((_req, res) => {
      res.setHeader('Allow', 'GET, HEAD');
      throw new Refusal('method_not_allowed', 'This path takes GET.');
    });

  routes.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  routes.use(challenge, errorHandler(deps.log, renderM800Error));
  return Router({ caseSensitive: true }).use(ROOT, routes);
}

async function takePush(deps: M800Deps, req: Request): Promise<{ readonly requestId: string }> {
  const { key, nonce } = await authenticate(deps, toReceived(req));
  const { appMessage, push, sender } = parsePushBody(req, toBody(req));
  const receiver = parseReceiver(toLastSegment(toRequestUri(req.originalUrl)), key.carriers);
  if (receiver === undefined) throw toUnknownReceiver();

  const answer = await acceptPush(deps, {
    key,
    nonce,
    ...receiver,
    content: appMessage.content,
    pushContent: push?.content,
    sender,
  });
  switch (answer.kind) {
    case 'nonce_used':
      throw toNonceUsed();
    case 'unknown_receiver':
      throw toUnknownReceiver();
    case 'accepted':
      // Not awaited: the nonce stands in the database already.
      void deps.nonces.accept(key.id, nonce);
      return { requestId: answer.requestId };
  }
}

async function readRequest(deps: M800Deps, req: Request): Promise<unknown> {
  const caller = await authenticate(deps, toReceived(req));
  await spendNonce(deps, caller);
  const requestId = toLastSegment(toRequestUri(req.originalUrl));
  const request = await findPushRequest(deps, caller.key.id, requestId);
  if (request === undefined)
    throw new M800Refusal('unknown_request', 'This key made no request with this id.');
  return toPushRequestAnswer(request);
}

/** For a request that stores nothing else. */
async function spendNonce(deps: M800Deps, { key, nonce }: Caller): Promise<void> {
  if (!(await useNonce(deps.db, { developerKeyRef: key.id, nonce }))) throw toNonceUsed();
  void deps.nonces.accept(key.id, nonce);
}

function toUnknownReceiver(): M800Refusal {
  return new M800Refusal('unknown_receiver', 'There is no such user of this key and its carriers.');
}

function toReceived(req: Request) {
  return { req, requestTarget: req.originalUrl, body: toBody(req) };
}

/** Empty where there was none. */
function toBody(req: Request): Buffer {
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
}

/** RFC 9110, 15.5.2: a 401 says how one may authenticate. */
const challenge: ErrorRequestHandler = (error, _req, res, next) => {
  if (error instanceof Refusal && error.status === 401)
    res.setHeader('WWW-Authenticate', 'MAAIISDK10');
  next(error);
};
