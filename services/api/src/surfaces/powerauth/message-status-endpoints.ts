import { DELIVERY_STATES } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { answering, takingFrom } from './envelope.ts';
import { nullable, oneOf, optional, text, WireAppId } from './fields.ts';

const Attempt = Type.Object(
  {
    at: Type.String(),
    outcome: Type.String(),
    reason: optional(Type.String()),
    status: optional(Type.Integer()),
    endpoint: Type.String(),
    environment: Type.String(),
    credentialVersion: Type.Integer(),
    latencyMs: Type.Number(),
    nextAttemptAt: optional(Type.String()),
  },
  { title: 'Attempt' },
);

/** What every delivery shows beside its id. */
export const deliveryFields = {
  platform: oneOf(['ios', 'android']),
  state: oneOf(DELIVERY_STATES),
  reason: optional(Type.String()),
  attempts: Type.Integer(),
  nextAttemptAt: optional(Type.String()),
  finishedAt: optional(Type.String()),
  providerMessageId: optional(Type.String()),
  history: Type.Array(Attempt),
};

const Delivery = Type.Object({ id: Type.String(), ...deliveryFields }, { title: 'Delivery' });

const LedgerCounts = Type.Object(
  {
    targeted: Type.Integer(),
    sent: Type.Integer(),
    failed: Type.Integer(),
    expired: Type.Integer(),
    skipped: Type.Integer(),
    pending: Type.Integer(),
    ambiguous: Type.Integer({ description: 'Deliveries that a provider once did not answer.' }),
  },
  { title: 'LedgerCounts' },
);

const MessageDetail = Type.Object(
  {
    id: Type.String(),
    appId: WireAppId,
    userId: nullable(Type.String({ description: 'Null where the push token was nobody’s.' })),
    createdAt: Type.String(),
    expiresAt: Type.String(),
    counts: LedgerCounts,
    deliveries: Type.Array(Delivery),
  },
  { title: 'MessageDetail' },
);

export type MessageDetailAnswer = Static<typeof MessageDetail>;

export const GET_MESSAGE = answering(
  MessageDetail,
  takingFrom(
    'path',
    Type.Object({ id: text({ description: 'A message id, or a delivery id.' }) }),
    {
      tag: 'Message',
      scope: ['send', 'read'],
      summary: 'What happened to a message, down to each attempt',
      methods: ['get'],
      paths: ['/push/message/:id'],
    },
  ),
);
