import type { IdempotentRequest } from '../messages/accept-once.ts';
import type { SendAnswer } from '../messages/send-messages.ts';
import type { RequestOrigin } from '../origin.ts';
import type { CampaignDeps } from './campaign-deps.ts';
import { getCampaign } from './get-campaign.ts';

export interface TestSend {
  readonly campaignId: number;
  /** Anybody; need not be in the campaign. */
  readonly userId: string;
  readonly idempotency?: IdempotentRequest;
  readonly origin: RequestOrigin;
}

/**
 * Sends what the campaign says to one user as a message of its own, and waits for the outcomes like a synchronous send. The campaign
 * does not notice. Refuses a campaign that does not exist, and an app without credentials.
 */
export async function sendTest(
  deps: Pick<CampaignDeps, 'db' | 'messages'>,
  { campaignId, userId, ...once }: TestSend,
): Promise<SendAnswer> {
  const { appId, message } = await getCampaign(deps, campaignId);
  const { validUntil, ...body } = message;
  const until = validUntil === undefined ? {} : { validUntil: new Date(validUntil) };
  return deps.messages.send({
    appId,
    messages: [{ userId, silent: false, personal: false, priority: 'HIGH', body, ...until }],
    mode: 'SYNCHRONOUS',
    ...once,
  });
}
