import type { RunProgress } from '@heliograph/client';
import { Button, Group, NumberInput, Popover, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { runKey } from './use-run.ts';

/** Pushes per second, over all dispatchers; none means as fast as they go. */
const MAX_RATE = 1_000_000;

export function RateForm({
  run: { campaignId, runId, ratePerSecond },
}: {
  readonly run: RunProgress;
}) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [rate, setRate] = useState<number | string>(ratePerSecond ?? '');
  const setting = useMutation({
    mutationFn: () => {
      const request = typeof rate === 'number' ? { runId, ratePerSecond: rate } : { runId };
      return api.runs.setRate(campaignId, request);
    },
    onSuccess: (progress) => {
      cache.setQueryData(runKey({ campaignId, runId }), progress);
      setOpen(false);
    },
  });

  return (
    <Popover opened={isOpen} onChange={setOpen} trapFocus withArrow>
      <Popover.Target>
        <Button variant="default" onClick={() => setOpen(!isOpen)}>
          {say('run.setRate')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setting.mutate();
          }}
        >
          <Stack>
            <NumberInput
              label={say('run.newRate')}
              description={say('run.newRateHint')}
              min={0.01}
              max={MAX_RATE}
              value={rate}
              onChange={setRate}
            />
            {setting.isError && <Failure error={setting.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={setting.isPending}>
                {say('run.setRate')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
