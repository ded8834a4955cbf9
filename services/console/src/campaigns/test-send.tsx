import { Alert, Anchor, Button, Group, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { SendStep } from './send-step.tsx';

const MAX_USER_LENGTH = 255;

/** Sends the message to one person, to see it on a real phone. */
export function TestSend({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const api = useApi();
  const [user, setUser] = useState('');
  const sending = useMutation({
    mutationFn: (userId: string) => api.campaigns.sendTest(campaignId, { userId }),
  });
  return (
    <SendStep title={say('send.test')} hint={say('send.testHint')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          sending.mutate(user.trim());
        }}
      >
        <Group align="flex-end">
          <TextInput
            label={say('send.testUser')}
            required
            maxLength={MAX_USER_LENGTH}
            value={user}
            onChange={(event) => setUser(event.currentTarget.value)}
            flex={1}
            miw={200}
            maw={360}
          />
          <Button
            type="submit"
            variant="default"
            disabled={user.trim() === ''}
            loading={sending.isPending}
            leftSection={<IconSend aria-hidden size={16} />}
          >
            {say('send.testSubmit')}
          </Button>
        </Group>
      </form>
      {sending.isError && <Failure error={sending.error} />}
      {sending.isSuccess && (
        <Alert color="indigo" role="status">
          {say('send.tested', { user: sending.variables })}{' '}
          <Anchor
            component={Link}
            underline="always"
            c="inherit"
            fz="inherit"
            to={`/deliveries?${new URLSearchParams({ userId: sending.variables }).toString()}`}
          >
            {say('send.testTrace')}
          </Anchor>
        </Alert>
      )}
    </SendStep>
  );
}
