import { Switch } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

interface VerifySwitchProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** Whether the provider is asked before anything is saved. */
export function VerifySwitch({ checked, onChange }: VerifySwitchProps) {
  const say = useText();
  return (
    <Switch
      label={say('credentials.verify')}
      description={say('credentials.verifyHint')}
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
