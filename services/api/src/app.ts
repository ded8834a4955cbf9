import type { RequestListener } from 'node:http';

import { Refusal } from '@heliograph/core';
import express from 'express';
import type { Logger } from 'pino';

import { createGate, type AccessDeps } from './access/gate.ts';
import { createGuard } from './access/guard.ts';
import { createLoadLimit, shedding } from './access/load-limit.ts';
import { beginAnswer } from './http/begin-answer.ts';
import { createErrorAnswer, errorHandler } from './http/error-handler.ts';
import { exactPaths } from './http/exact-paths.ts';
import { refuseHeaderFlood } from './http/header-flood.ts';
import { middleware } from './http/middleware.ts';
import { mountRoutes, type BodyLimits } from './http/mount-routes.ts';
import { m800Router, type M800Deps } from './surfaces/m800/router.ts';
import { opsRouter, type OpsDeps } from './surfaces/ops/ops-router.ts';
import { renderRefusal } from './surfaces/powerauth/envelope.ts';
import { powerAuthRoutes, type PowerAuthDeps } from './surfaces/powerauth/routes.ts';

export interface AppDeps extends PowerAuthDeps, Omit<M800Deps, 'load'>, OpsDeps, BodyLimits {
  readonly log: Logger;
  readonly access: AccessDeps;
  /** Requests that are worked on at once; what is over it is refused. */
  readonly maxRequests: number;
  /** Everything is answered under each of them; `/` for none. */
  readonly basePaths: readonly string[];
}

/** Builds the api; whoever called it listens. */
export function createApp(deps: AppDeps): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(middleware(beginAnswer));
  const load = createLoadLimit(deps);
  const m800 = m800Router({ ...deps, load });
  const gate = createGate({ ...deps, load });
  const api = mountRoutes(powerAuthRoutes(deps), { ...deps, gate, guard: createGuard(deps) });
  const ops = opsRouter(deps);
  for (const path of deps.basePaths)
    app.use(path, m800, middleware(refuseHeaderFlood), api.router, ops);
  app.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  app.use(errorHandler(deps.log, renderRefusal));
  const answerError = createErrorAnswer(deps.log, renderRefusal);
  return shedding(load, renderRefusal, exactPaths({ ...deps, exact: api.exact, answerError }, app));
}
