import type { Campaign } from '@heliograph/client';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { CampaignEditor } from './campaign-editor.tsx';
import { useCampaign } from './use-campaign.ts';

const ID = /^\d{1,15}$/;

/** Makes a campaign, from nothing or from what another one says. */
export function NewCampaignPage() {
  const say = useText();
  const from = useSearchParams()[0].get('from') ?? '';
  return (
    <Page title={say('campaigns.create')}>
      {ID.test(from) ? <OfTemplate campaignId={Number(from)} /> : <CampaignEditor />}
    </Page>
  );
}

function OfTemplate({ campaignId }: { readonly campaignId: number }) {
  const template = useCampaign(campaignId);
  return (
    <QueryView query={template}>
      {(campaign: Campaign) => <CampaignEditor key={campaign.id} template={campaign} />}
    </QueryView>
  );
}
