import { Select, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';
import { useAppList } from './use-app-list.ts';

interface AppFieldProps {
  readonly value: string;
  readonly onChange: (appId: string) => void;
  readonly error?: ReactNode;
}

/** Which app: one of a list, for those who may see it. */
export function AppField({ value, onChange, error }: AppFieldProps) {
  const say = useText();
  const { isOpen, apps } = useAppList();
  const shown = {
    label: say('campaigns.app'),
    required: true,
    value,
    error,
  };
  if (!isOpen)
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
      data={apps.map(({ appId, appName }) => ({
        value: String(appId),
        label: appName ? `${appId} – ${appName}` : String(appId),
      }))}
      onChange={(chosen) => onChange(chosen ?? '')}
    />
  );
}
