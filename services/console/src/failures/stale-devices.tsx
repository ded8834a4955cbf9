import type { HeldStaleDevices } from '@heliograph/client';
import { notifications } from '@mantine/notifications';
import { Stack, Table, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useIntl } from 'react-intl';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';

const KEY = ['stale-devices'];

/** Devices that have not registered for long, in such numbers that rather registrations do not arrive: nothing happens to them until somebody decides. */
export function StaleDevices() {
  const say = useText();
  const intl = useIntl();
  const api = useApi();
  const cache = useQueryClient();
  const mayApprove = useMay('admin');
  const held = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => api.devices.listStale({ signal }),
  });
  const approve = async ({ appId, platform }: HeldStaleDevices) => {
    const { devices } = await api.devices.approveStale({ appId, provider: platform });
    notifications.show({
      color: 'green',
      message: say('failures.staleApproved', { count: devices }),
    });
    await cache.invalidateQueries({ queryKey: KEY });
  };

  return (
    <QueryView query={held}>
      {({ heldList }) => (
        <Stack>
          <Text c="dimmed">{say('failures.staleHint')}</Text>
          <ScrollingTable
            caption={say('failures.stale')}
            empty={say('failures.noStale')}
            head={[
              say('failures.app'),
              say('failures.platform'),
              say('failures.reason'),
              say('failures.devices'),
              say('failures.since'),
              say('failures.act'),
            ]}
          >
            {heldList.map((one) => (
              <Table.Tr key={`${one.appId} ${one.platform}`}>
                <Table.Td>{one.appId}</Table.Td>
                <Table.Td>{say(`platform.${one.platform}`)}</Table.Td>
                <Table.Td>{say(`staleReason.${one.reason}`)}</Table.Td>
                <Table.Td>
                  {say('failures.staleOf', {
                    stale: intl.formatNumber(one.stale),
                    devices: intl.formatNumber(one.devices),
                  })}
                </Table.Td>
                <Table.Td>
                  <Moment at={one.since} />
                </Table.Td>
                <Table.Td>
                  {mayApprove && (
                    <ConfirmButton
                      label={say('failures.apply')}
                      color="red"
                      size="xs"
                      typed={String(one.stale)}
                      typedLabel={say('failures.applyTyped', { count: one.stale })}
                      question={say('failures.applyQuestion', { count: one.stale })}
                      act={() => approve(one)}
                    />
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </ScrollingTable>
        </Stack>
      )}
    </QueryView>
  );
}
