import { Button, Modal, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';

interface DialogButtonProps extends Pick<
  ButtonProps,
  'color' | 'disabled' | 'leftSection' | 'size' | 'variant'
> {
  readonly label: string;
  /** The dialog's heading where the button's own words are too few. */
  readonly title?: string;
  /** Made anew at each opening: what was typed before is gone. */
  readonly children: (close: () => void) => ReactNode;
}

/** A button that opens a dialog. */
export function DialogButton({ label, title = label, children, ...button }: DialogButtonProps) {
  const say = useText();
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button {...button} onClick={open} aria-haspopup="dialog" aria-label={title}>
        {label}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={title}
        size="lg"
        closeButtonProps={{ 'aria-label': say('confirm.cancel') }}
      >
        {isOpen && children(close)}
      </Modal>
    </>
  );
}
