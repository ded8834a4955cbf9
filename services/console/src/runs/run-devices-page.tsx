import type { RunDevice } from '@heliograph/client';
import { Anchor, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearchParams } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { Moment } from '../layout/moment.tsx';
import { NotFoundPage } from '../layout/not-found-page.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { StateBadge } from '../layout/state-badge.tsx';
import { readDeviceFilter } from './device-filter.ts';
import { DeviceFilters } from './device-filters.tsx';
import { DownloadDevices } from './download-devices.tsx';
import type { RunName } from './use-run.ts';

const PAGE_SIZE = 100;

/** The devices of one sending, by what came of them. */
export function RunDevicesPage() {
  const { campaignId, runId } = useParams();
  if (runId === undefined || !/^\d{1,15}$/.test(campaignId ?? '')) return <NotFoundPage />;
  return <RunDevices name={{ campaignId: Number(campaignId), runId }} />;
}

function RunDevices({ name: { campaignId, runId } }: { readonly name: RunName }) {
  const say = useText();
  const api = useApi();
  const [parameters] = useSearchParams();
  const filter = readDeviceFilter(parameters);
  const after = useCursor();
  const devices = useQuery({
    queryKey: ['run', campaignId, runId, 'devices', filter, after],
    queryFn: ({ signal }) => {
      const page = after === undefined ? {} : { after };
      const query = { runId, ...filter, size: PAGE_SIZE, ...page };
      return firstPage(api.runs.devices(campaignId, query, { signal }));
    },
  });
  return (
    <Page
      title={say('runDevices.title', { id: campaignId })}
      actions={<DownloadDevices name={{ campaignId, runId }} filter={filter} />}
    >
      <Anchor component={Link} to={`/campaigns/${campaignId}/runs/${runId}`}>
        {say('runDevices.toRun')}
      </Anchor>
      <DeviceFilters filter={filter} />
      <QueryView query={devices}>
        {(page) => (
          <>
            <ScrollingTable
              caption={say('runDevices.list')}
              empty={say('runDevices.empty')}
              head={[
                say('deliveries.deliveryId'),
                say('deliveries.userId'),
                say('deliveries.deviceId'),
                say('failures.platform'),
                say('audit.outcome'),
                say('failures.reason'),
                say('deadLetters.attempts'),
                say('audit.when'),
              ]}
            >
              {page.devices.map((device) => (
                <DeviceRow key={device.deliveryId} device={device} />
              ))}
            </ScrollingTable>
            <CursorPager next={page.next} />
          </>
        )}
      </QueryView>
    </Page>
  );
}

function DeviceRow({ device }: { readonly device: RunDevice }) {
  const say = useText();
  const { deliveryId, userId, deviceId, platform, state, reason, attempts } = device;
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>
        <Anchor component={Link} fz="inherit" to={`/deliveries?deliveryId=${deliveryId}`}>
          {deliveryId}
        </Anchor>
      </Table.Td>
      <Table.Td>{userId ?? '–'}</Table.Td>
      <Table.Td>{deviceId}</Table.Td>
      <Table.Td>{say(`platform.${platform}`)}</Table.Td>
      <Table.Td>
        <StateBadge state={state} />
      </Table.Td>
      <Table.Td>{reason ?? '–'}</Table.Td>
      <Table.Td>{attempts}</Table.Td>
      <Table.Td>
        <Moment at={device.finishedAt ?? device.nextAttemptAt} />
      </Table.Td>
    </Table.Tr>
  );
}
