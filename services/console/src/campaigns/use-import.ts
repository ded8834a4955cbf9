import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { campaignKey, useAudienceChange } from './use-campaign.ts';
import { NOTHING, type Tally } from './users-of.ts';

export interface Import {
  readonly tally: Tally;
  readonly isRunning: boolean;
  readonly isDone: boolean;
  readonly isCancelled: boolean;
  readonly error: Error | null;
  /** Adds the users as they come. */
  readonly start: (toUsers: (report: (tally: Tally) => void) => AsyncIterable<string>) => void;
  readonly cancel: () => void;
  readonly reset: () => void;
}

/** Adding users to a campaign. It ends with the page and can be done again: nobody is added twice. */
export function useImport(campaignId: number): Import {
  const api = useApi();
  const cache = useQueryClient();
  const { setChanged } = useAudienceChange(campaignId);
  const [tally, setTally] = useState(NOTHING);
  const [isCancelled, setCancelled] = useState(false);
  const leave = useRef<AbortController>(undefined);
  useEffect(() => () => leave.current?.abort(), []);

  const adding = useMutation({
    mutationFn: async (toUsers: Parameters<Import['start']>[0]) => {
      const { signal } = (leave.current = new AbortController());
      const report = (next: Tally) => {
        signal.throwIfAborted();
        setTally(next);
      };
      await api.campaigns.addUsers(campaignId, toUsers(report), { signal });
    },
    onSettled: () => {
      setChanged(true);
      return cache.invalidateQueries({ queryKey: campaignKey(campaignId) });
    },
  });

  const reset = () => {
    setTally(NOTHING);
    setCancelled(false);
    adding.reset();
  };
  return {
    tally,
    isRunning: adding.isPending,
    isDone: adding.isSuccess,
    isCancelled: isCancelled && adding.isError,
    error: isCancelled ? null : adding.error,
    start: (toUsers) => {
      reset();
      adding.mutate(toUsers);
    },
    cancel: () => {
      setCancelled(true);
      leave.current?.abort();
    },
    reset,
  };
}
