import type { PushMessageBody } from '@heliograph/client';
import { Progress, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { isEmpty } from './message-form.ts';

const PAUSE_MS = 400;

interface PayloadSizesProps {
  readonly appId: string;
  readonly message: PushMessageBody;
}

/** How large the message is on the way to each platform, as the server counts it, and why it would be refused. Follows the typing. */
export function PayloadSizes(typed: PayloadSizesProps) {
  const say = useText();
  const api = useApi();
  // By its content: the message is another object at each key.
  const [asked] = useDebouncedValue(JSON.stringify(typed), PAUSE_MS);
  const previewed = useQuery({
    queryKey: ['campaign-preview', asked],
    queryFn: ({ signal }) => api.campaigns.preview(typed, { signal }),
    enabled: typed.appId !== '' && !isEmpty(typed.message) && asked === JSON.stringify(typed),
    placeholderData: keepPreviousData,
    retry: false,
  });

  if (previewed.isError) return <Text c="red">{describeFailure(previewed.error, say)}</Text>;
  if (previewed.data === undefined) return null;
  const { previews } = previewed.data;
  if (previews.length === 0) return <Text c="dimmed">{say('campaigns.noPlatform')}</Text>;
  return (
    <Stack gap="sm" aria-live="polite">
      {previews.map(({ platform, route, bytes, limit, violation }) => (
        <div key={`${platform} ${route}`}>
          <Text size="sm">
            {bytes === null
              ? say('campaigns.tooDeep', { platform: say(`platform.${platform}`) })
              : say('campaigns.bytes', { platform: say(`platform.${platform}`), bytes, limit })}
          </Text>
          <Progress
            aria-hidden
            value={Math.min(100, (100 * (bytes ?? limit)) / limit)}
            color={violation === null ? 'indigo' : 'red'}
          />
          {violation !== null && (
            <Text size="sm" c="var(--mantine-color-error)" role="alert">
              {violation}
            </Text>
          )}
        </div>
      ))}
    </Stack>
  );
}
