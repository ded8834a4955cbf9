import { Button, Group, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { saveFile } from '../layout/save-file.ts';
import type { DeviceFilter } from './device-filter.ts';
import { writeDevicesCsv } from './devices-csv.ts';
import type { RunName } from './use-run.ts';

const PAGE_SIZE = 1_000;

interface DownloadDevicesProps {
  readonly name: RunName;
  readonly filter: DeviceFilter;
}

/** All devices that the list leads to, as a file: page by page, until it is done or somebody cancels it. */
export function DownloadDevices({ name, filter }: DownloadDevicesProps) {
  const say = useText();
  const { download, fetched, cancel } = useDownload({ name, filter });
  return (
    <Group gap="sm">
      <Text role="status" size="sm" c={download.isError ? 'red' : 'dimmed'}>
        {download.isPending && say('runDevices.downloading', { count: fetched })}
        {download.isSuccess &&
          download.data !== undefined &&
          say('runDevices.downloaded', { count: download.data })}
        {download.isError && describeFailure(download.error, say)}
      </Text>
      {download.isPending ? (
        <Button variant="default" onClick={cancel}>
          {say('runDevices.cancel')}
        </Button>
      ) : (
        <Button
          variant="default"
          leftSection={<IconDownload aria-hidden size={16} />}
          onClick={() => download.mutate(new AbortController())}
        >
          {say('runDevices.download')}
        </Button>
      )}
    </Group>
  );
}

function useDownload({ name: { campaignId, runId }, filter }: DownloadDevicesProps) {
  const api = useApi();
  const [fetched, setFetched] = useState(0);
  const download = useMutation({
    mutationFn: async ({ signal }: AbortController) => {
      setFetched(0);
      const list = api.runs.devices(campaignId, { runId, ...filter, size: PAGE_SIZE }, { signal });
      try {
        const { file, devices } = await writeDevicesCsv(list.pages(), setFetched);
        saveFile(`campaign-${campaignId}-devices.csv`, file);
        return devices;
      } catch (error) {
        // That somebody cancelled it needs no telling.
        if (signal.aborted) return undefined;
        throw error;
      }
    },
  });
  return { download, fetched, cancel: () => download.variables?.abort() };
}
