import type { ServerResponse } from 'node:http';

/** Beside the answers, since not every request comes by Express. */
const routes = new WeakMap<ServerResponse, string>();

/** Which endpoint the request came to, as its document spells it. Traces and metrics say that, and never the path: it may name a user. */
export function noteRoute(res: ServerResponse, route: string): void {
  routes.set(res, route);
}

/** Undefined for a request that came to no endpoint. */
export function findRoute(res: ServerResponse): string | undefined {
  return routes.get(res);
}
