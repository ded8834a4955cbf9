import type { Failure } from '@heliograph/client';
import { Anchor, Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useIntl } from 'react-intl';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { StateBadge } from '../layout/state-badge.tsx';
import { toCauseAddress, toSince, type FailureFilter, type Period } from './cause.ts';
import { ReplayButton } from './replay-button.tsx';

interface FailureCausesProps {
  readonly filter: FailureFilter;
  readonly period: Period;
}

/** Why deliveries failed, those of most deliveries first. */
export function FailureCauses({ filter, period }: FailureCausesProps) {
  const say = useText();
  const api = useApi();
  const failures = useQuery({
    queryKey: ['failures', 'list', filter, period],
    queryFn: ({ signal }) =>
      api.failures.list({ ...filter, since: toSince(period, Date.now()) }, { signal }),
  });
  const { appId } = filter;
  return (
    <Stack mt="lg">
      <Group justify="space-between">
        <Text c="dimmed">
          {say('deadLetters.hint')} {appId === undefined && say('deadLetters.chooseApp')}
        </Text>
        {appId !== undefined && (
          <ReplayButton
            label={say('replay.all')}
            title={say('replay.allOf', { appId })}
            filter={{ ...filter, appId }}
            period={period}
          />
        )}
      </Group>
      <QueryView query={failures}>
        {({ failureList }) => (
          <ScrollingTable
            caption={say('deadLetters.title')}
            empty={say('deadLetters.empty')}
            head={[
              say('failures.reason'),
              say('audit.outcome'),
              say('failures.app'),
              say('failures.platform'),
              say('lane.label'),
              say('deadLetters.left'),
              say('deadLetters.replayed'),
              say('deadLetters.last'),
              say('failures.act'),
            ]}
          >
            {failureList.map((failure) => (
              <CauseRow
                key={`${failure.appId} ${failure.platform} ${failure.lane} ${failure.state} ${failure.reason}`}
                failure={failure}
                period={period}
              />
            ))}
          </ScrollingTable>
        )}
      </QueryView>
    </Stack>
  );
}

function CauseRow({ failure, period }: { readonly failure: Failure; readonly period: Period }) {
  const say = useText();
  const intl = useIntl();
  const { appId, platform, lane, state, reason, count, replayed, lastAt } = failure;
  const names = {
    reason,
    appId,
    platform: say(`platform.${platform}`),
    lane: say(`lane.${lane}`),
  };
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor
          component={Link}
          fz="inherit"
          to={`?${toCauseAddress(failure, period).toString()}`}
          aria-label={say('deadLetters.open', names)}
        >
          {reason}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StateBadge state={state} />
      </Table.Td>
      <Table.Td>{appId}</Table.Td>
      <Table.Td>{names.platform}</Table.Td>
      <Table.Td>{names.lane}</Table.Td>
      <Table.Td>{intl.formatNumber(count)}</Table.Td>
      <Table.Td>{intl.formatNumber(replayed)}</Table.Td>
      <Table.Td>
        <Moment at={lastAt} />
      </Table.Td>
      <Table.Td>
        {/* It stays when nothing is left: its dialog tells what was done. */}
        <ReplayButton
          label={say('replay.one')}
          title={say('replay.oneOf', names)}
          filter={{ appId: String(appId), platform, lane, state, reason }}
          period={period}
          disabled={count === 0}
        />
      </Table.Td>
    </Table.Tr>
  );
}
