import { Badge, Code, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { Failure } from '../layout/failure.tsx';
import { Moment } from '../layout/moment.tsx';
import { Page } from '../layout/page.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { Waiting } from '../layout/waiting.tsx';

const PAGE_SIZE = 50;

/** What was done by those who administrate and control, the latest first. */
export function AuditPage() {
  const say = useText();
  const api = useApi();
  const before = useCursor();
  const found = useQuery({
    queryKey: ['audit', before],
    queryFn: ({ signal }) => firstPage(api.audit.list({ before, limit: PAGE_SIZE }, { signal })),
  });

  return (
    <Page title={say('nav.audit')}>
      {found.isPending && <Waiting />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && (
        <>
          <ScrollingTable
            caption={say('nav.audit')}
            head={[
              say('audit.when'),
              say('audit.who'),
              say('audit.what'),
              say('audit.objects'),
              say('audit.outcome'),
            ]}
            empty={say('audit.empty')}
          >
            {found.data.entries.map((entry) => (
              <Table.Tr key={entry.id}>
                <Table.Td>
                  <Moment at={entry.timestampCreated} />
                </Table.Td>
                <Table.Td>{entry.actor}</Table.Td>
                <Table.Td>
                  <Code>{entry.action}</Code>
                </Table.Td>
                <Table.Td>
                  <Text size="sm">{describe(entry.objects)}</Text>
                </Table.Td>
                <Table.Td>
                  <Badge variant="light" color={entry.outcome === 'ok' ? 'green' : 'orange'}>
                    {entry.outcome ?? say('audit.underWay')}
                  </Badge>
                </Table.Td>
              </Table.Tr>
            ))}
          </ScrollingTable>
          <CursorPager next={found.data.cursor} />
        </>
      )}
    </Page>
  );
}

function describe(objects: Readonly<Record<string, unknown>>): string {
  return Object.entries(objects)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
}
