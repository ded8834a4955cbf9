import { Refusal } from '@heliograph/core';
import { Router, type Request, type RequestHandler, type Response } from 'express';

import type { Gate } from '../access/gate.ts';
import type { Guard } from '../access/guard.ts';
import type { Method, Route } from './endpoint.ts';
import { jsonBody } from './json-body.ts';
import { noteRoute } from './request-span.ts';

/** How large bodies may be, in bytes. */
export interface BodyLimits {
  readonly bodyLimitBytes: number;
  /** Of endpoints whose body may be large. */
  readonly largeBodyLimitBytes: number;
}

export interface MountDeps extends BodyLimits {
  readonly gate: Gate;
  readonly guard: Guard;
}

/** A router over all of them: whoever comes is let in first, and only then is a body read. A known path with another method is refused with 405, which names the methods that it has. */
export function mountRoutes(routes: readonly Route[], deps: MountDeps): Router {
  const byPath = new Map<string, Map<Method, Route>>();
  for (const route of routes)
    for (const path of route.doc.paths) {
      const methods = byPath.get(path) ?? new Map<Method, Route>();
      byPath.set(path, methods);
      for (const method of route.doc.methods) methods.set(method, route);
    }

  const parseBody = jsonBody(deps.bodyLimitBytes);
  const parseLargeBody = jsonBody(deps.largeBodyLimitBytes);
  const router = Router({ caseSensitive: true });
  for (const [path, methods] of byPath) {
    const mounted = router.route(path);
    for (const [method, { doc, respond }] of methods)
      mounted[method](async (req, res) => {
        noteRoute(res, path);
        const caller = await deps.gate.admit(doc, req, res);
        await readBody(doc.largeBody ? parseLargeBody : parseBody, req, res);
        await respond({ req, res, caller }, deps.guard);
      });

    const allowed = [...methods.keys()].join(', ').toUpperCase();
    mounted.all((_req, res) => {
      res.setHeader('Allow', allowed);
      throw new Refusal('method_not_allowed', `This path takes ${allowed}.`);
    });
  }
  return router;
}

function readBody(parse: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    void parse(req, res, (error?: unknown) => {
      if (error instanceof Error) return reject(error);
      resolve();
    });
  });
}
