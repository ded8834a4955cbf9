import type { ConsoleUser } from '@heliograph/client';
import { Badge, Group, Table } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { SecretDialog, type ShownSecret } from '../layout/secret-dialog.tsx';
import { useMay, useSession } from '../session/session-gate.tsx';
import { CreateUser } from './create-user.tsx';
import { SetRole } from './set-role.tsx';

const KEY = ['console-users'];

/** Who may sign in here, and what each of them may do. */
export function UsersPage() {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const [secret, setSecret] = useState<ShownSecret>();
  const users = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => api.consoleUsers.list({}, { signal }),
  });
  const refresh = () => cache.invalidateQueries({ queryKey: KEY });
  const show = (name: string, password: string | null) => {
    if (password !== null) setSecret({ name: say('users.passwordOf', { name }), secret: password });
    void refresh();
  };
  const create = (
    <DialogButton label={say('users.create')}>
      {(close) => <CreateUser onMade={show} close={close} />}
    </DialogButton>
  );

  return (
    <Page title={say('nav.users')} actions={mayChange ? create : undefined}>
      <QueryView query={users}>
        {({ userList }) => (
          <ScrollingTable
            caption={say('nav.users')}
            empty={say('users.empty')}
            head={[
              say('signIn.name'),
              say('users.role'),
              say('failures.app'),
              say('users.way'),
              say('keys.state'),
              say('users.lastSignIn'),
              say('failures.act'),
            ]}
          >
            {userList.map((user) => (
              <Table.Tr key={user.name}>
                <Table.Td>{user.name}</Table.Td>
                <Table.Td>{say('session.role', { role: user.role })}</Table.Td>
                <Table.Td>{user.appId ?? say('keys.allApps')}</Table.Td>
                <Table.Td>{say('users.wayOf', { way: user.signInWay })}</Table.Td>
                <Table.Td>
                  <Badge variant="light" tt="none" color={user.disabled ? 'gray' : 'green'}>
                    {say(user.disabled ? 'users.disabled' : 'users.enabled')}
                  </Badge>
                </Table.Td>
                <Table.Td>
                  <Moment at={user.timestampLastSignIn} />
                </Table.Td>
                <Table.Td>
                  {mayChange && <Acts user={user} onPassword={show} refresh={refresh} />}
                </Table.Td>
              </Table.Tr>
            ))}
          </ScrollingTable>
        )}
      </QueryView>
      <SecretDialog shown={secret} onClose={() => setSecret(undefined)} />
    </Page>
  );
}

interface ActsProps {
  readonly user: ConsoleUser;
  readonly onPassword: (name: string, password: string | null) => void;
  readonly refresh: () => Promise<unknown>;
}

function Acts({ user, onPassword, refresh }: ActsProps) {
  const say = useText();
  const api = useApi();
  const { session } = useSession();
  const { name } = user;
  // Whoever locks himself out needs somebody else, or the command line.
  const isSelf = name === session.name;
  // Then the provider says the role, and knows the password.
  const isElsewhere = user.signInWay === 'oidc';
  return (
    <Group gap="xs" wrap="nowrap">
      {!isSelf && !isElsewhere && (
        <DialogButton
          size="xs"
          variant="default"
          label={say('users.setRole')}
          title={say('users.setRoleOf', { name })}
        >
          {(close) => <SetRole user={user} onDone={refresh} close={close} />}
        </DialogButton>
      )}
      {!isElsewhere && (
        <ConfirmButton
          label={say('users.newPassword')}
          color="indigo"
          variant="default"
          size="xs"
          question={say('users.newPasswordQuestion', { name })}
          act={async () =>
            onPassword(name, (await api.consoleUsers.setPassword({ name })).password)
          }
        />
      )}
      {!isSelf && (
        <>
          <ConfirmButton
            label={say(user.disabled ? 'developerKeys.enable' : 'developerKeys.disable')}
            color={user.disabled ? 'indigo' : 'red'}
            variant="light"
            size="xs"
            question={say(user.disabled ? 'users.enableQuestion' : 'users.disableQuestion', {
              name,
            })}
            act={async () => {
              await api.consoleUsers[user.disabled ? 'enable' : 'disable']({ name });
              await refresh();
            }}
          />
          <ConfirmButton
            label={say('users.remove')}
            color="red"
            variant="light"
            size="xs"
            question={say(isElsewhere ? 'users.removeOidcQuestion' : 'users.removeQuestion', {
              name,
            })}
            act={async () => {
              await api.consoleUsers.remove({ name });
              await refresh();
            }}
          />
        </>
      )}
    </Group>
  );
}
