import {
  createMessageId,
  PROVIDERS,
  Refusal,
  toExpiresAt,
  type MessageBody,
} from '@heliograph/core';
import { findSendingApp, insertCampaign, type SendingApp, type SendingRoute } from '@heliograph/db';

import { refuseOversized } from '../messages/refuse-oversized.ts';
import type { CampaignDeps } from './campaign-deps.ts';

/** A campaign as a caller asks for it. */
export interface NewCampaign {
  readonly appId: string;
  readonly body: MessageBody;
  /** Not sent at or after this instant. */
  readonly validUntil?: Date;
}

/** Answers the new campaign's id. Refuses an unknown app, and a payload over a platform's limit. */
export async function createCampaign(
  { db, fcm, now }: Pick<CampaignDeps, 'db' | 'fcm' | 'now'>,
  { appId, body, validUntil }: NewCampaign,
): Promise<number> {
  const app = await findSendingApp(db, appId);
  if (app === undefined) throw new Refusal('invalid_request', 'There is no such application.');
  const createdAt = now();
  refuseOversized(
    {
      id: createMessageId(createdAt.getTime()),
      body,
      silent: false,
      priority: 'HIGH',
      expiresAt: toExpiresAt(validUntil, false, createdAt),
    },
    toRoutes(app),
    fcm,
  );
  const until = validUntil === undefined ? {} : { validUntil: validUntil.toISOString() };
  return insertCampaign(db, { appRef: app.appRef, message: { ...body, ...until } });
}

/** Where nothing is configured yet, the campaign must fit whatever comes. */
export function toRoutes({ routes }: SendingApp): readonly SendingRoute[] {
  if (routes.length > 0) return routes;
  return PROVIDERS.map((provider) => ({ provider, route: 'direct' }));
}
