import { Type } from '@sinclair/typebox';

import type { DescribedEndpoint, DescribedSecurity } from '../ops/openapi.ts';
import { PushBody } from './push-body.ts';

/*
 * What the OpenAPI document says of this surface. The router does not read it: a path here is matched as it was sent, since it is signed.
 */
const tag = 'Signed pushes';

const plain = {
  tag,
  largeBody: false,
  query: undefined,
  answerType: 'application/json',
  headers: {
    'X-M-Date': 'The date that was signed, such as Thu, 12 Sep 2013 18:49:58 GMT.',
  },
} as const;

const Instant = Type.String({ format: 'date-time' });
const Counts = [
  'targeted',
  'sent',
  'failed',
  'expired',
  'skipped',
  'pending',
  'ambiguous',
] as const;

const Delivery = Type.Object(
  {
    id: Type.String(),
    platform: Type.Union([Type.Literal('ios'), Type.Literal('android')]),
    state: Type.String(),
    reason: Type.Optional(Type.String()),
    attempts: Type.Integer(),
    nextAttemptAt: Type.Optional(Instant),
    finishedAt: Type.Optional(Instant),
  },
  { title: 'SignedPushDelivery' },
);

const PushStatus = Type.Object({
  ...Object.fromEntries(Counts.map((name) => [name, Type.Integer()])),
  expiresAt: Instant,
  deliveries: Type.Array(Delivery),
});

const PUSH: DescribedEndpoint = {
  ...plain,
  summary: 'Puts a message into the inbox of a user, and pushes it to the devices',
  methods: ['post'],
  paths: ['/api/1.0/push/:receiver'],
  params: Type.Object({
    receiver: Type.String({
      description: 'username@carrier; @ may be %40, @carrier may be absent',
    }),
  }),
  from: 'body',
  request: PushBody,
  answer: Type.Object({ requestId: Type.String({ format: 'uuid' }) }),
};

const GET_REQUEST: DescribedEndpoint = {
  ...plain,
  summary: 'What became of a signed push',
  methods: ['get'],
  paths: ['/api/1.0/push/requests/:requestId'],
  params: undefined,
  from: 'path',
  request: Type.Object({ requestId: Type.String() }),
  answer: Type.Object({
    requestId: Type.String({ format: 'uuid' }),
    createdAt: Instant,
    receiver: Type.String(),
    inbox: Type.Object({ id: Type.String(), read: Type.Boolean() }),
    push: Type.Optional(PushStatus),
  }),
};

export const M800_ENDPOINTS: readonly DescribedEndpoint[] = [PUSH, GET_REQUEST];

/** These take no API key. */
export const M800_SECURITY: DescribedSecurity = {
  name: 'signature',
  words: 'Signed with a developer key; takes no API key.',
  scheme: {
    type: 'http',
    scheme: 'MAAIISDK10',
    description:
      'Authorization: MAAIISDK10 key="…", nonce="…", signature="…", with the secret of a developer key over the request and X-M-Date.',
  },
};

export const M800_ERROR_ANSWER = Type.Object(
  {
    error: Type.Object({
      status: Type.Integer({ description: 'The HTTP status.' }),
      code: Type.Integer({ description: 'The status and two digits, such as 40106.' }),
      message: Type.String(),
    }),
  },
  { title: 'SignedPushError' },
);
