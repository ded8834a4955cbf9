import { useQuery } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { APPS_KEY } from '../apps/use-app.ts';
import { useMay } from '../session/session-gate.tsx';

/** The applications, for those who may see them; `isOpen` tells who that is. */
export function useAppList() {
  const api = useApi();
  const isOpen = useMay('admin');
  const { data, isError } = useQuery({
    queryKey: APPS_KEY,
    queryFn: ({ signal }) => api.apps.list({ signal }),
    enabled: isOpen,
  });
  return { isOpen: isOpen && !isError, apps: data?.applicationList ?? [] };
}

/** What people call an application, or its id where that is not known. */
export function useAppName(appId: string): string {
  const { apps } = useAppList();
  return apps.find((app) => String(app.appId) === appId)?.appName || appId;
}
