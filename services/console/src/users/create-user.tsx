import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { APPS_KEY } from '../apps/use-app.ts';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import type { Role } from '../session/session.ts';
import { RoleSelect } from './role-select.tsx';

interface CreateUserProps {
  readonly onMade: (name: string, password: string | null) => void;
  readonly close: () => void;
}

/** The password is made by the server: nobody has to think one up, or type it twice. */
export function CreateUser({ onMade, close }: CreateUserProps) {
  const say = useText();
  const api = useApi();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [appId, setAppId] = useState('');
  const apps = useQuery({ queryKey: APPS_KEY, queryFn: ({ signal }) => api.apps.list({ signal }) });
  const appIds = apps.data?.applicationList.map((app) => String(app.appId)) ?? [];
  return (
    <DialogForm
      submit={say('users.create')}
      close={close}
      act={async () => {
        const which = appId === '' ? {} : { appId };
        const made = await api.consoleUsers.create({ name: name.trim(), role, ...which });
        onMade(made.name, made.password);
      }}
      onDone={close}
    >
      <TextInput
        label={say('signIn.name')}
        autoComplete="off"
        autoCapitalize="none"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        data-autofocus
      />
      <RoleSelect value={role} onChange={setRole} />
      <NativeSelect
        label={say('failures.app')}
        description={say('users.appHint')}
        value={appId}
        onChange={(event) => setAppId(event.currentTarget.value)}
        data={[{ value: '', label: say('keys.allApps') }, ...appIds]}
      />
    </DialogForm>
  );
}
