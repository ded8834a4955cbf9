import { Refusal } from '@heliograph/core';
import { LANES, listFailureCauses, type DeliveryLane, type FailureCause } from '@heliograph/db';

import type { Caller } from '../../access/caller.ts';
import { ofApp, ofAppIfNamed } from '../../access/subject.ts';
import { getAppRef } from '../../devices/device-deps.ts';
import { toPeriod, type FailureDeps } from '../../failures/failure-deps.ts';
import { listFailed } from '../../failures/list-failed.ts';
import { parseMessageId, parseRunId, replayFailed } from '../../failures/replay-failed.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import {
  DEFAULT_FAILED,
  LIST_FAILED,
  LIST_FAILURES,
  MAX_FAILURES,
  REPLAY_FAILED,
} from './failure-endpoints.ts';
import { toProvider, toWireAppId } from './fields.ts';
import { findIdempotency } from './message-routes.ts';
import { toTraced } from './trace-routes.ts';

/** What failed for good, and how it is sent again. */
export function failureRoutes(deps: FailureDeps): readonly Route[] {
  const { db, now } = deps;
  return [
    route(
      LIST_FAILURES,
      ofAppIfNamed(),
      async ({ appId, platform, lane, state, ...span }, call) => {
        const { since, until } = toPeriod(toSpan(span), now());
        const found = await listFailureCauses(db, {
          appRef: appId === undefined ? call.caller.app?.ref : await getAppRef(db, appId),
          provider: platform === undefined ? undefined : toProvider(platform),
          lane,
          state,
          since,
          until,
          limit: MAX_FAILURES,
        });
        return {
          since: toWireDate(toHour(since)),
          until: toWireDate(until),
          failureList: found.map(toWireFailure),
        };
      },
    ),

    route(
      LIST_FAILED,
      ofApp(),
      async ({ appId, platform, state = 'failed', size = DEFAULT_FAILED, ...query }) => {
        const { deliveries, next } = await listFailed(deps, {
          ...query,
          ...toPeriod(toSpan(query), now()),
          appRef: await getAppRef(db, appId),
          provider: toProvider(platform),
          state,
          size,
        });
        return { deliveries: deliveries.map(toTraced), next };
      },
    ),

    route(REPLAY_FAILED, ofApp(), async (input, { req, res, caller }) => {
      const { appId, platform, lane, messageId, runId, validUntil, dryRun = false } = input;
      const span = toSpan(input);
      const isNamed = messageId !== undefined || runId !== undefined;
      const since = span.since ?? (isNamed ? new Date(0) : undefined);
      const { idempotency } = findIdempotency(req, caller, '/push/failure/replay');
      const lanes = toLanes({ lane, messageId, runId }, caller);
      const { isRepeat, ...answer } = await replayFailed(
        deps,
        {
          ...toPeriod({ ...span, since }, now()),
          appRef: await getAppRef(db, appId),
          lanes,
          provider: platform === undefined ? undefined : toProvider(platform),
          state: input.state,
          reason: input.reason,
          messageId: messageId === undefined ? undefined : parseMessageId(messageId),
          runId: runId === undefined ? undefined : parseRunId(runId),
          validUntil: toFuture(toInstant(validUntil), now()),
          includeAmbiguous: input.includeAmbiguous ?? false,
          dryRun,
          after: input.after,
        },
        idempotency,
      );
      if (isRepeat) res.setHeader('Idempotency-Replayed', 'true');
      return { dryRun, lanes: [...lanes], ...answer };
    }),
  ];
}

/** Which lanes the filter is about: those that the key may send in, unless it names one. Refuses one that the key may not. */
function toLanes(
  {
    lane,
    messageId,
    runId,
  }: {
    readonly lane: DeliveryLane | undefined;
    readonly messageId: string | undefined;
    readonly runId: string | undefined;
  },
  { scopes }: Caller,
): readonly DeliveryLane[] {
  const wanted = LANES.filter(
    (one) =>
      (lane ?? one) === one &&
      (messageId === undefined || one === 'message') &&
      (runId === undefined || one === 'campaign'),
  );
  if (wanted.length === 0)
    throw new Refusal('invalid_request', 'A messageId is of messages, a runId of campaigns.');
  const allowed = wanted.filter((one) => scopes.includes(SCOPE_OF[one]));
  const refused = wanted.find((one) => !allowed.includes(one));
  if (refused !== undefined && wanted.length === 1)
    throw new Refusal('forbidden', `This takes a key with the scope ${SCOPE_OF[refused]}.`);
  return allowed;
}

const SCOPE_OF = { message: 'send', campaign: 'campaigns:send' } as const;

function toFuture(validUntil: Date | undefined, now: Date): Date | undefined {
  if (validUntil !== undefined && validUntil <= now)
    throw new Refusal('invalid_request', 'validUntil must be in the future.');
  return validUntil;
}

export function toWireFailure({ appId, provider, firstAt, lastAt, ...cause }: FailureCause) {
  const { lane, state, reason, count, failed, replayed } = cause;
  return {
    lane,
    state,
    reason,
    count,
    failed,
    replayed,
    appId: toWireAppId(appId),
    platform: provider === 'apns' ? ('ios' as const) : ('android' as const),
    firstAt: toWireDate(firstAt),
    lastAt: toWireDate(lastAt),
  };
}

type WireInstant = string | number | undefined;

function toSpan({ since, until }: { readonly since?: WireInstant; readonly until?: WireInstant }) {
  return { since: toInstant(since), until: toInstant(until) };
}

function toInstant(value: WireInstant): Date | undefined {
  return value === undefined ? undefined : parseInstant(value);
}

const HOUR_MS = 3_600_000;

function toHour(at: Date): Date {
  return new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
}
