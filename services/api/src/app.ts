import type { RequestListener } from 'node:http';

import { Refusal } from '@heliograph/core';
import express from 'express';
import type { Logger } from 'pino';

import { createGate, type AccessDeps } from './access/gate.ts';
import { createGuard } from './access/guard.ts';
import { createLoadLimit, shedding } from './access/load-limit.ts';
import { errorHandler } from './http/error-handler.ts';
import type { Route } from './http/endpoint.ts';
import { mountRoutes, type BodyLimits } from './http/mount-routes.ts';
import { refuseHeaderFlood } from './http/header-flood.ts';
import { requestId } from './http/request-id.ts';
import { securityHeaders } from './http/security-headers.ts';
import { pageRouter } from './surfaces/console/page-router.ts';
import { sessionRoutes } from './surfaces/console/session-routes.ts';
import type { ConsoleFiles } from './console/console-files.ts';
import type { SignInLimit } from './console/sign-in-limit.ts';
import { m800Router, type M800Deps } from './surfaces/m800/router.ts';
import { opsRouter, type OpsDeps } from './surfaces/ops/ops-router.ts';
import { renderRefusal } from './surfaces/powerauth/envelope.ts';
import { powerAuthRoutes, type PowerAuthDeps } from './surfaces/powerauth/routes.ts';

export interface AppDeps extends PowerAuthDeps, Omit<M800Deps, 'load'>, OpsDeps, BodyLimits {
  readonly log: Logger;
  readonly access: AccessDeps;
  /** Requests that are worked on at once; what is over it is refused. */
  readonly maxRequests: number;
  /** Undefined: there is no console, and nobody signs in. Whose sessions count stands in `access`. */
  readonly console: ConsoleDeps | undefined;
  /** Everything is answered under each of them; `/` for none. */
  readonly basePaths: readonly string[];
}

export interface ConsoleDeps {
  readonly signInLimit: SignInLimit;
  /** Undefined where the page is not built. */
  readonly files: ConsoleFiles | undefined;
}

/** Builds the api; whoever called it listens. */
export function createApp(deps: AppDeps): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(requestId(), securityHeaders());
  const load = createLoadLimit(deps);
  const m800 = m800Router({ ...deps, load });
  const gate = createGate({ ...deps, load });
  const routes = [...powerAuthRoutes(deps), ...consoleRoutes(deps)];
  const api = mountRoutes(routes, { ...deps, gate, guard: createGuard(deps) });
  const ops = opsRouter(deps);
  for (const path of deps.basePaths) {
    app.use(path, m800, refuseHeaderFlood(), api);
    if (deps.console !== undefined) app.use(path, pageRouter(deps.console.files, path));
    app.use(path, ops);
  }
  app.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  app.use(errorHandler(deps.log, renderRefusal));
  return shedding(load, renderRefusal, app);
}

function consoleRoutes(deps: AppDeps): readonly Route[] {
  const { console, access } = deps;
  if (console === undefined || access.sessions === undefined) return [];
  const { isOff = false, sessions } = access;
  return sessionRoutes({ ...deps, limit: console.signInLimit, sessions, isOff });
}
