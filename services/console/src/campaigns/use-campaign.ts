import type { RunProgress } from '@heliograph/client';
import { useQuery, useQueryClient } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';

export const CAMPAIGNS_KEY = ['campaigns'];
export const RUNS_PER_PAGE = 20;
const REFRESH_MS = 1_000;

export function campaignKey(campaignId: number) {
  return ['campaign', campaignId] as const;
}

export function runsKey(campaignId: number) {
  return [...campaignKey(campaignId), 'runs'] as const;
}

export function useCampaign(campaignId: number) {
  const api = useApi();
  return useQuery({
    queryKey: [...campaignKey(campaignId), 'detail'],
    queryFn: ({ signal }) => api.campaigns.get(campaignId, { signal }),
  });
}

/** A page of its runs, dry ones too, the latest first; asked for again while one of them goes on. */
export function useRuns(campaignId: number, page = 0) {
  const api = useApi();
  return useQuery({
    queryKey: [...runsKey(campaignId), page],
    queryFn: ({ signal }) =>
      firstPage(api.runs.list(campaignId, { page, size: RUNS_PER_PAGE }, { signal })),
    refetchInterval: ({ state }) => (state.data?.runs.some(isGoing) === true ? REFRESH_MS : false),
  });
}

function changedKey(campaignId: number) {
  return ['audience-changed', campaignId] as const;
}

/** Whether users were added here since the latest dry run that was made here: what that counted is not what would be sent. */
export function useAudienceChange(campaignId: number) {
  const cache = useQueryClient();
  const key = changedKey(campaignId);
  const { data: isChanged } = useQuery({
    queryKey: key,
    queryFn: () => false,
    initialData: false,
    staleTime: Infinity,
    gcTime: Infinity,
  });
  return { isChanged, setChanged: (changed: boolean) => cache.setQueryData(key, changed) };
}

/** One that changes by itself: not over, and not waiting for a person. */
export function isGoing({ state, timestampFinished }: RunProgress): boolean {
  return timestampFinished === null && state !== 'paused' && state !== 'halted';
}

/** The latest dry run, of those on the first page. */
export function findDryRun(runs: readonly RunProgress[]): RunProgress | undefined {
  return runs.find(({ dryRun }) => dryRun);
}
