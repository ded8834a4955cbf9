import type { Pruning } from '@heliograph/client';
import { notifications } from '@mantine/notifications';
import { Table } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useIntl } from 'react-intl';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';

const KEY = ['prunings'];
const HOUR_MS = 3_600_000;

/** Devices that nothing is sent to any more, hour by hour and by reason, and the way back. */
export function Prunings() {
  const say = useText();
  const intl = useIntl();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const prunings = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => api.devices.listPrunings({ by: 'hour' }, { signal }),
  });
  const restore = async ({ appId, platform, reason, since }: Pruning) => {
    const until = new Date(Date.parse(since) + HOUR_MS).toISOString();
    const { devices, more } = await api.devices.restoreAll({
      appId,
      platform,
      reason,
      since,
      until,
    });
    notifications.show({
      color: more ? 'orange' : 'green',
      message: say(more ? 'failures.restoredSome' : 'failures.restored', { count: devices }),
    });
    await cache.invalidateQueries({ queryKey: KEY });
  };

  return (
    <QueryView query={prunings}>
      {({ pruningList }) => (
        <ScrollingTable
          caption={say('failures.prunings')}
          empty={say('failures.noPrunings')}
          head={[
            say('failures.app'),
            say('failures.platform'),
            say('failures.reason'),
            say('failures.hour'),
            say('failures.devices'),
            say('failures.act'),
          ]}
        >
          {pruningList.map((pruning) => (
            <Table.Tr
              key={`${pruning.appId} ${pruning.platform} ${pruning.reason} ${pruning.since}`}
            >
              <Table.Td>{pruning.appId}</Table.Td>
              <Table.Td>{say(`platform.${pruning.platform}`)}</Table.Td>
              <Table.Td>{pruning.reason}</Table.Td>
              <Table.Td>
                {intl.formatDate(pruning.since, { dateStyle: 'medium', timeStyle: 'short' })}
              </Table.Td>
              <Table.Td>{intl.formatNumber(pruning.devices)}</Table.Td>
              <Table.Td>
                {mayChange && (
                  <ConfirmButton
                    label={say('failures.restore')}
                    color="indigo"
                    size="xs"
                    question={say('failures.restoreQuestion', { count: pruning.devices })}
                    act={() => restore(pruning)}
                  />
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </ScrollingTable>
      )}
    </QueryView>
  );
}
