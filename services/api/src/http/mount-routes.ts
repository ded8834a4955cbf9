import type { ServerResponse } from 'node:http';

import { Refusal } from '@heliograph/core';
import { Router } from 'express';

import type { Gate } from '../access/gate.ts';
import type { Guard } from '../access/guard.ts';
import type { ApiRequest, Method, Route } from './endpoint.ts';
import { jsonBody } from './json-body.ts';

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

/** Lets a request in, reads its body, and answers it. Rejects with what is to be answered as an error. */
export type Serve = (req: ApiRequest, res: ServerResponse) => Promise<void>;

export interface MountedRoutes {
  /** Over all of them. A known path with another method is refused with 405, which names the methods that it has. */
  readonly router: Router;
  /** Those whose path is always the same, by method and path: `POST /push/message/send`. */
  readonly exact: ReadonlyMap<string, Serve>;
}

/** Whoever comes is let in first, and only then is a body read. */
export function mountRoutes(routes: readonly Route[], deps: MountDeps): MountedRoutes {
  const byPath = new Map<string, Map<Method, Route>>();
  for (const route of routes)
    for (const path of route.doc.paths) {
      const methods = byPath.get(path) ?? new Map<Method, Route>();
      byPath.set(path, methods);
      for (const method of route.doc.methods) methods.set(method, route);
    }

  const readBody = jsonBody(deps.bodyLimitBytes);
  const readLargeBody = jsonBody(deps.largeBodyLimitBytes);
  const toServe =
    ({ doc, respond }: Route): Serve =>
    async (req, res) => {
      const caller = await deps.gate.admit(doc, req, res);
      await (doc.largeBody ? readLargeBody : readBody)(req, res);
      await respond({ req, res, caller }, deps.guard);
    };

  const router = Router({ caseSensitive: true });
  const exact = new Map<string, Serve>();
  for (const [path, methods] of byPath) {
    const mounted = router.route(path);
    for (const [method, route] of methods) {
      const serve = toServe(route);
      mounted[method](serve);
      if (!path.includes(':')) exact.set(`${method.toUpperCase()} ${path}`, serve);
    }

    const allowed = [...methods.keys()].join(', ').toUpperCase();
    mounted.all((_req, res) => {
      res.setHeader('Allow', allowed);
      throw new Refusal('method_not_allowed', `This path takes ${allowed}.`);
    });
  }
  return { router, exact };
}
