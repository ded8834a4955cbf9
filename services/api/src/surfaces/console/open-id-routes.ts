import type { IncomingMessage, ServerResponse } from 'node:http';

import { Refusal } from '@heliograph/core';

import { NOTHING } from '../../access/subject.ts';
import {
  findAttempt,
  toAttemptCookie,
  toNoAttemptCookie,
} from '../../console/openid/open-id-attempt.ts';
import {
  beginOpenIdSignIn,
  finishOpenIdSignIn,
  type OpenId,
  type OpenIdDeps,
} from '../../console/openid/open-id-sign-in.ts';
import { OpenIdFailure } from '../../console/openid/open-id.ts';
import { toFailureUrl, toPageUrl } from '../../console/openid/page-url.ts';
import { findSessionId, hashSessionId, toSessionCookie } from '../../console/session-cookie.ts';
import { toSessionTransport, type SessionDeps } from '../../console/sessions.ts';
import { toClientAddress } from '../../http/client-address.ts';
import type { Transport } from '../../http/encrypted-only.ts';
import { leadingRoute, route, type Route } from '../../http/endpoint.ts';
import { BEGIN_OIDC, FINISH_OIDC, LIST_SIGN_IN_WAYS } from './session-endpoints.ts';

export interface OpenIdRouteDeps extends Omit<OpenIdDeps, 'maxMs' | 'openId'> {
  readonly sessions: SessionDeps;
  /** Where access control is off, nobody has to sign in. */
  readonly isOff: boolean;
  /** Undefined: people sign in by passwords only. */
  readonly openId: OpenId | undefined;
}

/**
 * Browsers come here by links, so whatever goes wrong is told by the page that they end at. The cookie of the session is set on the way from
 * another site, and browsers keep it; they don't send it along before the page itself asks, and that is soon enough.
 */
export function openIdRoutes(deps: OpenIdRouteDeps): readonly Route[] {
  const { sessions, isOff, now, secrets } = deps;

  function getOpenId(): OpenId {
    if (isOff) throw nobodyHasTo();
    if (deps.openId === undefined)
      throw new Refusal('not_found', 'Nobody signs in by OpenID Connect here.');
    return deps.openId;
  }

  function getTransport(req: IncomingMessage): Transport {
    const transport = toSessionTransport(sessions, req);
    if (transport === undefined) throw new OpenIdFailure('insecure');
    return transport;
  }

  return [
    route(LIST_SIGN_IN_WAYS, NOTHING, async () => {
      if (isOff || deps.openId === undefined) return { oidc: null };
      const { name, consoleUrl } = deps.openId.settings;
      return { oidc: { name, url: `${consoleUrl}/session/oidc` } };
    }),

    leadingRoute(BEGIN_OIDC, NOTHING, async ({ to = '/' }, { req, res }) => {
      const openId = getOpenId();
      const page = toPageUrl(openId.settings.consoleUrl, to);
      return orExplain(page, async () => {
        const transport = getTransport(req);
        const { url, attempt } = await beginOpenIdSignIn(
          { ...deps, openId, maxMs: sessions.maxMs },
          {
            to: page,
            address: toClientAddress(req, sessions.trustedProxies),
            previous: findPrevious(req, transport),
          },
        );
        res.setHeader('Set-Cookie', toAttemptCookie(attempt, secrets, transport));
        return url;
      });
    }),

    leadingRoute(FINISH_OIDC, NOTHING, async (_input, { req, res }) => {
      const openId = getOpenId();
      const transport = toSessionTransport(sessions, req);
      const attempt = transport && findAttempt(req, secrets, transport, now());
      const page = attempt?.to ?? toPageUrl(openId.settings.consoleUrl, '/');
      return orExplain(page, async () => {
        const spoken = getTransport(req);
        // Whatever comes of it, it is used.
        res.setHeader('Set-Cookie', toNoAttemptCookie(spoken));
        const id = await finishOpenIdSignIn(
          { ...deps, openId, maxMs: sessions.maxMs },
          {
            attempt,
            search: toSearch(req),
            address: toClientAddress(req, sessions.trustedProxies),
            userAgent: req.headers['user-agent'] ?? '',
            requestId: toRequestId(res),
          },
        );
        res.setHeader('Set-Cookie', [toNoAttemptCookie(spoken), toSessionCookie(id, spoken)]);
        return page;
      });
    }),
  ];
}

/** What is refused to whoever need not sign in. */
export function nobodyHasTo(): Refusal {
  return new Refusal('invalid_request', 'Access control is off: nobody has to sign in.');
}

/** The session that the browser shows, by the hash of its id. */
export function findPrevious(req: IncomingMessage, transport: Transport): string | undefined {
  const id = findSessionId(req, transport);
  return id && hashSessionId(id).toString('hex');
}

export function toRequestId(res: ServerResponse): string {
  return String(res.getHeader('X-Correlation-ID'));
}

/** Where it leads; the page with the reason where that is nowhere. */
async function orExplain(page: string, lead: () => Promise<URL | string>): Promise<URL | string> {
  try {
    return await lead();
  } catch (error) {
    if (error instanceof OpenIdFailure) return toFailureUrl(page, error.reason);
    throw error;
  }
}

function toSearch({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at);
}
