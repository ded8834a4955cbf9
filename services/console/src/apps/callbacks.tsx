import type { Callback } from '@heliograph/client';
import { Group, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { SecretDialog, type ShownSecret } from '../layout/secret-dialog.tsx';
import { useMay } from '../session/session-gate.tsx';
import { CallbackCard } from './callback-card.tsx';
import { CallbackEvents } from './callback-events.tsx';
import { CreateCallback } from './create-callback.tsx';

const REFRESH_MS = 5_000;

/** Who is told what came of the application's pushes, how that goes, and what there was to tell. */
export function Callbacks({ appId }: { readonly appId: string }) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  const [secret, setSecret] = useState<ShownSecret>();
  const queryKey = ['callbacks', appId];
  const callbacks = useQuery({
    queryKey,
    queryFn: ({ signal }) => api.callbacks.list({ appId }, { signal }),
    refetchInterval: REFRESH_MS,
  });
  const refresh = () => cache.invalidateQueries({ queryKey });
  const show = ({ url }: Pick<Callback, 'url'>, key: string, made: string) => {
    const facts = [{ name: say('callbacks.key'), value: key }];
    setSecret({ name: say('callbacks.secretOf', { url }), secret: made, facts });
  };

  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed">{say('callbacks.hint')}</Text>
        {mayChange && (
          <DialogButton label={say('callbacks.create')}>
            {(close) => (
              <CreateCallback
                appId={appId}
                close={close}
                onMade={(made) => {
                  if (made.secret !== null) show(made, made.key, made.secret);
                  void refresh();
                }}
              />
            )}
          </DialogButton>
        )}
      </Group>
      <QueryView query={callbacks}>
        {({ callbackList }) => (
          <Stack>
            {callbackList.length === 0 && <Text c="dimmed">{say('callbacks.empty')}</Text>}
            {callbackList.map((one) => (
              <CallbackCard key={one.id} callback={one} onSecret={show} refresh={refresh} />
            ))}
            <CallbackEvents appId={appId} callbacks={callbackList} />
          </Stack>
        )}
      </QueryView>
      <SecretDialog shown={secret} onClose={() => setSecret(undefined)} />
    </Stack>
  );
}
