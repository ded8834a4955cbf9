import { useQuery } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';

export const APPS_KEY = ['apps'];

export function appKey(appId: string) {
  return ['app', appId] as const;
}

/** An application with the public part of its credentials. */
export function useApp(appId: string) {
  const api = useApi();
  return useQuery({
    queryKey: appKey(appId),
    queryFn: ({ signal }) =>
      api.apps.get({ appId, includeApns: true, includeFcm: true }, { signal }),
  });
}
