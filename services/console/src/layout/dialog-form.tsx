import { Button, Group, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';
import { Failure } from './failure.tsx';

interface DialogFormProps {
  readonly submit: string;
  /** What is entered stays where this rejects, and it says why. */
  readonly act: () => Promise<unknown>;
  readonly onDone: () => void;
  readonly close: () => void;
  /** Something is missing that the fields cannot say themselves. */
  readonly disabled?: boolean;
  readonly children: ReactNode;
}

/** The fields of a dialog, with a way to save and one to leave. */
export function DialogForm({ submit, act, onDone, close, disabled, children }: DialogFormProps) {
  const say = useText();
  const acting = useMutation({ mutationFn: act, onSuccess: onDone });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        acting.mutate();
      }}
    >
      <Stack>
        {children}
        {acting.isError && <Failure error={acting.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {say('confirm.cancel')}
          </Button>
          <Button type="submit" loading={acting.isPending} disabled={disabled ?? false}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
