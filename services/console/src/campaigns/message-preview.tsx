import type { PushMessageBody } from '@heliograph/client';
import { Card, Stack, Title } from '@mantine/core';

import { useText } from '../i18n/text.tsx';
import { NotificationPreview } from '../preview/notification-preview.tsx';
import { PayloadSizes } from './payload-sizes.tsx';
import { useAppName } from './use-app-list.ts';

interface MessagePreviewProps {
  readonly appId: string;
  readonly message: PushMessageBody;
  /** How large it would be, asked for as it changes: for those who may. */
  readonly withSizes: boolean;
}

/** How a message looks, and how large it is. */
export function MessagePreview({ appId, message, withSizes }: MessagePreviewProps) {
  const say = useText();
  const appName = useAppName(appId);
  return (
    <Card withBorder component="section" aria-label={say('campaigns.preview')}>
      <Stack>
        <Title order={2} size="h4">
          {say('campaigns.preview')}
        </Title>
        {withSizes && <PayloadSizes appId={appId} message={message} />}
        <NotificationPreview
          message={{
            appName: appName || say('campaigns.app'),
            title: message.title ?? message.titleLocKey ?? '',
            body: message.body ?? message.bodyLocKey ?? '',
          }}
        />
      </Stack>
    </Card>
  );
}
