import type { PushMessage } from '@heliograph/core';

import { createAppProvider, type AppProviderDeps } from '../app-provider.ts';
import type { Push, PushProvider } from '../push-provider.ts';
import { toProxyBody, type ProxyRoute } from './body.ts';
import type { ToProxyJson } from './client.ts';
import { toUnprocessed } from './unanswered.ts';

/** From the search for the address to the last byte of the answer; nobody documents a time. */
export const PROXY_DEADLINE_MS = 10_000;
/** Connections to one proxy, each with one request at a time. */
export const PROXY_CONNECTIONS = 8;

export interface ProxyProviderDeps extends Pick<
  AppProviderDeps<ToProxyJson>,
  'deadlineMs' | 'findClient' | 'release'
> {
  readonly route: ProxyRoute;
  readonly endpoint: string;
}

/** One app's way to its customer's proxy. */
export function createProxyProvider(deps: ProxyProviderDeps): PushProvider {
  const { route, endpoint } = deps;
  const written = new WeakMap<PushMessage, string>();

  /** Without its opening brace. */
  function write(message: PushMessage): string {
    const known = written.get(message);
    if (known !== undefined) return known;
    const json = JSON.stringify(toProxyBody(message, route)).slice(1);
    written.set(message, json);
    return json;
  }

  function toJson({ message, pushToken }: Push): string {
    // The message is never `{}`: it goes behind the token without being serialised again.
    return `{"device-token":${JSON.stringify(pushToken)},${write(message)}`;
  }

  return createAppProvider({
    ...deps,
    maxInFlight: PROXY_CONNECTIONS,
    toEndpoint: () => endpoint,
    toRequest: toJson,
    closing: toUnprocessed('closing'),
  });
}
