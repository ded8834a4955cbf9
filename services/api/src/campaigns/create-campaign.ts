import {
  createMessageId,
  PROVIDERS,
  toExpiresAt,
  type MessageBody,
  type Provider,
} from '@heliograph/core';
import { insertCampaign, type App } from '@heliograph/db';

import { getApp } from '../apps/get-app.ts';
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
  const app = await getApp(db, { appId });
  const createdAt = now();
  refuseOversized(
    {
      id: createMessageId(createdAt.getTime()),
      body,
      silent: false,
      priority: 'HIGH',
      expiresAt: toExpiresAt(validUntil, false, createdAt),
    },
    toProviders(app),
    fcm,
  );
  const until = validUntil === undefined ? {} : { validUntil: validUntil.toISOString() };
  return insertCampaign(db, { appRef: app.id, message: { ...body, ...until } });
}

/** Where nothing is configured yet, the campaign must fit whatever comes. */
function toProviders(app: App): readonly Provider[] {
  const configured = PROVIDERS.filter((provider) => app[provider]);
  return configured.length > 0 ? configured : PROVIDERS;
}
