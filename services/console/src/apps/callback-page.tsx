import type { CallbackCall } from '@heliograph/client';
import { Anchor, Badge, Button, Stack, Table, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useIntl } from 'react-intl';
import { Link, useParams } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { firstPage } from '../api/first-page.ts';
import { useText } from '../i18n/text.tsx';
import { CursorPager, useCursor } from '../layout/cursor-pager.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { Moment } from '../layout/moment.tsx';
import { NotFoundPage } from '../layout/not-found-page.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';

const PAGE_SIZE = 25;
const REFRESH_MS = 3_000;
const WAITING_REFRESH_MS = 1_000;
const COLOURS = { waiting: 'blue', taken: 'green', refused: 'red' } as const;

/** The latest requests to one receiver; each can be made again. */
export function CallbackPage() {
  const { appId = '', callbackId } = useParams();
  if (!/^\d{1,15}$/.test(callbackId ?? '')) return <NotFoundPage />;
  return <Calls appId={appId} callbackId={Number(callbackId)} />;
}

interface CallbackName {
  readonly appId: string;
  readonly callbackId: number;
}

function callsKey(callbackId: number) {
  return ['callback-calls', callbackId] as const;
}

function Calls({ appId, callbackId }: CallbackName) {
  const say = useText();
  const api = useApi();
  const after = useCursor();
  const calls = useQuery({
    queryKey: [...callsKey(callbackId), after ?? ''],
    queryFn: ({ signal }) =>
      firstPage(api.callbacks.calls({ callbackId, after, size: PAGE_SIZE }, { signal })),
    refetchInterval: ({ state }) =>
      state.data?.calls.some(isWaiting) === true ? WAITING_REFRESH_MS : REFRESH_MS,
  });
  return (
    <Page title={say('calls.title', { id: callbackId })}>
      <Stack gap="xs">
        <Url appId={appId} callbackId={callbackId} />
        <Anchor component={Link} to={`/apps/${encodeURIComponent(appId)}?tab=callbacks`}>
          {say('calls.toCallbacks')}
        </Anchor>
      </Stack>
      <Text c="dimmed">{say('calls.hint')}</Text>
      <QueryView query={calls}>
        {(page) => (
          <>
            <ScrollingTable
              caption={say('calls.list')}
              empty={say('calls.empty')}
              head={[
                say('audit.when'),
                say('audit.outcome'),
                say('calls.result'),
                say('callbacks.types'),
                say('calls.duration'),
                say('calls.act'),
              ]}
            >
              {page.calls.map((call) => (
                <CallRow key={call.callId} callbackId={callbackId} call={call} />
              ))}
            </ScrollingTable>
            <CursorPager next={page.next} />
          </>
        )}
      </QueryView>
    </Page>
  );
}

/** Where it leads to, for those who came by an address. */
function Url({ appId, callbackId }: CallbackName) {
  const api = useApi();
  const found = useQuery({
    queryKey: ['callbacks', appId],
    queryFn: ({ signal }) => api.callbacks.list({ appId }, { signal }),
  });
  const callback = found.data?.callbackList.find(({ id }) => id === callbackId);
  return <Text style={{ overflowWrap: 'anywhere' }}>{callback?.url}</Text>;
}

interface CallRowProps {
  readonly callbackId: number;
  readonly call: CallbackCall;
}

function CallRow({ callbackId, call }: CallRowProps) {
  const say = useText();
  const intl = useIntl();
  const mayResend = useMay('admin');
  const { state, timestamp, result, events, latencyMs, resendOf } = call;
  return (
    <Table.Tr>
      <Table.Td>
        <Moment at={timestamp} />
        {resendOf !== null && (
          <Text size="xs" c="dimmed">
            {say('calls.again')}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Badge color={COLOURS[state]} variant="light" tt="none">
          {say(`callState.${state}`)}
        </Badge>
      </Table.Td>
      <Table.Td>{result ?? '–'}</Table.Td>
      <Table.Td>{intl.formatNumber(events)}</Table.Td>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>
        {latencyMs === null ? '–' : say('calls.milliseconds', { count: latencyMs })}
      </Table.Td>
      <Table.Td>
        {mayResend && !isWaiting(call) && <Resend callbackId={callbackId} call={call} />}
      </Table.Td>
    </Table.Tr>
  );
}

function Resend({ callbackId, call: { callId } }: CallRowProps) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const resending = useMutation({
    mutationFn: () => api.callbacks.resend({ callbackId, callId }),
    onSuccess: () => cache.invalidateQueries({ queryKey: callsKey(callbackId) }),
    onError: (error) => notifications.show({ color: 'red', message: describeFailure(error, say) }),
  });
  return (
    <Button
      size="xs"
      variant="default"
      loading={resending.isPending}
      onClick={() => resending.mutate()}
    >
      {say('calls.resend')}
    </Button>
  );
}

function isWaiting({ state }: CallbackCall): boolean {
  return state === 'waiting';
}
