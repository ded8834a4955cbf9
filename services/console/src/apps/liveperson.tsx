import { Group, Stack, Table, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { SecretDialog, type ShownSecret } from '../layout/secret-dialog.tsx';
import { useMay } from '../session/session-gate.tsx';
import { Expiry } from './expiry.tsx';
import { SaveSender } from './save-sender.tsx';

/** Brands at LivePerson that hand over pushes for this application. */
export function LivePerson({ appId }: { readonly appId: string }) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const [secret, setSecret] = useState<ShownSecret>();
  const queryKey = ['liveperson', appId];
  const senders = useQuery({
    queryKey,
    queryFn: ({ signal }) => api.livePerson.listSenders({ appId }, { signal }),
  });
  const refresh = () => cache.invalidateQueries({ queryKey });
  const onSaved = async (brandId: string, password: string | undefined) => {
    if (password !== undefined)
      setSecret({ name: say('liveperson.passwordOf', { brandId }), secret: password });
    await refresh();
  };

  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed">{say('liveperson.hint')}</Text>
        {mayChange && (
          <DialogButton label={say('liveperson.save')}>
            {(close) => <SaveSender appId={appId} onSaved={onSaved} close={close} />}
          </DialogButton>
        )}
      </Group>
      <QueryView query={senders}>
        {({ senderList }) => (
          <ScrollingTable
            caption={say('app.liveperson')}
            empty={say('liveperson.empty')}
            head={[
              say('liveperson.brandId'),
              say('apps.name'),
              say('liveperson.basic'),
              say('liveperson.certificates'),
              say('failures.act'),
            ]}
          >
            {senderList.map(({ brandId, name, basicUsername, certificates }) => (
              <Table.Tr key={brandId}>
                <Table.Td>{brandId}</Table.Td>
                <Table.Td>{name}</Table.Td>
                <Table.Td>{basicUsername ?? '–'}</Table.Td>
                <Table.Td>
                  {certificates.map(({ commonName, fingerprint, validTo }) => (
                    <Group key={fingerprint} gap="xs">
                      {commonName} <Expiry validTo={validTo} />
                    </Group>
                  ))}
                </Table.Td>
                <Table.Td>
                  {mayChange && (
                    <ConfirmButton
                      label={say('liveperson.remove')}
                      color="red"
                      variant="light"
                      size="xs"
                      question={say('liveperson.removeQuestion', { brandId })}
                      act={async () => {
                        await api.livePerson.removeSender({ appId, brandId });
                        await refresh();
                      }}
                    />
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
