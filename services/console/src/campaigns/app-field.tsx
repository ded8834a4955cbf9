import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { APPS_KEY } from '../apps/use-app.ts';
import { useText } from '../i18n/text.tsx';
import { useMay } from '../session/session-gate.tsx';

interface AppFieldProps {
  readonly value: string;
  readonly onChange: (appId: string) => void;
  readonly error?: ReactNode;
}

/** Which app: one of a list, for those who may see it. */
export function AppField({ value, onChange, error }: AppFieldProps) {
  const say = useText();
  const api = useApi();
  const maySeeApps = useMay('admin');
  const apps = useQuery({
    queryKey: APPS_KEY,
    queryFn: ({ signal }) => api.apps.list({ signal }),
    enabled: maySeeApps,
  });
  const shown = {
    label: say('campaigns.app'),
    required: true,
    value,
    error,
  };
  if (!maySeeApps || apps.isError)
    return (
      <TextInput
        {...shown}
        description={say('campaigns.appHint')}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  return (
    <Select
      {...shown}
      searchable
      allowDeselect={false}
      value={value === '' ? null : value}
      data={(apps.data?.applicationList ?? []).map(({ appId, appName }) => ({
        value: String(appId),
        label: appName ? `${appId} – ${appName}` : String(appId),
      }))}
      onChange={(chosen) => onChange(chosen ?? '')}
    />
  );
}
