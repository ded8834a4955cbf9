import { NumberInput, Text } from '@mantine/core';
import { useState } from 'react';

import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';

const HOUR_SECONDS = 3_600;

interface RotateSecretProps {
  readonly hint: string;
  readonly overlapLabel: string;
  /** What is offered; the server bounds it. */
  readonly overlapSeconds: number;
  readonly rotate: (overlapSeconds: number) => Promise<unknown>;
  readonly close: () => void;
}

/** Makes a new secret, and says how long the old one goes on beside it. */
export function RotateSecret(props: RotateSecretProps) {
  const { hint, overlapLabel, overlapSeconds, rotate, close } = props;
  const say = useText();
  const [hours, setHours] = useState<number | string>(overlapSeconds / HOUR_SECONDS);
  return (
    <DialogForm
      submit={say('secret.rotate')}
      disabled={typeof hours !== 'number'}
      close={close}
      act={() => rotate(Math.round(Number(hours) * HOUR_SECONDS))}
      onDone={close}
    >
      <Text>{hint}</Text>
      <NumberInput label={overlapLabel} min={0} value={hours} onChange={setHours} />
    </DialogForm>
  );
}
