import { NativeSelect } from '@mantine/core';

import { useText } from '../i18n/text.tsx';
import { ROLES, type Role } from '../session/session.ts';

interface RoleSelectProps {
  readonly value: Role;
  readonly onChange: (role: Role) => void;
}

export function RoleSelect({ value, onChange }: RoleSelectProps) {
  const say = useText();
  const choose = (text: string) => {
    const role = ROLES.find((one) => one === text);
    if (role !== undefined) onChange(role);
  };
  return (
    <NativeSelect
      label={say('users.role')}
      description={say(`role.${value}`)}
      value={value}
      onChange={(event) => choose(event.currentTarget.value)}
      data={ROLES.map((role) => ({ value: role, label: say('session.role', { role }) }))}
    />
  );
}
