import { NativeSelect } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

export type Environment = 'production' | 'development';

export function isEnvironment(text: string | null): text is Environment {
  return text === 'production' || text === 'development';
}

interface EnvironmentSelectProps {
  readonly value: Environment;
  readonly onChange: (environment: Environment) => void;
}

export function EnvironmentSelect({ value, onChange }: EnvironmentSelectProps) {
  const say = useText();
  return (
    <NativeSelect
      label={say('credentials.environment')}
      description={say('credentials.environmentHint')}
      value={value}
      onChange={({ currentTarget }) =>
        onChange(isEnvironment(currentTarget.value) ? currentTarget.value : 'production')
      }
      data={[
        { value: 'production', label: say('environment.production') },
        { value: 'development', label: say('environment.development') },
      ]}
    />
  );
}
