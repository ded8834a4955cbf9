import type { HeldFaults as Held } from '@heliograph/client';
import { Group, Stack, Table, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { useMay } from '../session/session-gate.tsx';

const KEY = ['held-faults'];

/** Devices whose tokens the provider refuses in such numbers that rather a key or a setting is wrong: nothing happens to them until somebody decides. */
export function HeldFaults() {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const held = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.guard.list({ signal }) });
  const settle = async (act: 'apply' | 'discard', { appId, platform }: Scope) => {
    await api.guard[act]({ appId, provider: platform });
    await cache.invalidateQueries({ queryKey: KEY });
  };

  return (
    <QueryView query={held}>
      {({ heldList }) => (
        <Stack>
          <Text c="dimmed">{say('failures.heldHint')}</Text>
          <ScrollingTable
            caption={say('failures.held')}
            empty={say('failures.noHeld')}
            head={[
              say('failures.app'),
              say('failures.platform'),
              say('failures.reason'),
              say('failures.devices'),
              say('failures.since'),
              say('failures.act'),
            ]}
          >
            {toScopes(heldList).map((one) => (
              <Table.Tr key={`${one.appId} ${one.platform}`}>
                <Table.Td>{one.appId}</Table.Td>
                <Table.Td>{say(`platform.${one.platform}`)}</Table.Td>
                <Table.Td>{one.reasons.join(', ')}</Table.Td>
                <Table.Td>{one.devices}</Table.Td>
                <Table.Td>
                  <Moment at={one.since} />
                </Table.Td>
                <Table.Td>
                  {mayChange && (
                    <Group gap="xs" wrap="nowrap">
                      <ConfirmButton
                        label={say('failures.discard')}
                        color="indigo"
                        size="xs"
                        question={say('failures.discardQuestion', { count: one.devices })}
                        act={() => settle('discard', one)}
                      />
                      <ConfirmButton
                        label={say('failures.apply')}
                        color="red"
                        size="xs"
                        typed={String(one.devices)}
                        typedLabel={say('failures.applyTyped', { count: one.devices })}
                        question={say('failures.applyQuestion', { count: one.devices })}
                        act={() => settle('apply', one)}
                      />
                    </Group>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </ScrollingTable>
        </Stack>
      )}
    </QueryView>
  );
}

/** What is decided at once: all that is held of an app's platform. */
interface Scope extends Pick<Held, 'appId' | 'platform' | 'since'> {
  readonly devices: number;
  readonly reasons: readonly string[];
}

function toScopes(heldList: readonly Held[]): readonly Scope[] {
  const scopes = new Map<string, Scope>();
  for (const { appId, platform, since, devices, reason } of heldList) {
    const key = `${appId} ${platform}`;
    const known = scopes.get(key) ?? { appId, platform, since, devices: 0, reasons: [] };
    scopes.set(key, {
      ...known,
      since: known.since < since ? known.since : since,
      devices: known.devices + devices,
      reasons: [...new Set([...known.reasons, reason])],
    });
  }
  return [...scopes.values()];
}
