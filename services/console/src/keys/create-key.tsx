import { Checkbox, NativeSelect, NumberInput, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { APPS_KEY } from '../apps/use-app.ts';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import { toEndOfDay } from './end-of-day.ts';

const SCOPES = ['send', 'devices', 'campaigns', 'campaigns:send', 'read', 'admin'] as const;
const MAX_RATE = 1_000_000;

interface CreateKeyProps {
  readonly onMade: (name: string, key: string) => void;
  readonly close: () => void;
}

export function CreateKey({ onMade, close }: CreateKeyProps) {
  const say = useText();
  const api = useApi();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>([]);
  const [appId, setAppId] = useState('');
  const [rate, setRate] = useState<number | string>('');
  const [lastDay, setLastDay] = useState('');
  const apps = useQuery({ queryKey: APPS_KEY, queryFn: ({ signal }) => api.apps.list({ signal }) });
  const appIds = apps.data?.applicationList.map((app) => String(app.appId)) ?? [];

  const create = async () => {
    const { key } = await api.apiKeys.create({
      name: name.trim(),
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      ...(appId === '' ? {} : { appId }),
      ...(typeof rate === 'number' ? { ratePerSecond: rate } : {}),
      ...(lastDay === '' ? {} : { expiresAt: toEndOfDay(lastDay) }),
    });
    onMade(name.trim(), key);
  };

  return (
    <DialogForm
      submit={say('keys.create')}
      disabled={scopes.length === 0}
      close={close}
      act={create}
      onDone={close}
    >
      <TextInput
        label={say('apps.name')}
        description={say('keys.nameHint')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        data-autofocus
      />
      <Checkbox.Group label={say('keys.scopes')} value={scopes} onChange={setScopes} withAsterisk>
        <Stack gap="xs" mt="xs">
          {SCOPES.map((scope) => (
            <Checkbox key={scope} value={scope} label={scope} description={say(`scope.${scope}`)} />
          ))}
        </Stack>
      </Checkbox.Group>
      <NativeSelect
        label={say('failures.app')}
        description={say('keys.appHint')}
        value={appId}
        onChange={(event) => setAppId(event.currentTarget.value)}
        data={[{ value: '', label: say('keys.allApps') }, ...appIds]}
      />
      <NumberInput
        label={say('keys.rate')}
        description={say('keys.rateHint')}
        min={0}
        max={MAX_RATE}
        value={rate}
        onChange={setRate}
      />
      <TextInput
        type="date"
        label={say('keys.lastDay')}
        description={say('keys.lastDayHint')}
        value={lastDay}
        onChange={(event) => setLastDay(event.currentTarget.value)}
      />
    </DialogForm>
  );
}
