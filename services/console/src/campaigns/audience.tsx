import type { Campaign } from '@heliograph/client';
import { Anchor, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { useMay } from '../session/session-gate.tsx';
import { AddUsers } from './add-users.tsx';
import { campaignKey, findDryRun, useRuns } from './use-campaign.ts';
import { UserList } from './user-list.tsx';

/** Whom a campaign is for. */
export function Audience({ campaign }: { readonly campaign: Campaign }) {
  const mayAdd = useMay('campaigns');
  const mayList = useMay('campaigns', 'read');
  return (
    <Stack gap="lg">
      <Users campaignId={campaign.id} />
      <Devices campaignId={campaign.id} />
      {mayAdd && <AddUsers campaign={campaign} />}
      {mayList && <UserList campaignId={campaign.id} />}
    </Stack>
  );
}

/** How many they are. */
function Users({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const api = useApi();
  const found = useQuery({
    queryKey: [...campaignKey(campaignId), 'user-count'],
    queryFn: ({ signal }) => api.campaigns.countUsers(campaignId, { signal }),
  });
  return (
    <QueryView query={found}>
      {({ users }) => <Text fw={600}>{say('audience.size', { users })}</Text>}
    </QueryView>
  );
}

/** How many devices they have is known since the latest dry run. */
function Devices({ campaignId }: { readonly campaignId: number }) {
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
