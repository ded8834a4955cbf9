import type { CallOptions, Campaign } from '@heliograph/client';
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { LeaveGuard } from '../layout/leave-guard.tsx';
import { campaignKey, useAudienceChange } from './use-campaign.ts';

/** The api answers after about 15 s what it got done by then. */
const PATIENT: CallOptions = { attemptTimeoutMs: 60_000, deadlineMs: 180_000 };

/** Adds whoever has a device of the app, in as many steps as that takes. */
export function AddAllUsers({ campaign: { id, appId } }: { readonly campaign: Campaign }) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const { setChanged } = useAudienceChange(id);
  const [added, setAdded] = useState(0);
  const leave = useRef<AbortController>(undefined);
  useEffect(() => () => leave.current?.abort(), []);
  const adding = useMutation({
    mutationFn: async () => {
      const { signal } = (leave.current = new AbortController());
      setAdded(0);
      for (let after: number | undefined; ;) {
        const answer = await api.campaigns.addAllUsers(id, { after }, { ...PATIENT, signal });
        setAdded((before) => before + answer.added);
        if (!answer.more || answer.next === null) return;
        after = answer.next;
      }
    },
    onSettled: () => {
      setChanged(true);
      return cache.invalidateQueries({ queryKey: campaignKey(id) });
    },
  });
  return (
    <Stack>
      <Text>{say('audience.addAllHint', { app: appId })}</Text>
      <Group>
        <Button onClick={() => adding.mutate()} loading={adding.isPending}>
          {say('audience.addAll')}
        </Button>
        {adding.isPending && (
          <>
            <LeaveGuard question={say('audience.leaveQuestion')} />
            <Text role="status">{say('audience.addingAll', { count: added })}</Text>
            <Button variant="default" onClick={() => leave.current?.abort()}>
              {say('audience.cancel')}
            </Button>
          </>
        )}
      </Group>
      {adding.isError && leave.current?.signal.aborted !== true && <Failure error={adding.error} />}
      {adding.isSuccess && (
        <Alert color="indigo" role="status">
          {say('audience.addedAll', { count: added })}
        </Alert>
      )}
    </Stack>
  );
}
