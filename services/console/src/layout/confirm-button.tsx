import { Button, Group, Modal, Stack, Text, TextInput, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';
import { Failure } from './failure.tsx';

interface ConfirmButtonProps extends Pick<
  ButtonProps,
  'color' | 'leftSection' | 'disabled' | 'size' | 'variant'
> {
  readonly label: string;
  /** What will happen, in a sentence or two. */
  readonly question: ReactNode;
  /** Must be typed before it can be done, as the number of devices that will get a push. */
  readonly typed?: string;
  readonly typedLabel?: string;
  /** Told at each opening of the dialog. */
  readonly onOpen?: () => void;
  /** The dialog stays open, and says why, where this rejects. */
  readonly act: () => Promise<unknown>;
}

/** A button for what cannot be taken back: it asks first. */
export function ConfirmButton({
  label,
  question,
  typed,
  typedLabel,
  onOpen,
  act,
  ...button
}: ConfirmButtonProps) {
  const say = useText();
  const [isOpen, { open, close }] = useDisclosure();
  const [given, setGiven] = useState('');
  const acting = useMutation({ mutationFn: act, onSuccess: close });
  const isSure = typed === undefined || given.trim() === typed;

  const ask = () => {
    setGiven('');
    acting.reset();
    onOpen?.();
    open();
  };

  return (
    <>
      <Button {...button} onClick={ask}>
        {label}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={label}
        closeButtonProps={{ 'aria-label': say('confirm.cancel') }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isSure) acting.mutate();
          }}
        >
          <Stack>
            <Text component="div">{question}</Text>
            {typed !== undefined && (
              <TextInput
                label={typedLabel}
                value={given}
                onChange={(event) => setGiven(event.currentTarget.value)}
                autoComplete="off"
                data-autofocus
              />
            )}
            {acting.isError && <Failure error={acting.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {say('confirm.cancel')}
              </Button>
              <Button
                type="submit"
                color={button.color ?? 'red'}
                disabled={!isSure}
                loading={acting.isPending}
              >
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
