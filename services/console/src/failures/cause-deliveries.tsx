import type { TracedDelivery } from '@heliograph/client';
import { Anchor, Group, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { StateBadge } from '../layout/state-badge.tsx';
import { toSince, type Cause, type Period } from './cause.ts';
import { ReplayButton } from './replay-button.tsx';

const PAGE_SIZE = 50;

interface CauseDeliveriesProps {
  readonly cause: Cause;
  readonly period: Period;
}

/** Who did not get their push for one cause; each leads to its story. */
export function CauseDeliveries({ cause, period }: CauseDeliveriesProps) {
  const say = useText();
  const api = useApi();
  const after = useCursor();
  const deliveries = useQuery({
    queryKey: ['failures', 'deliveries', cause, period, after],
    queryFn: ({ signal }) => {
      const since = toSince(period, Date.now());
      const page = after === undefined ? {} : { after };
      return firstPage(
        api.failures.deliveries({ ...cause, since, size: PAGE_SIZE, ...page }, { signal }),
      );
    },
  });
  const { reason, appId } = cause;
  const names = {
    reason,
    appId,
    platform: say(`platform.${cause.platform}`),
    lane: say(`lane.${cause.lane}`),
  };
  return (
    <Stack>
      <Anchor component={Link} to={`?period=${period}`}>
        {say('deadLetters.back')}
      </Anchor>
      <Group justify="space-between">
        <Group gap="xs">
          <Title order={2} size="h4">
            {say('deadLetters.cause', names)}
          </Title>
          <StateBadge state={cause.state} />
        </Group>
        <ReplayButton
          label={say('replay.one')}
          title={say('replay.oneOf', names)}
          filter={cause}
          period={period}
        />
      </Group>
      <QueryView query={deliveries}>
        {(page) => (
          <>
            <ScrollingTable
              caption={say('deadLetters.cause', names)}
              empty={say(page.next === null ? 'deadLetters.noDeliveries' : 'deadLetters.noneHere')}
              head={[
                say('deliveries.deliveryId'),
                say('deliveries.userId'),
                say('deliveries.deviceId'),
                say('deadLetters.attempts'),
                say('deadLetters.answer'),
                say('audit.when'),
              ]}
            >
              {page.deliveries.map((delivery) => (
                <DeliveryRow key={delivery.deliveryId} delivery={delivery} />
              ))}
            </ScrollingTable>
            <CursorPager next={page.next} />
          </>
        )}
      </QueryView>
    </Stack>
  );
}

function DeliveryRow({ delivery }: { readonly delivery: TracedDelivery }) {
  const { deliveryId, userId, deviceId, attempts, history, finishedAt } = delivery;
  const last = history.at(-1);
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>
        <Anchor component={Link} fz="inherit" to={`/deliveries?deliveryId=${deliveryId}`}>
          {deliveryId}
        </Anchor>
      </Table.Td>
      <Table.Td>{userId ?? '–'}</Table.Td>
      <Table.Td>{deviceId}</Table.Td>
      <Table.Td>{attempts}</Table.Td>
      <Table.Td>
        <Text component="span" fz="inherit">
          {[last?.status, last?.reason ?? delivery.reason].filter(isSaid).join(' ') || '–'}
        </Text>
      </Table.Td>
      <Table.Td>
        <Moment at={finishedAt ?? last?.at} />
      </Table.Td>
    </Table.Tr>
  );
}

function isSaid<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
