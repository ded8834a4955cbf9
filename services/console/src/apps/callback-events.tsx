import type { Callback, CallbackEvent } from '@heliograph/client';
import { Code, Group, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';

const PAGE_SIZE = 25;

interface CallbackEventsProps {
  readonly appId: string;
  readonly callbacks: readonly Callback[];
}

/** What there was to tell, from the oldest that is kept on; receivers can be told again from any page on. */
export function CallbackEvents({ appId, callbacks }: CallbackEventsProps) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const after = useCursor();
  const events = useQuery({
    queryKey: ['callback-events', appId, after ?? ''],
    queryFn: ({ signal }) =>
      firstPage(api.callbacks.events({ appId, after, limit: PAGE_SIZE }, { signal })),
  });
  const tellAgain = async (callbackId: number) => {
    await api.callbacks.resume({ callbackId, ...(after === undefined ? {} : { after }) });
    await cache.invalidateQueries({ queryKey: ['callbacks', appId] });
  };

  return (
    <Stack component="section" gap="sm">
      <Title order={2} size="h4">
        {say('callbacks.events')}
      </Title>
      <Text c="dimmed">{say('callbacks.eventsHint')}</Text>
      <QueryView query={events}>
        {(page) => (
          <>
            <ScrollingTable
              caption={say('callbacks.events')}
              empty={say('callbacks.noEvents')}
              head={[say('audit.when'), say('audit.what'), say('audit.objects')]}
            >
              {page.events.map((event) => (
                <Table.Tr key={event.id}>
                  <Table.Td>
                    <Moment at={event.at} />
                  </Table.Td>
                  <Table.Td>
                    <Code>{event.type}</Code>
                  </Table.Td>
                  <Table.Td>{describe(event)}</Table.Td>
                </Table.Tr>
              ))}
            </ScrollingTable>
            {mayChange && after !== undefined && page.events.length > 0 && (
              <Group gap="xs">
                {callbacks.map(({ id, url }) => (
                  <ConfirmButton
                    key={id}
                    label={say('callbacks.again', { url })}
                    color="indigo"
                    size="xs"
                    variant="light"
                    question={say('callbacks.againQuestion')}
                    act={() => tellAgain(id)}
                  />
                ))}
              </Group>
            )}
            <CursorPager next={page.events.length < PAGE_SIZE ? null : page.cursor} />
          </>
        )}
      </QueryView>
    </Stack>
  );
}

/** What it is about, in its own words: ids and reasons are the same in every language. */
function describe({ data }: CallbackEvent): string {
  return Object.entries(data)
    .flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'string' || typeof value === 'number' ? [`${name} ${value}`] : [],
    )
    .join(', ');
}
