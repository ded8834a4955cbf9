import type { CampaignMessage } from '@heliograph/db';
import { Type, type Static } from '@sinclair/typebox';

import { ofCampaign } from './campaign-path.ts';
import { answering, taking, takingFrom, takingNothing } from './envelope.ts';
import { AppId, nullable, optional, UserId, WireAppId } from './fields.ts';
import { idempotencyHeaders, PushMessageBody } from './message-endpoints.ts';
import { answeringPage, takingPaging } from './paging.ts';

const tag = 'Campaign';

export const CREATE_CAMPAIGN = answering(
  Type.Object({ id: Type.Integer() }),
  taking(Type.Object({ appId: AppId, message: PushMessageBody }, { title: 'CreateCampaign' }), {
    tag,
    scope: ['campaigns'],
    summary: 'Makes a campaign without users',
    methods: ['post'],
    paths: ['/push/campaign/create'],
  }),
);

export const DELETE_CAMPAIGN = ofCampaign(
  answering(
    Type.Object({ deleted: Type.Boolean({ description: 'False where there was none.' }) }),
    takingNothing({
      tag,
      scope: ['campaigns'],
      summary: 'Deletes a campaign with its users',
      methods: ['post', 'delete'],
      paths: ['/push/campaign/:id/delete'],
    }),
  ),
);

const Campaign = Type.Object(
  {
    id: Type.Integer(),
    appId: WireAppId,
    sent: Type.Boolean(),
    message: Type.Unsafe<CampaignMessage>(PushMessageBody),
    timestampCreated: Type.String(),
    timestampSent: nullable(Type.String()),
    timestampCompleted: nullable(Type.String()),
  },
  { title: 'Campaign' },
);

export type CampaignAnswer = Static<typeof Campaign>;

export const GET_CAMPAIGN = ofCampaign(
  answering(
    Campaign,
    takingNothing({
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'One campaign',
      methods: ['get'],
      paths: ['/push/campaign/:id/detail'],
    }),
  ),
);

export const LIST_CAMPAIGNS = answering(
  Type.Array(Campaign),
  takingFrom(
    'query',
    Type.Object({
      all: optional(
        Type.Boolean({
          default: false,
          description: 'Otherwise only those that are not sent yet.',
        }),
      ),
    }),
    {
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'Lists campaigns, the oldest first',
      methods: ['get'],
      paths: ['/push/campaign/list'],
    },
  ),
);

const UserIds = Type.Array(UserId, {
  maxItems: 1_000_000,
  description: 'Repeats count once.',
});

export const ADD_USERS = ofCampaign(
  taking(UserIds, {
    tag,
    scope: ['campaigns'],
    summary: 'Adds users to a campaign',
    methods: ['put', 'post'],
    paths: ['/push/campaign/:id/user/add'],
    largeBody: true,
  }),
);

export const LIST_USERS = ofCampaign(
  answeringPage(
    Type.Object({ campaignId: Type.Integer(), users: Type.Array(Type.String()) }),
    takingPaging({
      tag,
      scope: ['campaigns', 'read'],
      summary: 'Lists the users of a campaign, in the order in which they were added',
      methods: ['get'],
      paths: ['/push/campaign/:id/user/list'],
    }),
  ),
);

export const REMOVE_USERS = ofCampaign(
  taking(UserIds, {
    tag,
    scope: ['campaigns'],
    summary: 'Removes users from a campaign',
    methods: ['post', 'delete'],
    paths: ['/push/campaign/:id/user/delete'],
    largeBody: true,
  }),
);

export const SEND_TEST = ofCampaign(
  taking(Type.Object({ userId: UserId }, { title: 'SendTestCampaign' }), {
    tag,
    scope: ['campaigns:send'],
    summary: 'Sends what a campaign says to one user, who need not be in it',
    methods: ['post'],
    paths: ['/push/campaign/send/test/:id'],
    headers: idempotencyHeaders,
  }),
);
