import { Refusal } from '@heliograph/core';
import { Router } from 'express';

import type { Method, Route } from './endpoint.ts';
import { jsonBody } from './json-body.ts';

/** How large bodies may be, in bytes. */
export interface BodyLimits {
  readonly bodyLimitBytes: number;
  /** Of endpoints whose body may be large. */
  readonly largeBodyLimitBytes: number;
}

/** A router over all of them. A known path with another method is refused with 405, which names the methods that it has. */
export function mountRoutes(routes: readonly Route[], limits: BodyLimits): Router {
  const byPath = new Map<string, Map<Method, Route>>();
  for (const route of routes)
    for (const path of route.doc.paths) {
      const methods = byPath.get(path) ?? new Map<Method, Route>();
      byPath.set(path, methods);
      for (const method of route.doc.methods) methods.set(method, route);
    }

  const parseBody = jsonBody(limits.bodyLimitBytes);
  const parseLargeBody = jsonBody(limits.largeBodyLimitBytes);
  const router = Router({ caseSensitive: true });
  for (const [path, methods] of byPath) {
    const mounted = router.route(path);
    for (const [method, { doc, respond }] of methods)
      mounted[method](doc.largeBody ? parseLargeBody : parseBody, (req, res) => respond(req, res));

    const allowed = [...methods.keys()].join(', ').toUpperCase();
    mounted.all((_req, res) => {
      res.setHeader('Allow', allowed);
      throw new Refusal('method_not_allowed', `This path takes ${allowed}.`);
    });
  }
  return router;
}
