import type { DeveloperKey } from '@heliograph/client';
import { Badge, Code, Group, Stack, Table, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { SecretDialog, type ShownSecret } from '../layout/secret-dialog.tsx';
import { useMay } from '../session/session-gate.tsx';
import { CreateDeveloperKey } from './create-developer-key.tsx';
import { RotateSecret } from './rotate-secret.tsx';

const DAY_SECONDS = 24 * 3_600;

/** Who signs pushes for this application. */
export function DeveloperKeys({ appId }: { readonly appId: string }) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const [secret, setSecret] = useState<ShownSecret>();
  const queryKey = ['developer-keys', appId];
  const keys = useQuery({
    queryKey,
    queryFn: ({ signal }) => api.developerKeys.list({ appId }, { signal }),
  });
  const refresh = () => cache.invalidateQueries({ queryKey });
  const show = (developerKey: string, made: string) => {
    const facts = [{ name: say('developerKeys.key'), value: developerKey }];
    setSecret({ name: say('developerKeys.secretOf', { key: developerKey }), secret: made, facts });
    void refresh();
  };
  const rotate = async (developerKey: string, validForSeconds: number) => {
    const made = await api.developerKeys.rotate({ developerKey, validForSeconds });
    show(developerKey, made.secret);
  };
  const turn = async ({ developerKey, enabled }: DeveloperKey) => {
    await api.developerKeys[enabled ? 'disable' : 'enable']({ developerKey });
    await refresh();
  };

  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed">{say('developerKeys.hint')}</Text>
        {mayChange && (
          <DialogButton label={say('developerKeys.create')}>
            {(close) => <CreateDeveloperKey appId={appId} onMade={show} close={close} />}
          </DialogButton>
        )}
      </Group>
      <QueryView query={keys}>
        {({ developerKeyList }) => (
          <ScrollingTable
            caption={say('app.developerKeys')}
            empty={say('developerKeys.empty')}
            head={[
              say('apps.name'),
              say('developerKeys.key'),
              say('developerKeys.carriers'),
              say('keys.state'),
              say('keys.created'),
              say('failures.act'),
            ]}
          >
            {developerKeyList.map((one) => (
              <Table.Tr key={one.developerKey}>
                <Table.Td>{one.name}</Table.Td>
                <Table.Td>
                  <Code>{one.developerKey}</Code>
                </Table.Td>
                <Table.Td>{one.carriers.join(', ')}</Table.Td>
                <Table.Td>
                  <Badge variant="light" tt="none" color={one.enabled ? 'green' : 'gray'}>
                    {say(one.enabled ? 'developerKeys.enabled' : 'developerKeys.disabled')}
                  </Badge>
                  {one.oldSecretValidUntil !== null && (
                    <Text size="xs">
                      {say('developerKeys.oldUntil')} <Moment at={one.oldSecretValidUntil} />
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Moment at={one.createdAt} />
                </Table.Td>
                <Table.Td>
                  {mayChange && (
                    <Group gap="xs" wrap="nowrap">
                      <DialogButton size="xs" variant="default" label={say('secret.rotate')}>
                        {(close) => (
                          <RotateSecret
                            hint={say('developerKeys.rotateHint')}
                            overlapLabel={say('developerKeys.overlap')}
                            overlapSeconds={DAY_SECONDS}
                            rotate={(seconds) => rotate(one.developerKey, seconds)}
                            close={close}
                          />
                        )}
                      </DialogButton>
                      <ConfirmButton
                        label={say(one.enabled ? 'developerKeys.disable' : 'developerKeys.enable')}
                        color={one.enabled ? 'red' : 'indigo'}
                        variant="light"
                        size="xs"
                        question={say(
                          one.enabled
                            ? 'developerKeys.disableQuestion'
                            : 'developerKeys.enableQuestion',
                          { name: one.name },
                        )}
                        act={() => turn(one)}
                      />
                    </Group>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </ScrollingTable>
        )}
      </QueryView>
      <SecretDialog shown={secret} onClose={() => setSecret(undefined)} />
    </Stack>
  );
}
