import { Refusal, toCallbackCursor } from '@heliograph/core';
import {
  listCallbackCalls,
  listCallbackEndpoints,
  type CallbackCall,
  type CallbackEndpoint,
  type CallbackEvent,
} from '@heliograph/db';

import { getCallback, type CallbackDeps } from '../../callbacks/callback-deps.ts';
import { deleteCallback } from '../../callbacks/delete-callback.ts';
import { listEvents } from '../../callbacks/list-callback-events.ts';
import { registerCallback } from '../../callbacks/register-callback.ts';
import { resendCall } from '../../callbacks/resend-call.ts';
import { resumeCallback, type ToldAgain } from '../../callbacks/resume-callback.ts';
import { rotateCallbackSecret } from '../../callbacks/rotate-callback-secret.ts';
import { testCallback } from '../../callbacks/test-callback.ts';
import { OF_CALLBACK, OF_OWNER, ofApp } from '../../access/subject.ts';
import { getAppRef } from '../../devices/device-deps.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import {
  CREATE_CALLBACK,
  DEFAULT_CALLS,
  DEFAULT_EVENTS,
  DELETE_CALLBACK,
  LIST_CALLBACK_CALLS,
  LIST_CALLBACK_EVENTS,
  LIST_CALLBACKS,
  RESEND_CALLBACK_CALL,
  RESUME_CALLBACK,
  ROTATE_CALLBACK,
  TEST_CALLBACK,
  type CallAnswer,
  type ListedCallback,
} from './callback-endpoints.ts';
import { toWireAppId } from './fields.ts';

/** Where outcomes are told to, and the outcomes themselves for who comes to look. */
export function callbackRoutes(deps: CallbackDeps): readonly Route[] {
  return [
    route(LIST_CALLBACK_EVENTS, OF_OWNER, async ({ limit = DEFAULT_EVENTS, ...query }) => {
      const { events, cursor } = await listEvents(deps, { ...query, limit });
      return { events: events.map(toWireEvent), cursor };
    }),

    route(CREATE_CALLBACK, OF_OWNER, async ({ types = null, ...callback }) =>
      registerCallback(deps, { ...callback, types }),
    ),

    route(LIST_CALLBACKS, ofApp(), async ({ appId }) => {
      const appRef = await getAppRef(deps.db, appId);
      const callbacks = await listCallbackEndpoints(deps.db, appRef);
      return { appId: toWireAppId(appId), callbackList: callbacks.map(toListed) };
    }),

    route(DELETE_CALLBACK, OF_CALLBACK, ({ callbackId }) => deleteCallback(deps, callbackId)),

    route(ROTATE_CALLBACK, OF_CALLBACK, async ({ callbackId, useAfterSeconds = 0 }) => {
      const { usedFrom, ...made } = await rotateCallbackSecret(deps, callbackId, useAfterSeconds);
      return { ...made, usedFrom: toWireDate(usedFrom) };
    }),

    route(TEST_CALLBACK, OF_CALLBACK, ({ callbackId }) => testCallback(deps, callbackId)),

    route(RESUME_CALLBACK, OF_CALLBACK, ({ callbackId, after, since }) =>
      resumeCallback(deps, callbackId, toToldAgain(after, since)),
    ),

    route(LIST_CALLBACK_CALLS, OF_CALLBACK, async ({ callbackId, after, size = DEFAULT_CALLS }) => {
      await getCallback(deps.db, callbackId);
      const found = await listCallbackCalls(deps.db, callbackId, {
        before: after === undefined ? undefined : Number(after),
        limit: size + 1,
      });
      const calls = found.slice(0, size);
      const last = found.length > size ? calls.at(-1) : undefined;
      return {
        callbackId,
        calls: calls.map(toCall),
        next: last === undefined ? null : String(last.id),
      };
    }),

    route(RESEND_CALLBACK_CALL, OF_CALLBACK, async ({ callbackId, callId }) => ({
      callId: await resendCall(deps, callbackId, callId),
    })),
  ];
}

function toToldAgain(after: string | undefined, since: string | number | undefined): ToldAgain {
  if (after !== undefined && since !== undefined)
    throw new Refusal('invalid_request', 'Give after or since, and not both.');
  if (after !== undefined) return { after };
  const from = since === undefined ? undefined : parseInstant(since);
  return from === undefined ? undefined : { since: from };
}

/** As callbacks are told it. */
function toWireEvent({ id, type, createdAt, data }: CallbackEvent) {
  return { id, type, at: createdAt.toISOString(), data };
}

function toListed(callback: CallbackEndpoint): ListedCallback {
  const { id, url, developerKey, failures, lastResult, passedOver } = callback;
  return {
    id,
    url,
    key: callback.callbackKey ?? developerKey ?? '',
    developerKey,
    types: callback.types === null ? null : [...callback.types],
    timestampCreated: toWireDate(callback.createdAt),
    state: toState(callback),
    failures,
    failingSince: toDate(callback.failingSince),
    nextAttempt: callback.suspendedAt === null ? toWireDate(callback.nextAttemptAt) : null,
    lastAttempt: toDate(callback.lastAttemptAt),
    lastSuccess: toDate(callback.lastSuccessAt),
    lastResult,
    passedOver,
    suspendedBecause: callback.suspendedBecause,
    cursor: toCallbackCursor({ xid: callback.positionXid, id: callback.positionId }),
  };
}

function toCall(call: CallbackCall): CallAnswer {
  const { id, at, taken, result, latencyMs, events, resendOf } = call;
  return {
    callId: id,
    timestamp: toWireDate(at),
    state: taken === null ? 'waiting' : taken ? 'taken' : 'refused',
    result,
    latencyMs,
    events,
    resendOf,
    after: toCallbackCursor({ xid: call.afterXid, id: call.afterId }),
  };
}

function toState({ suspendedAt, failures }: CallbackEndpoint): ListedCallback['state'] {
  if (suspendedAt !== null) return 'suspended';
  return failures > 0 ? 'failing' : 'active';
}

function toDate(at: Date | null): string | null {
  return at === null ? null : toWireDate(at);
}
