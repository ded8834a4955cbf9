import type { Campaign } from '@heliograph/client';
import { useParams } from 'react-router';

import { NotFoundPage } from '../layout/not-found-page.tsx';
import { Page } from '../layout/page.tsx';
import { PageTabs } from '../layout/page-tabs.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { useText } from '../i18n/text.tsx';
import { Audience } from './audience.tsx';
import { useCampaignTitle } from './campaign-title.ts';
import { CampaignMessage } from './campaign-message.tsx';
import { CampaignRuns } from './campaign-runs.tsx';
import { SendCampaign } from './send-campaign.tsx';
import { useCampaign } from './use-campaign.ts';

/** One campaign: what it says, to whom, and its sendings. */
export function CampaignPage() {
  const { campaignId = '' } = useParams();
  if (!/^\d{1,15}$/.test(campaignId)) return <NotFoundPage />;
  return <Found key={campaignId} campaignId={Number(campaignId)} />;
}

function Found({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const campaign = useCampaign(campaignId);
  if (campaign.isSuccess) return <Parts campaign={campaign.data} />;
  return (
    <Page title={say('campaigns.untitled', { id: campaignId })}>
      <QueryView query={campaign}>{() => null}</QueryView>
    </Page>
  );
}

function Parts({ campaign }: { readonly campaign: Campaign }) {
  const say = useText();
  const titleOf = useCampaignTitle();
  return (
    <Page title={titleOf(campaign)}>
      <PageTabs
        tabs={[
          {
            value: 'message',
            title: say('campaign.message'),
            content: <CampaignMessage campaign={campaign} />,
          },
          {
            value: 'audience',
            title: say('campaign.audience'),
            content: <Audience campaign={campaign} />,
          },
          {
            value: 'send',
            title: say('campaign.send'),
            content: <SendCampaign campaign={campaign} />,
          },
          {
            value: 'runs',
            title: say('campaign.runs'),
            content: <CampaignRuns campaignId={campaign.id} />,
          },
        ]}
      />
    </Page>
  );
}
