import type { RequestListener } from 'node:http';

import { Refusal } from '@heliograph/core';
import { Metrics, type Tracing } from '@heliograph/runtime';
import express from 'express';
import type { Logger } from 'pino';

import { createGate, type AccessDeps } from './access/gate.ts';
import { createGuard } from './access/guard.ts';
import { createLoadLimit, shedding } from './access/load-limit.ts';
import type { ConsoleFiles } from './console/console-files.ts';
import type { OpenId } from './console/openid/open-id-sign-in.ts';
import type { SignInLimit } from './console/sign-in-limit.ts';
import { beginAnswer } from './http/begin-answer.ts';
import type { Route } from './http/endpoint.ts';
import { createErrorAnswer, errorHandler } from './http/error-handler.ts';
import { exactPaths } from './http/exact-paths.ts';
import { refuseHeaderFlood } from './http/header-flood.ts';
import { middleware } from './http/middleware.ts';
import { mountRoutes, type BodyLimits } from './http/mount-routes.ts';
import { traceRequests } from './http/request-span.ts';
import { createApiMetrics, type ApiMetrics } from './metrics/api-metrics.ts';
import { pageRouter } from './surfaces/console/page-router.ts';
import { sessionRoutes } from './surfaces/console/session-routes.ts';
import { m800Router, type M800Deps } from './surfaces/m800/router.ts';
import { opsRouter, type OpsDeps } from './surfaces/ops/ops-router.ts';
import { renderRefusal } from './surfaces/powerauth/envelope.ts';
import { powerAuthRoutes, type PowerAuthDeps } from './surfaces/powerauth/routes.ts';

export interface AppDeps
  extends PowerAuthDeps, Omit<M800Deps, 'load' | 'metrics'>, OpsDeps, BodyLimits {
  readonly log: Logger;
  readonly access: AccessDeps;
  /** Requests that are worked on at once; what is over it is refused. */
  readonly maxRequests: number;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Undefined: there is no console, and nobody signs in. Whose sessions count stands in `access`. */
  readonly console: ConsoleDeps | undefined;
  /** Everything is answered under each of them; `/` for none. */
  readonly basePaths: readonly string[];
  /** Without it nobody asks for what is measured. */
  readonly metrics?: ApiMetrics;
}

export interface ConsoleDeps {
  readonly signInLimit: SignInLimit;
  /** Undefined: people sign in by passwords only. */
  readonly openId?: OpenId | undefined;
  /** Undefined where the page is not built. */
  readonly files: ConsoleFiles | undefined;
}

/** Builds the api; whoever called it listens. */
export function createApp(deps: AppDeps): RequestListener {
  const { metrics = createApiMetrics(new Metrics()) } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(middleware(beginAnswer));
  const load = createLoadLimit({ ...deps, onShed: () => metrics.shed('requests') });
  const m800 = m800Router({ ...deps, load, metrics });
  const gate = createGate({ ...deps, load });
  const routes = [...powerAuthRoutes(deps), ...consoleRoutes(deps)];
  const api = mountRoutes(routes, { ...deps, gate, guard: createGuard(deps) });
  const ops = opsRouter(deps);
  for (const path of deps.basePaths) {
    app.use(path, m800, middleware(refuseHeaderFlood), api.router);
    if (deps.console !== undefined) app.use(path, pageRouter(deps.console.files, path));
    app.use(path, ops);
  }
  app.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  app.use(errorHandler(deps.log, renderRefusal, metrics.refused));
  const answerError = createErrorAnswer(deps.log, renderRefusal, metrics.refused);
  const listener = exactPaths({ ...deps, exact: api.exact, answerError }, app);
  return shedding(
    load,
    renderRefusal,
    metrics.requests.measured(traceRequests(deps.tracing, listener)),
  );
}

function consoleRoutes(deps: AppDeps): readonly Route[] {
  const { console, access } = deps;
  if (console === undefined || access.sessions === undefined) return [];
  const { isOff = false, sessions } = access;
  const { signInLimit: limit, openId } = console;
  return sessionRoutes({ ...deps, limit, openId, sessions, isOff });
}
