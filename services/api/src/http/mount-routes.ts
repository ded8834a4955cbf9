import { Refusal } from '@heliograph/core';
import { Router } from 'express';

import type { Method, Route } from './endpoint.ts';
import { writeJson } from './write-json.ts';

/** A router over all of them. A known path with another method is refused with 405, which names the methods that it has. */
export function mountRoutes(routes: readonly Route[]): Router {
  const byPath = new Map<string, Map<Method, Route>>();
  for (const route of routes)
    for (const path of route.doc.paths) {
      const methods = byPath.get(path) ?? new Map<Method, Route>();
      byPath.set(path, methods);
      for (const method of route.doc.methods) methods.set(method, route);
    }

  const router = Router({ caseSensitive: true });
  for (const [path, methods] of byPath) {
    const mounted = router.route(path);
    for (const [method, { handle }] of methods)
      mounted[method](async (req, res) => writeJson(res, 200, await handle(req, res)));

    const allowed = [...methods.keys()].join(', ').toUpperCase();
    mounted.all((_req, res) => {
      res.setHeader('Allow', allowed);
      throw new Refusal('method_not_allowed', `This path takes ${allowed}.`);
    });
  }
  return router;
}
