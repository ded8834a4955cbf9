import { Refusal } from '@heliograph/core';
import express, { type Express } from 'express';
import type { Logger } from 'pino';

import { errorHandler } from './http/error-handler.ts';
import { mountRoutes, type BodyLimits } from './http/mount-routes.ts';
import { requestId } from './http/request-id.ts';
import { securityHeaders } from './http/security-headers.ts';
import { m800Router, type M800Deps } from './surfaces/m800/router.ts';
import { opsRouter, type OpsDeps } from './surfaces/ops/ops-router.ts';
import { renderRefusal } from './surfaces/powerauth/envelope.ts';
import { powerAuthRoutes, type PowerAuthDeps } from './surfaces/powerauth/routes.ts';

export interface AppDeps extends PowerAuthDeps, M800Deps, OpsDeps, BodyLimits {
  readonly log: Logger;
  /** Everything is answered under each of them; `/` for none. */
  readonly basePaths: readonly string[];
}

/** Builds the api; whoever called it listens. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(requestId(), securityHeaders());
  const m800 = m800Router(deps);
  const api = mountRoutes(powerAuthRoutes(deps), deps);
  const ops = opsRouter(deps);
  for (const path of deps.basePaths) app.use(path, m800, api, ops);
  app.use(() => {
    throw new Refusal('not_found', 'There is nothing at this path.');
  });
  app.use(errorHandler(deps.log, renderRefusal));
  return app;
}
