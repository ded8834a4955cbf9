import { Anchor, Stack, Table } from '@mantine/core';
import { useIntl } from 'react-intl';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { NumberPager, usePageNumber } from '../layout/number-pager.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { RunStateBadge } from '../runs/run-state-badge.tsx';
import { RUNS_PER_PAGE, useRuns } from './use-campaign.ts';

const COUNTS = ['targeted', 'sent', 'failed', 'pending'] as const;

/** Its sendings and dry runs, the latest first. */
export function CampaignRuns({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const intl = useIntl();
  const found = useRuns(campaignId, usePageNumber());
  return (
    <QueryView query={found}>
      {({ runs }) => (
        <Stack>
          <ScrollingTable
            caption={say('campaign.runs')}
            empty={say('runs.empty')}
            head={[
              say('runs.made'),
              say('campaigns.state'),
              say('runs.targeted'),
              say('state.sent'),
              say('state.failed'),
              say('state.pending'),
            ]}
          >
            {runs.map((run) => (
              <Table.Tr key={run.runId}>
                <Table.Td>
                  <Anchor
                    component={Link}
                    fz="inherit"
                    to={`/campaigns/${campaignId}/runs/${run.runId}`}
                  >
                    {intl.formatDate(run.timestampCreated, {
                      dateStyle: 'medium',
                      timeStyle: 'medium',
                    })}
                  </Anchor>
                </Table.Td>
                <Table.Td>
                  <RunStateBadge run={run} />
                </Table.Td>
                {COUNTS.map((count) => (
                  <Table.Td key={count}>
                    {/* What a dry run found is not waiting for anything. */}
                    {run.dryRun && count !== 'targeted'
                      ? '–'
                      : intl.formatNumber(run.counts.total[count])}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </ScrollingTable>
          <NumberPager hasNext={runs.length === RUNS_PER_PAGE} />
        </Stack>
      )}
    </QueryView>
  );
}
