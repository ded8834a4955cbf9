import type { IncomingMessage, ServerResponse } from 'node:http';

import { Refusal, SCOPES, toScopes, toWireAppId } from '@heliograph/core';
import {
  endConsoleSession,
  endConsoleSessionsOf,
  listConsoleSessions,
  recordAudit,
  type Db,
  type ListedConsoleSession,
  type StoredConsoleSession,
} from '@heliograph/db';

import { toActor } from '../../access/caller.ts';
import { NOTHING } from '../../access/subject.ts';
import { changeOwnPassword } from '../../console/change-own-password.ts';
import {
  hashSessionId,
  toCsrfToken,
  toNoCookie,
  toSessionCookie,
} from '../../console/session-cookie.ts';
import {
  findShownSession,
  toSessionTransport,
  type SessionDeps,
  type ShownSession,
} from '../../console/sessions.ts';
import { signIn, type SignInDeps } from '../../console/sign-in.ts';
import { toClientAddress } from '../../http/client-address.ts';
import type { Transport } from '../../http/encrypted-only.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { isSameOrigin } from '../../http/same-origin.ts';
import {
  findPrevious,
  nobodyHasTo,
  openIdRoutes,
  toRequestId,
  type OpenIdRouteDeps,
} from './open-id-routes.ts';
import {
  CHANGE_OWN_PASSWORD,
  GET_SESSION,
  LIST_SESSIONS,
  SIGN_IN,
  SIGN_OUT,
  SIGN_OUT_EVERYWHERE,
} from './session-endpoints.ts';

export interface SessionRouteDeps extends Omit<SignInDeps, 'maxMs'>, OpenIdRouteDeps {
  readonly db: Db;
}

export function sessionRoutes(deps: SessionRouteDeps): readonly Route[] {
  const { db, sessions, isOff, now } = deps;

  async function getShown(req: IncomingMessage): Promise<ShownSession> {
    const shown = await findShownSession(sessions, req, now());
    if (shown === undefined) throw new Refusal('unauthenticated', 'Nobody is signed in.');
    return shown;
  }

  /** Records an act of the session's user together with the act. */
  function act(
    { name, app }: StoredConsoleSession,
    res: ServerResponse,
    action: string,
    work: (tx: Db) => Promise<void>,
  ): Promise<void> {
    const requestId = toRequestId(res);
    const entry = { keyId: null, actor: toActor(name), appRef: app?.ref ?? null, objects: {} };
    return db.transaction().execute(async (tx) => {
      await work(tx);
      await recordAudit(tx, { ...entry, requestId, action }, 'ok');
    });
  }

  return [
    route(SIGN_IN, NOTHING, async ({ name, password }, { req, res }) => {
      if (isOff) throw nobodyHasTo();
      const transport = getTransport(sessions, req);
      if (!isSameOrigin(req, transport))
        throw new Refusal('forbidden', 'This comes from a page of another origin.');
      const id = await signIn(
        { ...deps, maxMs: sessions.maxMs },
        {
          name,
          password,
          address: toClientAddress(req, sessions.trustedProxies),
          userAgent: req.headers['user-agent'] ?? '',
          requestId: toRequestId(res),
          previous: findPrevious(req, transport),
        },
      );
      const session = await sessions.ring.find(hashSessionId(id).toString('hex'));
      // Ended as soon as it began.
      if (session === undefined) throw new Refusal('unauthenticated', 'Nobody is signed in.');
      res.setHeader('Set-Cookie', toSessionCookie(id, transport));
      return toWireSession({ session, csrfToken: toCsrfToken(id) }, sessions);
    }),

    route(GET_SESSION, NOTHING, async (_input, { req }) => {
      if (isOff) return toAnybody(sessions);
      return toWireSession(await getShown(req), sessions);
    }),

    route(SIGN_OUT, NOTHING, async (_input, { req, res }) => {
      const { session } = await getShown(req);
      await act(session, res, 'console.session.delete', (tx) => endConsoleSession(tx, session.id));
      res.setHeader('Set-Cookie', toNoCookie(getTransport(sessions, req)));
    }),

    route(LIST_SESSIONS, NOTHING, async (_input, { req }) => {
      const { session } = await getShown(req);
      const found = await listConsoleSessions(db, session.userId);
      const open = found.filter(
        ({ expiresAt, lastUsedAt }) =>
          expiresAt > now() && lastUsedAt.getTime() + sessions.idleMs > now().getTime(),
      );
      return { sessionList: open.map((one) => toListed(one, session)) };
    }),

    route(SIGN_OUT_EVERYWHERE, NOTHING, async (_input, { req, res }) => {
      const { session } = await getShown(req);
      await act(session, res, 'console.session.delete.all', (tx) =>
        endConsoleSessionsOf(tx, session.userId),
      );
      res.setHeader('Set-Cookie', toNoCookie(getTransport(sessions, req)));
    }),

    route(CHANGE_OWN_PASSWORD, NOTHING, async ({ password, newPassword }, { req, res }) => {
      const { session } = await getShown(req);
      const address = toClientAddress(req, sessions.trustedProxies);
      const requestId = toRequestId(res);
      await changeOwnPassword(deps, { session, password, newPassword, address, requestId });
    }),

    ...openIdRoutes(deps),
  ];
}

/** Refuses what no session goes along with: passwords are not sent in the clear. */
function getTransport(sessions: SessionDeps, req: IncomingMessage): Transport {
  const transport = toSessionTransport(sessions, req);
  if (transport === undefined)
    throw new Refusal(
      'forbidden',
      'Signing in takes https. Where a proxy speaks it, TRUSTED_PROXIES names the proxy.',
    );
  return transport;
}

function toWireSession(
  { session: { name, role, way, app, createdAt, expiresAt }, csrfToken }: ShownSession,
  { idleMs }: SessionDeps,
) {
  return {
    name,
    role,
    scopes: [...toScopes(role)],
    appId: app === null ? null : toWireAppId(app.appId),
    signInWay: way,
    csrfToken,
    timestampCreated: toWireDate(createdAt),
    timestampExpires: toWireDate(expiresAt),
    idleSeconds: idleMs / 1000,
  };
}

function toAnybody({ idleMs }: SessionDeps) {
  return {
    name: 'anybody',
    role: 'admin' as const,
    scopes: [...SCOPES],
    appId: null,
    signInWay: null,
    csrfToken: null,
    timestampCreated: null,
    timestampExpires: null,
    idleSeconds: idleMs / 1000,
  };
}

function toListed(
  { id, address, userAgent, createdAt, lastUsedAt, expiresAt }: ListedConsoleSession,
  current: StoredConsoleSession,
) {
  return {
    current: id === current.id,
    address,
    userAgent,
    timestampCreated: toWireDate(createdAt),
    timestampLastUsed: toWireDate(lastUsedAt),
    timestampExpires: toWireDate(expiresAt),
  };
}
