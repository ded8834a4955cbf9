import { ActionIcon, Menu, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconLock, IconLogout, IconUserCircle } from '@tabler/icons-react';

import { useText } from '../i18n/text.tsx';
import { ChangePassword } from '../session/change-password.tsx';
import { useSession } from '../session/session-gate.tsx';

/** Who is signed in, and what that person may do about it. */
export function PersonMenu() {
  const say = useText();
  const { session, leave } = useSession();
  const [isChanging, { open, close }] = useDisclosure();
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={say('session.as', { name: session.name })}
          >
            <IconUserCircle aria-hidden size={22} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text fw={600}>{session.name}</Text>
            <Text size="sm">{say('session.role', { role: session.role })}</Text>
          </Menu.Label>
          {/* Where access control is off, nobody has one; a provider keeps its own. */}
          {session.csrfToken !== null && session.signInWay !== 'oidc' && (
            <Menu.Item leftSection={<IconLock aria-hidden size={16} />} onClick={open}>
              {say('password.change')}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconLogout aria-hidden size={16} />}
            onClick={() => void leave()}
          >
            {say('signOut.submit')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={isChanging}
        onClose={close}
        title={say('password.change')}
        closeButtonProps={{ 'aria-label': say('confirm.cancel') }}
      >
        {isChanging && <ChangePassword close={close} />}
      </Modal>
    </>
  );
}
