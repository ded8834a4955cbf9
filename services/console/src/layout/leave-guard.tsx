import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useBeforeUnload, useBlocker } from 'react-router';

import { useText } from '../i18n/text.tsx';

/** Asks before the page is left, by a link, the way back or closing it: for as long as this is shown, something goes on that ends with it. */
export function LeaveGuard({ question }: { readonly question: string }) {
  const say = useText();
  useBeforeUnload((event) => event.preventDefault());
  // Another tab of the same page is not another page.
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => currentLocation.pathname !== nextLocation.pathname,
  );
  return (
    <Modal
      opened={blocker.state === 'blocked'}
      onClose={() => blocker.reset?.()}
      title={say('leave.title')}
      closeButtonProps={{ 'aria-label': say('leave.stay') }}
    >
      <Stack>
        <Text>{question}</Text>
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={() => blocker.reset?.()}>
            {say('leave.stay')}
          </Button>
          <Button color="red" onClick={() => blocker.proceed?.()}>
            {say('leave.leave')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
