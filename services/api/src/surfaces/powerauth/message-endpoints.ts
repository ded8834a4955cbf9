import { PRIORITIES, type Json } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { answering, taking } from './envelope.ts';
import { ActivationId, AppId, instant, oneOf, optional, text, UserId } from './fields.ts';

const tag = 'Message';

const INT32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const MAX_BATCH = 20;

export const PushMessageBody = Type.Object(
  {
    title: optional(text()),
    titleLocKey: optional(text()),
    titleLocArgs: optional(Type.Array(text())),
    body: optional(text()),
    bodyLocKey: optional(text()),
    bodyLocArgs: optional(Type.Array(text())),
    icon: optional(text()),
    sound: optional(text()),
    category: optional(text()),
    collapseKey: optional(text()),
    badge: optional(Type.Integer({ ...INT32, examples: [3] })),
    validUntil: optional(
      instant({
        description: 'ISO 8601 with an offset, or epoch seconds. Nothing is sent from then on.',
        examples: ['2099-12-31T23:59:59Z'],
      }),
    ),
    extras: optional(
      Type.Unsafe<Readonly<Record<string, Json>>>({
        type: 'object',
        'x-storable': true,
        description:
          'Any JSON for the app. APNs gets it beside `aps`, FCM in `data`. Nulls are not sent.',
      }),
    ),
  },
  { title: 'PushMessageBody' },
);

const PushMessage = Type.Object(
  {
    userId: UserId,
    activationId: optional(ActivationId),
    attributes: optional(
      Type.Object({
        silent: optional(Type.Boolean({ description: 'Wakes the app and shows nothing.' })),
        personal: optional(Type.Boolean({ description: 'Only to active activations.' })),
      }),
    ),
    priority: optional(oneOf(PRIORITIES, 'HIGH unless it says NORMAL.')),
    body: PushMessageBody,
  },
  { title: 'PushMessage' },
);

export type PushMessageInput = Static<typeof PushMessage>;

const MODES = ['SYNCHRONOUS', 'ASYNCHRONOUS'] as const;
const Mode = oneOf(MODES, 'SYNCHRONOUS, the default, waits for the outcomes for a while.');

const Counts = Type.Object(
  {
    sent: Type.Integer(),
    failed: Type.Integer(),
    pending: Type.Integer(),
    total: Type.Integer(),
  },
  { title: 'PlatformCounts' },
);

/** `hms` is there for clients that look for it; nothing is ever counted in it. */
const AllCounts = { ios: Counts, android: Counts, apns: Counts, fcm: Counts, hms: Counts };

const Sent = Type.Union(
  [
    Type.Object({
      mode: Type.Literal('SYNCHRONOUS'),
      messageIds: Type.Array(Type.String()),
      ...AllCounts,
      result: Type.Object(AllCounts),
    }),
    Type.Object({ mode: Type.Literal('ASYNCHRONOUS'), messageIds: Type.Array(Type.String()) }),
  ],
  { title: 'SendAnswer' },
);

export type SentAnswer = Static<typeof Sent>;

export const idempotencyHeaders = {
  'Idempotency-Key':
    'The same key and body within 24 hours give the first answer again and send nothing.',
};

export const SEND_MESSAGE = answering(
  Sent,
  taking(
    Type.Object(
      { appId: AppId, message: PushMessage, mode: optional(Mode) },
      { title: 'SendMessage' },
    ),
    {
      tag,
      scope: ['send'],
      summary: 'Sends a message to all devices of a user, or of one activation',
      methods: ['post'],
      paths: ['/push/message/send'],
      headers: idempotencyHeaders,
    },
  ),
);

export const SEND_BATCH = answering(
  Sent,
  taking(
    Type.Object(
      {
        appId: AppId,
        batch: Type.Array(PushMessage, { minItems: 1, maxItems: MAX_BATCH }),
        mode: optional(Mode),
      },
      { title: 'SendBatch' },
    ),
    {
      tag,
      scope: ['send'],
      summary: 'Sends up to 20 messages; one that is invalid keeps all from being sent',
      methods: ['post'],
      paths: ['/push/message/batch/send'],
      headers: idempotencyHeaders,
    },
  ),
);
