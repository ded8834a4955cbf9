import type { ListedCampaign } from '@heliograph/client';
import { Anchor, Button, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { Link, useSearchParams } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { Moment } from '../layout/moment.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { RunStateBadge } from '../runs/run-state-badge.tsx';
import { useMay } from '../session/session-gate.tsx';
import { CampaignFilter } from './campaign-filter.tsx';
import { useCampaignTitle } from './campaign-title.ts';
import { RunBar } from './run-bar.tsx';
import { CAMPAIGNS_KEY, isGoing } from './use-campaign.ts';

const PAGE_SIZE = 50;
const REFRESH_MS = 5_000;

/** Every campaign, or those of one app, the newest first, with what came of its latest sending. */
export function CampaignsPage() {
  const say = useText();
  const api = useApi();
  const mayCreate = useMay('campaigns');
  const after = useCursor();
  const appId = useSearchParams()[0].get('appId') ?? undefined;
  const campaigns = useQuery({
    queryKey: [...CAMPAIGNS_KEY, appId ?? '', after ?? ''],
    queryFn: ({ signal }) =>
      api.campaigns.list(
        {
          all: true,
          appId,
          order: 'latest',
          size: PAGE_SIZE,
          includeRun: true,
          after: after === undefined ? undefined : Number(after),
        },
        { signal },
      ),
    refetchInterval: ({ state }) => (state.data?.some(isUnderWay) === true ? REFRESH_MS : false),
  });
  return (
    <Page
      title={say('nav.campaigns')}
      actions={
        mayCreate && (
          <Button
            component={Link}
            to="/campaigns/new"
            leftSection={<IconPlus aria-hidden size={16} />}
          >
            {say('campaigns.create')}
          </Button>
        )
      }
    >
      <CampaignFilter />
      <QueryView query={campaigns}>
        {(list) => (
          <Stack>
            <ScrollingTable
              caption={say('nav.campaigns')}
              empty={say('campaigns.empty')}
              head={[
                say('campaigns.campaign'),
                say('campaigns.app'),
                say('campaigns.created'),
                say('campaigns.state'),
                say('campaigns.progress'),
              ]}
            >
              {list.map((campaign) => (
                <CampaignRow key={campaign.id} campaign={campaign} />
              ))}
            </ScrollingTable>
            <CursorPager next={list.length < PAGE_SIZE ? null : list.at(-1)?.id} />
          </Stack>
        )}
      </QueryView>
    </Page>
  );
}

function CampaignRow({ campaign }: { readonly campaign: ListedCampaign }) {
  const say = useText();
  const titleOf = useCampaignTitle();
  const { id, appId, timestampCreated, latestRun } = campaign;
  return (
    <Table.Tr>
      <Table.Td maw={320}>
        <Anchor component={Link} display="block" fz="inherit" to={`/campaigns/${id}`}>
          {titleOf(campaign)}
        </Anchor>
        <Text size="xs" c="dimmed" lineClamp={1}>
          {campaign.message.body}
        </Text>
      </Table.Td>
      <Table.Td>{appId}</Table.Td>
      <Table.Td>
        <Moment at={timestampCreated} />
      </Table.Td>
      <Table.Td>
        {latestRun ? <RunStateBadge run={latestRun} /> : say('campaigns.notSent')}
      </Table.Td>
      <Table.Td>{latestRun && <RunBar run={latestRun} />}</Table.Td>
    </Table.Tr>
  );
}

function isUnderWay({ latestRun }: ListedCampaign): boolean {
  return latestRun !== null && latestRun !== undefined && isGoing(latestRun);
}
