import { Anchor, Badge, Group, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';
import { CreateAppButton } from './create-app-button.tsx';
import { APPS_KEY } from './use-app.ts';

/** Every application, and which platforms it can send to. */
export function AppsPage() {
  const say = useText();
  const api = useApi();
  const mayChange = useMay('admin');
  const apps = useQuery({ queryKey: APPS_KEY, queryFn: ({ signal }) => api.apps.list({ signal }) });
  return (
    <Page title={say('nav.apps')} actions={mayChange ? <CreateAppButton /> : undefined}>
      <QueryView query={apps}>
        {({ applicationList }) => (
          <ScrollingTable
            caption={say('nav.apps')}
            empty={say('apps.empty')}
            head={[say('apps.id'), say('apps.name'), say('apps.platforms')]}
          >
            {applicationList.map(({ id, appId, appName, ios, android }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  <Anchor component={Link} fz="inherit" to={`/apps/${encodeURIComponent(appId)}`}>
                    {appId}
                  </Anchor>
                </Table.Td>
                <Table.Td>{appName}</Table.Td>
                <Table.Td>
                  <Group gap="xs">
                    {ios && <Badge variant="light">{say('platform.ios')}</Badge>}
                    {android && <Badge variant="light">{say('platform.android')}</Badge>}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </ScrollingTable>
        )}
      </QueryView>
    </Page>
  );
}
