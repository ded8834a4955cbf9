import { countCampaignUsers, type Campaign, type CampaignMessage } from '@heliograph/db';

import { addAllUsers } from '../../campaigns/add-all-users.ts';
import { addUsers } from '../../campaigns/add-users.ts';
import type { CampaignDeps } from '../../campaigns/campaign-deps.ts';
import { createCampaign } from '../../campaigns/create-campaign.ts';
import { deleteCampaign } from '../../campaigns/delete-campaign.ts';
import { getCampaign } from '../../campaigns/get-campaign.ts';
import { listCampaigns } from '../../campaigns/list-campaigns.ts';
import { listUsers } from '../../campaigns/list-users.ts';
import { previewMessage } from '../../campaigns/preview-message.ts';
import { removeUsers } from '../../campaigns/remove-users.ts';
import { sendTest } from '../../campaigns/send-test.ts';
import { ofApp, ofAppIfNamed, ofCampaign } from '../../access/subject.ts';
import { getAppRef } from '../../devices/device-deps.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import { originOf } from '../../http/request-span.ts';
import {
  ADD_ALL_USERS,
  ADD_USERS,
  COUNT_USERS,
  CREATE_CAMPAIGN,
  DELETE_CAMPAIGN,
  GET_CAMPAIGN,
  LIST_CAMPAIGNS,
  LIST_USERS,
  PREVIEW_CAMPAIGN,
  REMOVE_USERS,
  SEND_TEST,
  type CampaignAnswer,
} from './campaign-endpoints.ts';
import { toWireAppId } from './fields.ts';
import { findIdempotency } from './message-routes.ts';
import type { Paging } from './paging.ts';
import { toProgress } from './run-routes.ts';

export function campaignRoutes(deps: CampaignDeps): readonly Route[] {
  return [
    route(CREATE_CAMPAIGN, ofApp(), async ({ appId, message }) => {
      const { validUntil, ...body } = message;
      const instant = validUntil === undefined ? undefined : parseInstant(validUntil);
      const until = instant === undefined ? {} : { validUntil: instant };
      return { id: await createCampaign(deps, { appId, body, ...until }) };
    }),

    route(
      DELETE_CAMPAIGN,
      ofCampaign(() => ({ deleted: false })),
      async ({ id }) => ({ deleted: await deleteCampaign(deps, id) }),
    ),

    route(GET_CAMPAIGN, ofCampaign(), async ({ id }) => toCampaign(await getCampaign(deps, id))),

    route(LIST_CAMPAIGNS, ofAppIfNamed(), async ({ appId, all = false, ...page }, { caller }) => {
      const appRef = appId === undefined ? caller.app?.ref : await getAppRef(deps.db, appId);
      const found = await listCampaigns(deps, { ...page, all, appRef });
      return found.map(({ latestRun, ...campaign }) => ({
        ...toCampaign(campaign),
        ...(latestRun === undefined ? {} : { latestRun: latestRun && toProgress(latestRun) }),
      }));
    }),

    route(PREVIEW_CAMPAIGN, ofApp(), async ({ appId, message: { validUntil, ...body } }) => {
      const until = validUntil === undefined ? undefined : parseInstant(validUntil);
      const previews = await previewMessage(deps, { appId, body, validUntil: until });
      return {
        previews: previews.map(({ provider, route: way, bytes, limit, violation, payload }) => ({
          platform: provider === 'apns' ? ('ios' as const) : ('android' as const),
          route: way,
          bytes,
          limit,
          violation,
          payload,
        })),
      };
    }),

    route(ADD_ALL_USERS, ofCampaign(), ({ id, input }) => addAllUsers(deps, id, input.after ?? 0)),

    route(ADD_USERS, ofCampaign(), ({ id, input }) => addUsers(deps, id, input)),

    route(COUNT_USERS, ofCampaign(), async ({ id }) => {
      await getCampaign(deps, id);
      return { campaignId: id, users: await countCampaignUsers(deps.db, id) };
    }),

    route(LIST_USERS, ofCampaign(toNoUsers), async ({ id, input }) => {
      const users = await listUsers(deps, id, input);
      const { page, size } = input;
      return { page, size, content: { campaignId: id, users: [...users] } };
    }),

    route(
      REMOVE_USERS,
      ofCampaign(() => undefined),
      ({ id, input }) => removeUsers(deps, id, input),
    ),

    route(SEND_TEST, ofCampaign(), async ({ id, input }, { req, res, caller }) => {
      const idempotency = findIdempotency(req, caller, `/push/campaign/send/test/${id}`);
      const test = { campaignId: id, ...input, origin: originOf(res), ...idempotency };
      const answer = await sendTest(deps, test);
      if (answer.replayed) res.setHeader('Idempotency-Replayed', 'true');
    }),
  ];
}

/** The page of a campaign that there is not, which has no users. */
function toNoUsers({ id, input }: { readonly id: number; readonly input: Paging }) {
  return { ...input, content: { campaignId: id, users: [] } };
}

function toCampaign(campaign: Campaign): CampaignAnswer {
  const { id, appId, sent, message, createdAt, sentAt, completedAt } = campaign;
  return {
    id,
    appId: toWireAppId(appId),
    sent,
    message: toWireMessage(message),
    timestampCreated: toWireDate(createdAt),
    timestampSent: sentAt === null ? null : toWireDate(sentAt),
    timestampCompleted: completedAt === null ? null : toWireDate(completedAt),
  };
}

/** Unlike dates, `validUntil` ends in `Z`, and its milliseconds are there only where there are some. */
function toWireMessage({ validUntil, ...body }: CampaignMessage): CampaignMessage {
  if (validUntil === undefined) return body;
  return { ...body, validUntil: validUntil.replace('.000Z', 'Z') };
}
