import { Alert, Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

import { useText } from '../i18n/text.tsx';

export interface ShownSecret {
  /** What it is, such as "Secret of key 17". */
  readonly name: string;
  readonly secret: string;
  /** What goes with it and is no secret, such as the key's id. */
  readonly facts?: readonly { readonly name: string; readonly value: string }[];
}

interface SecretDialogProps {
  readonly shown: ShownSecret | undefined;
  readonly onClose: () => void;
}

/** A secret that is shown this once. It stands nowhere else, so only its button closes the dialog: a click beside it does not. */
export function SecretDialog({ shown, onClose }: SecretDialogProps) {
  const say = useText();
  return (
    <Modal
      opened={shown !== undefined}
      onClose={onClose}
      title={shown?.name}
      size="lg"
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      {shown !== undefined && (
        <Stack>
          <Alert color="orange" title={say('secret.once')}>
            {say('secret.onceHint')}
          </Alert>
          {shown.facts?.map(({ name, value }) => (
            <Copied key={name} name={name} value={value} />
          ))}
          <Copied name={say('secret.secret')} value={shown.secret} />
          <Group justify="flex-end">
            <Button onClick={onClose}>{say('secret.done')}</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

function Copied({ name, value }: { readonly name: string; readonly value: string }) {
  const say = useText();
  return (
    <div>
      <Text size="sm" fw={500}>
        {name}
      </Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block flex={1} miw={0} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {value}
        </Code>
        <CopyButton value={value}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              onClick={copy}
              aria-label={say(copied ? 'secret.copiedOf' : 'secret.copyOf', { name })}
              leftSection={
                copied ? <IconCheck aria-hidden size={16} /> : <IconCopy aria-hidden size={16} />
              }
            >
              {say(copied ? 'secret.copied' : 'secret.copy')}
            </Button>
          )}
        </CopyButton>
      </Group>
    </div>
  );
}
