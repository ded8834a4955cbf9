import { CAMPAIGN_ORDERS, type CampaignMessage } from '@heliograph/db';
import { Type, type Static } from '@sinclair/typebox';

import { ofCampaign } from './campaign-path.ts';
import { answering, taking, takingFrom, takingNothing, takingOptional } from './envelope.ts';
import { AppId, nullable, oneOf, optional, RowId, UserId, WireAppId } from './fields.ts';
import { idempotencyHeaders, PushMessageBody } from './message-endpoints.ts';
import { answeringPage, takingPageOf } from './paging.ts';
import { Progress } from './run-endpoints.ts';

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

const LatestRun = Type.Pick(Progress, [
  'runId',
  'state',
  'reason',
  'timestampStart',
  'timestampFinished',
  'counts',
  'ratePerSecondMeasured',
  'etaSeconds',
]);

const ListedCampaign = Type.Composite(
  [Campaign, Type.Object({ latestRun: optional(nullable(LatestRun)) })],
  { title: 'ListedCampaign' },
);

export const LIST_CAMPAIGNS = answering(
  Type.Array(ListedCampaign),
  takingFrom(
    'query',
    Type.Object({
      all: optional(
        Type.Boolean({
          default: false,
          description: 'Otherwise only those that are not sent yet.',
        }),
      ),
      appId: optional(AppId),
      order: optional(oneOf(CAMPAIGN_ORDERS, 'The oldest first unless given.')),
      size: optional(
        Type.Integer({ minimum: 1, maximum: 1000, description: 'So many; all unless given.' }),
      ),
      after: optional({ ...RowId, description: 'The id of the last one of the page before.' }),
      before: optional({ ...RowId, description: 'The id of the first one of the page behind.' }),
      includeRun: optional(
        Type.Boolean({
          default: false,
          description: 'With the latest run of each that is no dry run. Takes a `size`.',
        }),
      ),
    }),
    {
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'Lists campaigns, all at once or by pages',
      methods: ['get'],
      paths: ['/push/campaign/list'],
    },
  ),
);

const Preview = Type.Object(
  {
    platform: oneOf(['ios', 'android']),
    route: oneOf(['direct', 'proxy']),
    bytes: nullable(
      Type.Integer({ description: 'What counts; null where it is nested too deep.' }),
    ),
    limit: Type.Integer(),
    violation: nullable(Type.String({ description: 'Why it would be refused.' })),
    payload: nullable(
      Type.Unsafe<object>({ type: 'object', description: 'What goes out, but for the token.' }),
    ),
  },
  { title: 'PayloadPreview' },
);

export const PREVIEW_CAMPAIGN = answering(
  Type.Object({ previews: Type.Array(Preview) }),
  taking(Type.Object({ appId: AppId, message: PushMessageBody }, { title: 'PreviewCampaign' }), {
    tag,
    scope: ['campaigns', 'campaigns:send'],
    summary: 'What would go out for a message, per platform, and whether it fits',
    methods: ['post'],
    paths: ['/push/campaign/preview'],
    readsOnly: true,
  }),
);

export const ADD_ALL_USERS = ofCampaign(
  answering(
    Type.Object({
      added: Type.Integer(),
      more: Type.Boolean({
        description: 'There was no time for all of them: ask again with `next` as `after`.',
      }),
      next: nullable(Type.Integer()),
    }),
    takingOptional(
      Type.Object(
        { after: optional({ ...RowId, description: 'The `next` of the answer before.' }) },
        { title: 'AddAllUsers' },
      ),
      {
        tag,
        scope: ['campaigns'],
        summary: 'Adds every user who has a device of the application now to a campaign',
        methods: ['post'],
        paths: ['/push/campaign/:id/user/add-all'],
      },
    ),
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
    takingPageOf(
      Type.Object({
        afterUserId: optional({
          ...UserId,
          description:
            'Pages are counted from behind this user: so one deep in a large campaign is as quick as the first.',
        }),
      }),
      {
        tag,
        scope: ['campaigns', 'read'],
        summary: 'Lists the users of a campaign, in the order in which they were added',
        methods: ['get'],
        paths: ['/push/campaign/:id/user/list'],
      },
    ),
  ),
);

export const COUNT_USERS = ofCampaign(
  answering(
    Type.Object({ campaignId: Type.Integer(), users: Type.Integer() }, { title: 'UserCount' }),
    takingNothing({
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'Counts the users of a campaign. How many devices they have is told by a dry run',
      methods: ['get'],
      paths: ['/push/campaign/:id/user/count'],
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
