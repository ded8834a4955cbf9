import type { Campaign } from '@heliograph/client';

import { useText } from '../i18n/text.tsx';

/** What a campaign is called: as its message, or by its number where that has no title. */
export function useCampaignTitle(): (campaign: Pick<Campaign, 'id' | 'message'>) => string {
  const say = useText();
  return ({ id, message }) =>
    message.title ?? message.titleLocKey ?? say('campaigns.untitled', { id });
}
