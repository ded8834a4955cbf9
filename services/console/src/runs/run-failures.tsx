import type { RunProgress } from '@heliograph/client';
import { Anchor, Stack, Table, Title } from '@mantine/core';
import { useIntl } from 'react-intl';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { StateBadge } from '../layout/state-badge.tsx';

/** What did not get through, by reason; each leads to its devices. */
export function RunFailures({ run }: { readonly run: RunProgress }) {
  const say = useText();
  const intl = useIntl();
  return (
    <Stack component="section" gap="sm">
      <Title order={2} size="h4">
        {say('run.failures')}
      </Title>
      <ScrollingTable
        caption={say('run.failures')}
        empty={say('run.noFailures')}
        head={[
          say('failures.reason'),
          say('audit.outcome'),
          say('failures.platform'),
          say('failures.devices'),
        ]}
      >
        {run.failures.map(({ platform, state, reason, count }) => (
          <Table.Tr key={`${platform} ${state} ${reason ?? ''}`}>
            <Table.Td>
              <Anchor component={Link} to={toDevices({ platform, state, reason: reason ?? '' })}>
                {reason ?? say(`state.${state}`)}
              </Anchor>
            </Table.Td>
            <Table.Td>
              <StateBadge state={state} />
            </Table.Td>
            <Table.Td>{say(`platform.${platform}`)}</Table.Td>
            <Table.Td>{intl.formatNumber(count)}</Table.Td>
          </Table.Tr>
        ))}
      </ScrollingTable>
    </Stack>
  );
}

function toDevices(filter: {
  readonly platform: string;
  readonly state: string;
  readonly reason: string;
}): string {
  const given = Object.entries(filter).filter(([, value]) => value !== '');
  return `devices?${new URLSearchParams(given).toString()}`;
}
