import { Table } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';

const KEY = ['pauses'];
const REFRESH_MS = 5_000;

/** What is not sent to at present, and why. */
export function Pauses() {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const pauses = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => api.pauses.list({ signal }),
    refetchInterval: REFRESH_MS,
  });
  const resume = async (id: number) => {
    await api.pauses.resume({ id });
    await cache.invalidateQueries({ queryKey: KEY });
  };

  return (
    <QueryView query={pauses}>
      {({ pauseList }) => (
        <ScrollingTable
          caption={say('failures.pauses')}
          empty={say('failures.noPauses')}
          head={[
            say('failures.app'),
            say('failures.platform'),
            say('failures.scope'),
            say('failures.reason'),
            say('failures.since'),
            say('failures.probe'),
            say('failures.act'),
          ]}
        >
          {pauseList.map((pause) => (
            <Table.Tr key={pause.id}>
              <Table.Td>{pause.appId}</Table.Td>
              <Table.Td>
                {say(`platform.${pause.platform}`)} {pause.environment}
              </Table.Td>
              <Table.Td>{pause.scope}</Table.Td>
              <Table.Td>{pause.reason}</Table.Td>
              <Table.Td>
                <Moment at={pause.since} />
              </Table.Td>
              <Table.Td>
                <Moment at={pause.probeAt} />
              </Table.Td>
              <Table.Td>
                {mayChange && (
                  <ConfirmButton
                    label={say('failures.resume')}
                    color="indigo"
                    size="xs"
                    question={say('failures.resumeQuestion')}
                    act={() => resume(pause.id)}
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
