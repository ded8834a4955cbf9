import type { ApiKey } from '@heliograph/client';
import { Badge, Code, Table, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useIntl } from 'react-intl';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { SecretDialog, type ShownSecret } from '../layout/secret-dialog.tsx';
import { useMay } from '../session/session-gate.tsx';
import { CreateKey } from './create-key.tsx';

const KEY = ['api-keys'];
const COLOURS = { active: 'green', expired: 'orange', revoked: 'gray' } as const;

/** Who may call the API, what they may do, and when they last did. */
export function KeysPage() {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const [secret, setSecret] = useState<ShownSecret>();
  const keys = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => api.apiKeys.list({}, { signal }),
  });
  const refresh = () => cache.invalidateQueries({ queryKey: KEY });
  const create = (
    <DialogButton label={say('keys.create')}>
      {(close) => (
        <CreateKey
          close={close}
          onMade={(name, key) => {
            setSecret({ name: say('keys.keyOf', { name }), secret: key });
            void refresh();
          }}
        />
      )}
    </DialogButton>
  );

  return (
    <Page title={say('nav.keys')} actions={mayChange ? create : undefined}>
      <QueryView query={keys}>
        {({ keyList }) => (
          <ScrollingTable
            caption={say('nav.keys')}
            empty={say('keys.empty')}
            head={[
              say('apps.name'),
              say('keys.scopes'),
              say('failures.app'),
              say('keys.state'),
              say('keys.lastUsed'),
              say('keys.expires'),
              say('failures.act'),
            ]}
          >
            {keyList.map((one) => (
              <Row key={one.keyId} apiKey={one} mayRevoke={mayChange} refresh={refresh} />
            ))}
          </ScrollingTable>
        )}
      </QueryView>
      <SecretDialog shown={secret} onClose={() => setSecret(undefined)} />
    </Page>
  );
}

interface RowProps {
  readonly apiKey: ApiKey;
  readonly mayRevoke: boolean;
  readonly refresh: () => Promise<unknown>;
}

function Row({ apiKey, mayRevoke, refresh }: RowProps) {
  const say = useText();
  const intl = useIntl();
  const api = useApi();
  const { keyId, name, ratePerSecond, state, timestampExpires } = apiKey;
  return (
    <Table.Tr>
      <Table.Td>
        {name}
        <Text size="xs">
          <Code>hg_{keyId}</Code>
        </Text>
      </Table.Td>
      <Table.Td>
        {apiKey.scopes.join(', ')}
        {ratePerSecond !== null && (
          <Text size="xs" c="dimmed">
            {ratePerSecond === 0
              ? say('keys.noLimit')
              : say('keys.rateOf', { rate: ratePerSecond })}
          </Text>
        )}
      </Table.Td>
      <Table.Td>{apiKey.appId ?? say('keys.allApps')}</Table.Td>
      <Table.Td>
        <Badge variant="light" tt="none" color={COLOURS[state]}>
          {say(`keyState.${state}`)}
        </Badge>
      </Table.Td>
      <Table.Td>
        <Moment at={apiKey.timestampLastUsed} />
      </Table.Td>
      <Table.Td>
        {timestampExpires === null
          ? say('keys.never')
          : intl.formatDate(timestampExpires, { dateStyle: 'medium', timeStyle: 'short' })}
      </Table.Td>
      <Table.Td>
        {mayRevoke && state === 'active' && (
          <ConfirmButton
            label={say('keys.revoke')}
            color="red"
            variant="light"
            size="xs"
            question={say('keys.revokeQuestion', { name })}
            act={async () => {
              await api.apiKeys.revoke({ keyId });
              await refresh();
            }}
          />
        )}
      </Table.Td>
    </Table.Tr>
  );
}
