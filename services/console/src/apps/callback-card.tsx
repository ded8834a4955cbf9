import type { Callback } from '@heliograph/client';
import { Anchor, Badge, Button, Card, Group, Stack, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useIntl } from 'react-intl';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { Moment } from '../layout/moment.tsx';
import { useMay } from '../session/session-gate.tsx';
import { RotateSecret } from './rotate-secret.tsx';

const COLOURS = { active: 'green', failing: 'orange', suspended: 'red' } as const;

interface CallbackCardProps {
  readonly callback: Callback;
  readonly onSecret: (callback: Callback, key: string, secret: string) => void;
  readonly refresh: () => Promise<unknown>;
}

/** One receiver: whether it takes what it is told, and what can be done about it. */
export function CallbackCard({ callback, onSecret, refresh }: CallbackCardProps) {
  const say = useText();
  const intl = useIntl();
  const mayChange = useMay('admin');
  return (
    <Card withBorder component="section" aria-label={callback.url}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h5" style={{ overflowWrap: 'anywhere' }}>
            {callback.url}
          </Title>
          <Badge variant="light" tt="none" color={COLOURS[callback.state]}>
            {say(`callbackState.${callback.state}`)}
          </Badge>
        </Group>
        <Facts>
          <Fact name={say('callbacks.types')}>
            {callback.types?.join(', ') ?? say('callbacks.allTypes')}
          </Fact>
          <Fact name={say('callbacks.lastResult')}>{callback.lastResult}</Fact>
          <Fact name={say('callbacks.lastSuccess')}>
            <Moment at={callback.lastSuccess} />
          </Fact>
          <Fact name={say('callbacks.lastAttempt')}>
            <Moment at={callback.lastAttempt} />
          </Fact>
          {callback.failingSince !== null && (
            <>
              <Fact name={say('callbacks.failingSince')}>
                <Moment at={callback.failingSince} />
              </Fact>
              <Fact name={say('callbacks.failures')}>{intl.formatNumber(callback.failures)}</Fact>
              <Fact name={say('callbacks.nextAttempt')}>
                <Moment at={callback.nextAttempt} />
              </Fact>
            </>
          )}
          {callback.passedOver > 0 && (
            <Fact name={say('callbacks.passedOver')}>{intl.formatNumber(callback.passedOver)}</Fact>
          )}
          {callback.developerKey !== null && (
            <Fact name={say('developerKeys.key')}>{callback.developerKey}</Fact>
          )}
        </Facts>
        <Anchor component={Link} to={`callbacks/${callback.id}`}>
          {say('callbacks.toCalls')}
        </Anchor>
        {mayChange && <Acts callback={callback} onSecret={onSecret} refresh={refresh} />}
      </Stack>
    </Card>
  );
}

function Acts({ callback, onSecret, refresh }: CallbackCardProps) {
  const say = useText();
  const api = useApi();
  const { id: callbackId, url } = callback;
  const testing = useMutation({
    mutationFn: () => api.callbacks.test({ callbackId }),
    onSuccess: async () => {
      notifications.show({ color: 'green', message: say('callbacks.tested', { url }) });
      await refresh();
    },
    onError: (error) => notifications.show({ color: 'red', message: describeFailure(error, say) }),
  });
  const rotate = async (useAfterSeconds: number) => {
    const made = await api.callbacks.rotate({ callbackId, useAfterSeconds });
    onSecret(callback, made.key, made.secret);
  };
  return (
    <Group gap="xs">
      <Button
        size="xs"
        variant="default"
        loading={testing.isPending}
        onClick={() => testing.mutate()}
      >
        {say('callbacks.test')}
      </Button>
      {/* A developer key signs with its own secret. */}
      {callback.developerKey === null && (
        <DialogButton size="xs" variant="default" label={say('secret.rotate')}>
          {(close) => (
            <RotateSecret
              hint={say('callbacks.rotateHint')}
              overlapLabel={say('callbacks.overlap')}
              overlapSeconds={0}
              rotate={rotate}
              close={close}
            />
          )}
        </DialogButton>
      )}
      {callback.state !== 'active' && (
        <ConfirmButton
          label={say('callbacks.resume')}
          color="indigo"
          size="xs"
          question={say('callbacks.resumeQuestion')}
          act={async () => {
            await api.callbacks.resume({ callbackId });
            await refresh();
          }}
        />
      )}
      <ConfirmButton
        label={say('callbacks.delete')}
        color="red"
        variant="light"
        size="xs"
        question={say('callbacks.deleteQuestion', { url })}
        act={async () => {
          await api.callbacks.delete({ callbackId });
          await refresh();
        }}
      />
    </Group>
  );
}
