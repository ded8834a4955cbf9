import type { Campaign } from '@heliograph/client';
import { Anchor, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { useMay } from '../session/session-gate.tsx';
import { AddUsers } from './add-users.tsx';
import { findDryRun, useRuns } from './use-campaign.ts';
import { UserList } from './user-list.tsx';

/** Whom a campaign is for. */
export function Audience({ campaign }: { readonly campaign: Campaign }) {
  const mayAdd = useMay('campaigns');
  const mayList = useMay('campaigns', 'read');
  return (
    <Stack gap="lg">
      <Size campaignId={campaign.id} />
      {mayAdd && <AddUsers campaign={campaign} />}
      {mayList && <UserList campaignId={campaign.id} />}
    </Stack>
  );
}

/** How many they are is known since the latest dry run. */
function Size({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const found = useRuns(campaignId);
  return (
    <QueryView query={found}>
      {({ runs }) => {
        const dryRun = findDryRun(runs);
        const isCounted = dryRun !== undefined && dryRun.timestampFinished !== null;
        return (
          <Text component="div">
            {isCounted ? (
              <>
                {say('audience.counted', {
                  users: dryRun.users.total,
                  devices: dryRun.counts.total.targeted,
                })}
                {', '}
                <Moment at={dryRun.timestampFinished} />
              </>
            ) : (
              say('audience.notCounted')
            )}{' '}
            <Anchor component={Link} to="?tab=send" underline="always">
              {say('audience.toDryRun')}
            </Anchor>
          </Text>
        );
      }}
    </QueryView>
  );
}
