import type { IncomingMessage, ServerResponse } from 'node:http';

import { Refusal } from '@heliograph/core';
import type { AttemptRecord } from '@heliograph/db';

import type { Caller } from '../../access/caller.ts';
import { OF_MESSAGE, ofApp } from '../../access/subject.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import { findBodyHash } from '../../http/json-body.ts';
import type { DeliveryStatus, MessageStatus } from '../../messages/find-message-status.ts';
import type { NewMessage, SendAnswer, SendRequest } from '../../messages/send-messages.ts';
import { toWireAppId } from './fields.ts';
import {
  SEND_BATCH,
  SEND_MESSAGE,
  type PushMessageInput,
  type SentAnswer,
} from './message-endpoints.ts';
import { GET_MESSAGE, type MessageDetailAnswer } from './message-status-endpoints.ts';

/** The verbs behind the message routes. */
export interface MessageVerbs {
  send(request: SendRequest): Promise<SendAnswer>;
  findStatus(id: string): Promise<MessageStatus | undefined>;
}

export function messageRoutes(verbs: MessageVerbs): readonly Route[] {
  return [
    route(SEND_MESSAGE, ofApp(), async ({ appId, message, mode = 'SYNCHRONOUS' }, call) => {
      const { req, res, caller } = call;
      const idempotency = findIdempotency(req, caller, '/push/message/send');
      return toSent(
        await verbs.send({ appId, messages: [toMessage(message)], mode, ...idempotency }),
        res,
      );
    }),

    route(SEND_BATCH, ofApp(), async ({ appId, batch, mode = 'SYNCHRONOUS' }, call) => {
      const { req, res, caller } = call;
      const idempotency = findIdempotency(req, caller, '/push/message/batch/send');
      return toSent(
        await verbs.send({ appId, messages: batch.map(toMessage), mode, ...idempotency }),
        res,
      );
    }),

    route(GET_MESSAGE, OF_MESSAGE, async ({ id }) => {
      const status = await verbs.findStatus(id);
      if (status === undefined) throw new Refusal('not_found', 'There is no such message.');
      return toDetail(status);
    }),
  ];
}

function toMessage({
  userId,
  activationId,
  attributes,
  priority,
  body,
}: PushMessageInput): NewMessage {
  const { validUntil, ...shown } = body;
  const instant = validUntil === undefined ? undefined : parseInstant(validUntil);
  return {
    userId,
    silent: attributes?.silent ?? false,
    personal: attributes?.personal ?? false,
    priority: priority ?? 'HIGH',
    body: shown,
    ...(activationId === undefined ? {} : { activationId }),
    ...(instant === undefined ? {} : { validUntil: instant }),
  };
}

const MAX_KEY_LENGTH = 255;

/** The path is the endpoint's own, so that a trailing slash or another base path does not make another request of it. */
export function findIdempotency(
  req: IncomingMessage,
  { keyId = '' }: Caller,
  path: string,
): Pick<SendRequest, 'idempotency'> {
  const key = req.headers['idempotency-key'];
  if (key === undefined) return {};
  const bodyHash = findBodyHash(req);
  if (
    typeof key !== 'string' ||
    key === '' ||
    key.length > MAX_KEY_LENGTH ||
    bodyHash === undefined
  )
    throw new Refusal(
      'invalid_request',
      `An Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters.`,
    );
  // Nobody can use up, or ask for the answers of, the idempotency keys of others. Without access control all callers are one.
  return { idempotency: { caller: keyId, operation: `POST ${path}`, key, bodyHash } };
}

/** Huawei's counts. */
const NO_PROVIDER = { sent: 0, failed: 0, pending: 0, total: 0 };

function toSent(
  { mode, messageIds, counts, replayed }: SendAnswer,
  res: ServerResponse,
): SentAnswer {
  if (replayed) res.setHeader('Idempotency-Replayed', 'true');
  if (mode === 'ASYNCHRONOUS') return { mode, messageIds: [...messageIds] };
  // The reference nests the counts, the original's clients read them flat, by either name.
  const { apns, fcm } = counts;
  const named = { ios: apns, android: fcm, apns, fcm, hms: NO_PROVIDER };
  return { mode, messageIds: [...messageIds], ...named, result: named };
}

function toDetail(status: MessageStatus): MessageDetailAnswer {
  return {
    ...status,
    appId: toWireAppId(status.appId),
    createdAt: toWireDate(status.createdAt),
    expiresAt: toWireDate(status.expiresAt),
    deliveries: status.deliveries.map(toWireDelivery),
  };
}

/** A delivery, with what its caller has beside it, and with its dates as the wire spells them. */
export function toWireDelivery<T extends DeliveryStatus>({
  nextAttemptAt,
  finishedAt,
  history,
  ...delivery
}: T) {
  return {
    ...delivery,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt: toWireDate(nextAttemptAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: toWireDate(finishedAt) }),
    history: history.map(toAttempt),
  };
}

function toAttempt({ at, nextAttemptAt, ...attempt }: AttemptRecord) {
  return {
    at: toWireDate(new Date(at)),
    ...attempt,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt: toWireDate(new Date(nextAttemptAt)) }),
  };
}
