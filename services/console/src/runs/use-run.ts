import type { RunProgress } from '@heliograph/client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { useApi } from '../api/api-provider.tsx';

export interface RunName {
  readonly campaignId: number;
  readonly runId: string;
}

export function runKey({ campaignId, runId }: RunName) {
  return ['run', campaignId, runId] as const;
}

/** How far a run is, live: asked for once, then told by the api as it changes, about once a second, until the run is over. */
export function useRun(name: RunName) {
  const { campaignId, runId } = name;
  const api = useApi();
  const cache = useQueryClient();
  const [streamError, setStreamError] = useState<Error>();
  const found = useQuery({
    queryKey: runKey(name),
    queryFn: ({ signal }) => api.runs.get(campaignId, { runId }, { signal }),
  });
  const isLive = found.isSuccess && found.data.timestampFinished === null;

  useEffect(() => {
    if (!isLive) return;
    const leave = new AbortController();
    const follow = async () => {
      for await (const progress of api.runs.events(campaignId, { runId }, { signal: leave.signal }))
        cache.setQueryData<RunProgress>(runKey({ campaignId, runId }), progress);
    };
    follow().then(
      () => setStreamError(undefined),
      (error: unknown) => {
        if (!leave.signal.aborted)
          setStreamError(error instanceof Error ? error : new Error(String(error)));
      },
    );
    return () => leave.abort();
  }, [api, cache, campaignId, runId, isLive]);

  return { found, isLive, streamError };
}
