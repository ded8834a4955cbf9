import type { ConsoleUser } from '@heliograph/client';
import { Text } from '@mantine/core';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import { RoleSelect } from './role-select.tsx';

interface SetRoleProps {
  readonly user: ConsoleUser;
  readonly onDone: () => Promise<unknown>;
  readonly close: () => void;
}

export function SetRole({ user: { name, role: now }, onDone, close }: SetRoleProps) {
  const say = useText();
  const api = useApi();
  const [role, setRole] = useState(now);
  return (
    <DialogForm
      submit={say('users.setRole')}
      disabled={role === now}
      close={close}
      act={async () => {
        await api.consoleUsers.setRole({ name, role });
        await onDone();
      }}
      onDone={close}
    >
      <RoleSelect value={role} onChange={setRole} />
      <Text c="dimmed">{say('users.sessionsEnd')}</Text>
    </DialogForm>
  );
}
