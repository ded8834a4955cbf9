import { NumberInput } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

/** Pushes per second, over all dispatchers. */
const MIN_RATE = 0.01;
const MAX_RATE = 1_000_000;

interface RateInputProps {
  readonly value: number | undefined;
  readonly onChange: (rate: number | undefined) => void;
}

/** How fast an application may be sent to; nothing means without a limit. */
export function RateInput({ value, onChange }: RateInputProps) {
  const say = useText();
  return (
    <NumberInput
      label={say('credentials.rate')}
      description={say('credentials.rateHint')}
      min={MIN_RATE}
      max={MAX_RATE}
      value={value ?? ''}
      onChange={(rate) => onChange(typeof rate === 'number' ? rate : undefined)}
    />
  );
}
