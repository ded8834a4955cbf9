import type { Campaign } from '@heliograph/client';
import { Stack, Text } from '@mantine/core';

import { useText } from '../i18n/text.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { useMay } from '../session/session-gate.tsx';
import { DryRun } from './dry-run.tsx';
import { LiveSend } from './live-send.tsx';
import { TestSend } from './test-send.tsx';
import { findDryRun, useRuns } from './use-campaign.ts';

/** From counting over trying out to sending. */
export function SendCampaign({ campaign }: { readonly campaign: Campaign }) {
  const say = useText();
  const maySend = useMay('campaigns:send');
  const found = useRuns(campaign.id);
  return (
    <QueryView query={found}>
      {({ runs }) => {
        const dryRun = findDryRun(runs);
        const wasSent = campaign.sent || runs.some((run) => !run.dryRun);
        return (
          <Stack gap="lg">
            {!maySend && <Text c="dimmed">{say('send.mayNot')}</Text>}
            <DryRun campaignId={campaign.id} dryRun={dryRun} maySend={maySend} />
            {maySend && <TestSend campaignId={campaign.id} />}
            {maySend && <LiveSend campaign={campaign} dryRun={dryRun} wasSent={wasSent} />}
          </Stack>
        );
      }}
    </QueryView>
  );
}
