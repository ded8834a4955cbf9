import type { Campaign } from '@heliograph/client';
import { Text } from '@mantine/core';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { useMay } from '../session/session-gate.tsx';
import { CampaignEditor } from './campaign-editor.tsx';
import { useCampaign } from './use-campaign.ts';

const ID = /^\d{1,15}$/;

/** Makes a campaign, from nothing or from what another one says. */
export function NewCampaignPage() {
  const say = useText();
  const mayCreate = useMay('campaigns');
  const from = useSearchParams()[0].get('from') ?? '';
  if (!mayCreate)
    return (
      <Page title={say('campaigns.create')}>
        <Text c="dimmed">{say('error.forbidden')}</Text>
      </Page>
    );
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
