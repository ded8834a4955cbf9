import type { ServerResponse } from 'node:http';

import type { InboxSummary, StoredInboxMessage } from '@heliograph/db';

import { isOwn, type Caller } from '../../access/caller.ts';
import { ofInboxApps, ofInboxMessage } from '../../access/subject.ts';
import { route, streamRoute, type Route } from '../../http/endpoint.ts';
import { openEventStream } from '../../http/event-stream.ts';
import { toWireDate } from '../../http/instant.ts';
import { countUnread } from '../../inbox/count-unread.ts';
import { getMessage } from '../../inbox/get-message.ts';
import type { InboxDeps } from '../../inbox/inbox-deps.ts';
import type { InboxListener, InboxWatch } from '../../inbox/inbox-watcher.ts';
import { listMessages } from '../../inbox/list-messages.ts';
import { postMessage } from '../../inbox/post-message.ts';
import { readAll } from '../../inbox/read-all.ts';
import { readMessage } from '../../inbox/read-message.ts';
import { startStream } from '../../inbox/start-stream.ts';
import {
  COUNT_UNREAD,
  GET_MESSAGE,
  LIST_MESSAGES,
  POST_MESSAGE,
  READ_ALL,
  READ_ALL_BY_QUERY,
  READ_MESSAGE,
  READ_MESSAGE_BY_QUERY,
  WATCH_INBOX,
  type InboxMessageAnswer,
  type InboxSummaryAnswer,
} from './inbox-endpoints.ts';
import { findIdempotency } from './message-routes.ts';

export interface InboxRouteDeps extends InboxDeps {
  /** How often a stream of events shows that it lives, ms; undefined: every 15 s. */
  readonly heartbeatMs?: number | undefined;
  /** From 0 to 1. */
  readonly random: () => number;
}

export function inboxRoutes(deps: InboxRouteDeps): readonly Route[] {
  return [
    route(POST_MESSAGE, ofInboxApps(toNamed), async (input, { req, res, caller }) => {
      const { idempotency } = findIdempotency(req, caller, '/inbox/messages');
      const { message, replayed } = await postMessage(deps, input, idempotency);
      if (replayed) res.setHeader('Idempotency-Replayed', 'true');
      return toMessage(message, caller);
    }),

    route(LIST_MESSAGES, ofInboxApps(toList), async ({ applications, ...rest }) => {
      const { userId, onlyUnread = false, page, size } = rest;
      const query = { userId, applications: applications.split(','), onlyUnread, page, size };
      return { page, size, content: (await listMessages(deps, query)).map(toSummary) };
    }),

    route(COUNT_UNREAD, ofInboxApps(toOne), async (input) => ({
      countUnread: await countUnread(deps, input),
    })),
    route(
      GET_MESSAGE,
      ofInboxMessage(({ id }) => id),
      async ({ id }, { caller }) => toMessage(await getMessage(deps, id), caller),
    ),
    route(READ_MESSAGE, ofInboxMessage(toInboxId), async ({ inboxId }, { caller }) =>
      toMessage(await readMessage(deps, inboxId), caller),
    ),
    route(READ_MESSAGE_BY_QUERY, ofInboxMessage(toInboxId), async ({ inboxId }, { caller }) =>
      toMessage(await readMessage(deps, inboxId), caller),
    ),
    route(READ_ALL, ofInboxApps(toOne), (input) => readAll(deps, input)),
    route(READ_ALL_BY_QUERY, ofInboxApps(toOne), (input) => readAll(deps, input)),

    streamRoute(WATCH_INBOX, ofInboxApps(toList), async ({ applications, ...input }, { res }) => {
      deps.inboxWatcher.refuseWhenFull(input.userId);
      const start = await startStream(deps, { ...input, applications: applications.split(',') });
      // Nothing would tell us later that the caller went meanwhile.
      if (res.destroyed) return;
      deps.inboxWatcher.watch(start, (watch) => openListener(deps, res, watch, start.after));
    }),
  ];
}

function toNamed({ applications }: { readonly applications: readonly string[] }) {
  return applications;
}

function toList({ applications }: { readonly applications: string }): readonly string[] {
  return applications.split(',');
}

function toOne({ appId }: { readonly appId: string }): readonly string[] {
  return [appId];
}

function toInboxId({ inboxId }: { readonly inboxId: string }): string {
  return inboxId;
}

/** How long a reader waits before it opens its stream again, ms. */
const RETRY_MS = 2000;
/** All readers of a server that stops come back somewhere else, spread over such a time. */
const FAREWELL_RETRY_MS = { least: 500, most: 5000 };

function openListener(
  { heartbeatMs, random }: InboxRouteDeps,
  res: ServerResponse,
  watch: InboxWatch,
  after: number,
): InboxListener {
  const stream = openEventStream(res, {
    heartbeatMs,
    onDrain: () => watch.wake(),
    onClose: () => watch.stop(),
  });
  // Whoever loses the connection before anything came is to go on from here, too.
  stream.tell({ id: after, retryMs: RETRY_MS });
  return {
    isReady: () => stream.isDrained(),
    onMessage: (message) => stream.send('message', toSummary(message), message.sequence),
    onPassed: (sequence) => stream.tell({ id: sequence }),
    onClosed() {
      const { least, most } = FAREWELL_RETRY_MS;
      stream.tell({ retryMs: least + random() * (most - least) });
      stream.end();
    },
  };
}

function toSummary(message: InboxSummary): InboxSummaryAnswer {
  const { id, type, subject, summary, readAt, createdAt } = message;
  return {
    id,
    type,
    subject,
    summary,
    read: readAt !== null,
    timestampCreated: toWireDate(createdAt),
  };
}

/** Which other apps show it is nothing to a caller who is bound to one. */
function toMessage(message: StoredInboxMessage, caller: Caller): InboxMessageAnswer {
  const { id, userId, type, subject, summary, body, applications, readAt, createdAt } = message;
  return {
    id,
    userId,
    type,
    subject,
    summary,
    body,
    read: readAt !== null,
    timestampCreated: toWireDate(createdAt),
    ...(readAt === null ? {} : { timestampRead: toWireDate(readAt) }),
    applications: applications.filter((appId) => isOwn(caller, appId)),
  };
}
