import { createMessageId, Refusal, toExpiresAt, type MessageBody } from '@heliograph/core';
import { findSendingApp } from '@heliograph/db';
import { previewPayload, type PayloadPreview } from '@heliograph/providers/payload';

import type { CampaignDeps } from './campaign-deps.ts';
import { toRoutes } from './create-campaign.ts';

/** What would go out over each way of the app, and whether it would be refused: by the code that refuses it when it is sent. */
export async function previewMessage(
  { db, fcm, now }: Pick<CampaignDeps, 'db' | 'fcm' | 'now'>,
  {
    appId,
    body,
    validUntil,
  }: {
    readonly appId: string;
    readonly body: MessageBody;
    readonly validUntil: Date | undefined;
  },
): Promise<readonly PayloadPreview[]> {
  const app = await findSendingApp(db, appId);
  if (app === undefined) throw new Refusal('invalid_request', 'There is no such application.');
  const at = now();
  const message = {
    id: createMessageId(at.getTime()),
    body,
    silent: false,
    priority: 'HIGH' as const,
    expiresAt: toExpiresAt(validUntil, false, at),
  };
  return toRoutes(app).map((route) => previewPayload(message, route, at, fcm));
}
