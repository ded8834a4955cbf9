import { DELIVERY_STATES, OUTCOME_CODES } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { LANES } from '../../deliveries/trace-deliveries.ts';
import { ofCampaign } from './campaign-path.ts';
import { answering, takingFrom } from './envelope.ts';
import {
  ActivationId,
  AppId,
  nullable,
  oneOf,
  optional,
  Platform,
  RowId,
  text,
  UserId,
  UUID_PATTERN,
  WireAppId,
} from './fields.ts';
import { deliveryFields } from './message-status-endpoints.ts';

export const DEFAULT_DEVICES = 100;
const MAX_DEVICES = 1000;

const deviceFields = {
  deliveryId: Type.String({ description: 'What APNs was given as apns-id.' }),
  deviceId: Type.Integer(),
  userId: nullable(
    Type.String({ description: 'Whom it was for; null where nothing says it any more.' }),
  ),
  activationId: nullable(
    Type.String({ description: 'Null where the device is gone, or somebody else’s by now.' }),
  ),
  ...deliveryFields,
};

const RunDevice = Type.Object(deviceFields, { title: 'RunDevice' });

export type RunDeviceAnswer = Static<typeof RunDevice>;

/** What an outcome of a run may be called. */
const REASONS = OUTCOME_CODES.flatMap(({ reason }) => reason ?? []);

export const LIST_RUN_DEVICES = ofCampaign(
  answering(
    Type.Object({
      campaignId: Type.Integer(),
      runId: Type.String(),
      devices: Type.Array(RunDevice),
      next: nullable(
        Type.String({ description: 'Leads to the next page as `after`. Null at the end.' }),
      ),
    }),
    takingFrom(
      'query',
      Type.Object({
        runId: optional(
          text({ minLength: 1, description: 'The latest run that is no dry run, unless given.' }),
        ),
        state: optional(
          oneOf(DELIVERY_STATES, 'By default `failed`, or any where there is a reason.'),
        ),
        reason: optional(oneOf(REASONS)),
        platform: optional(Platform),
        after: optional(text({ description: 'The `next` of the page before.' })),
        size: optional(
          Type.Integer({ minimum: 1, maximum: MAX_DEVICES, default: DEFAULT_DEVICES }),
        ),
      }),
      {
        tag: 'Campaign run',
        scope: ['campaigns', 'campaigns:send', 'read'],
        summary: 'Lists the devices of a run by what came of them',
        methods: ['get'],
        paths: ['/push/campaign/:id/run/devices'],
      },
    ),
  ),
);

export const DEFAULT_DELIVERIES = 50;
const MAX_DELIVERIES = 200;

export const TracedDelivery = Type.Object(
  {
    lane: oneOf(LANES),
    appId: WireAppId,
    messageId: optional(Type.String()),
    campaignId: optional(Type.Integer()),
    runId: optional(Type.String()),
    createdAt: Type.String({ description: 'When the message was accepted, or the run started.' }),
    ...deviceFields,
  },
  { title: 'TracedDelivery' },
);

export type TracedDeliveryAnswer = Static<typeof TracedDelivery>;

const Searched = Type.Object(
  {
    acceptedFrom: Type.String(),
    acceptedUntil: Type.String(),
    campaigns: Type.Boolean({
      description: 'False: of campaigns FCM’s ids are not looked for, since most are not kept.',
    }),
  },
  {
    title: 'Searched',
    description:
      'Where an id of FCM was looked for: among the deliveries of messages that were accepted then.',
  },
);

export type SearchedAnswer = Static<typeof Searched>;

const TraceQuery = Type.Object({
  userId: optional(UserId),
  deviceId: optional(RowId),
  activationId: optional(ActivationId),
  deliveryId: optional(
    text({
      pattern: UUID_PATTERN,
      'x-hint': 'must be a UUID',
      description: 'Of any push: APNs was given it as apns-id.',
    }),
  ),
  messageId: optional(
    text({
      pattern: UUID_PATTERN,
      'x-hint': 'must be a UUID',
      description: 'Of a message: its deliveries, up to `size`.',
    }),
  ),
  providerMessageId: optional(
    text({
      minLength: 1,
      maxLength: 255,
      description:
        'What the provider called a push: the apns-id, or `projects/…/messages/…`, or its last part.',
    }),
  ),
  appId: optional(AppId),
  lane: optional(oneOf(LANES, 'Both by default.')),
  size: optional(
    Type.Integer({ minimum: 1, maximum: MAX_DELIVERIES, default: DEFAULT_DELIVERIES }),
  ),
});

export type TraceInput = Static<typeof TraceQuery>;

export const LIST_DELIVERIES = answering(
  Type.Object({
    deliveries: Type.Array(TracedDelivery),
    searched: optional(Searched),
  }),
  takingFrom('query', TraceQuery, {
    tag: 'Message',
    scope: ['read'],
    summary:
      'Where is my push? The latest deliveries of a user, device or activation, or the one with an id; give one of the six',
    methods: ['get'],
    paths: ['/push/delivery/list'],
  }),
);
