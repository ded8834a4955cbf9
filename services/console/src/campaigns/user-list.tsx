import { Anchor, Stack, Table, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { campaignKey } from './use-campaign.ts';

const PAGE_SIZE = 25;

/** A page of the users; each leads to what was sent to it. */
export function UserList({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const api = useApi();
  const afterUserId = useCursor();
  const found = useQuery({
    queryKey: [...campaignKey(campaignId), 'users', afterUserId ?? ''],
    queryFn: ({ signal }) =>
      firstPage(api.campaigns.listUsers(campaignId, { afterUserId, size: PAGE_SIZE }, { signal })),
  });
  return (
    <Stack component="section" gap="sm">
      <Title order={2} size="h4">
        {say('audience.users')}
      </Title>
      <QueryView query={found}>
        {({ users }) => (
          <>
            <ScrollingTable
              caption={say('audience.users')}
              empty={say('audience.empty')}
              head={[say('audience.user')]}
            >
              {users.map((user) => (
                <Table.Tr key={user}>
                  <Table.Td>
                    <Anchor
                      component={Link}
                      fz="inherit"
                      to={`/deliveries?${new URLSearchParams({ userId: user }).toString()}`}
                    >
                      {user}
                    </Anchor>
                  </Table.Td>
                </Table.Tr>
              ))}
            </ScrollingTable>
            <CursorPager next={users.length < PAGE_SIZE ? null : users.at(-1)} />
          </>
        )}
      </QueryView>
    </Stack>
  );
}
