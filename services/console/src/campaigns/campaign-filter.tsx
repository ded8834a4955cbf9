import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { FilterSelect } from '../layout/filter-select.tsx';
import { useAppList } from './use-app-list.ts';

/** Of which app campaigns are listed; kept in the address. Who may not see the list of apps types its id. */
export function CampaignFilter() {
  const say = useText();
  const { isOpen, apps } = useAppList();
  const appId = useSearchParams()[0].get('appId') ?? '';
  if (!isOpen) return <TypedFilter key={appId} appId={appId} />;
  return (
    <Group component="search" aria-label={say('filter.label')}>
      <FilterSelect
        name="appId"
        label={say('campaigns.app')}
        any={say('filter.any')}
        value={appId}
        choices={apps.map((app) => ({
          value: String(app.appId),
          label: app.appName ? `${app.appId} – ${app.appName}` : String(app.appId),
        }))}
      />
    </Group>
  );
}

function TypedFilter({ appId }: { readonly appId: string }) {
  const say = useText();
  const [, setParameters] = useSearchParams();
  const [typed, setTyped] = useState(appId);
  const chosen = typed.trim();
  return (
    <form
      role="search"
      aria-label={say('filter.label')}
      onSubmit={(event) => {
        event.preventDefault();
        setParameters(chosen === '' ? {} : { appId: chosen });
      }}
    >
      <Group align="flex-end">
        <TextInput
          label={say('campaigns.app')}
          placeholder={say('filter.any')}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          {say('filter.label')}
        </Button>
      </Group>
    </form>
  );
}
