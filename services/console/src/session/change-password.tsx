import { PasswordInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';

import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import { useSession } from './session-gate.tsx';
import { changePassword } from './session.ts';

/** One's own password; an administrator sets those of others. */
export function ChangePassword({ close }: { readonly close: () => void }) {
  const say = useText();
  const { session } = useSession();
  const [password, setPassword] = useState('');
  const [newPassword, setNewPassword] = useState('');
  return (
    <DialogForm
      submit={say('password.change')}
      close={close}
      act={() => changePassword(session, { password, newPassword })}
      onDone={() => {
        notifications.show({ color: 'green', message: say('password.changed') });
        close();
      }}
    >
      {/* For those who keep passwords. */}
      <input type="text" autoComplete="username" value={session.name} readOnly hidden />
      <PasswordInput
        label={say('password.present')}
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        required
        data-autofocus
      />
      <PasswordInput
        label={say('password.new')}
        description={say('password.newHint')}
        autoComplete="new-password"
        value={newPassword}
        onChange={(event) => setNewPassword(event.currentTarget.value)}
        required
      />
    </DialogForm>
  );
}
