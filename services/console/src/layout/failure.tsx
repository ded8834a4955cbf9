import { Alert, Button, Stack, Text } from '@mantine/core';

import { ApiError } from '../api/api-error.ts';
import { useText } from '../i18n/text.tsx';

/** What went wrong, and a way to try again. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  const say = useText();
  const id = error instanceof ApiError ? error.correlationId : null;
  return (
    <Alert color="red" role="alert" title={say('error.title')} m="md">
      <Stack align="flex-start" gap="xs">
        <Text>{describeFailure(error, say)}</Text>
        {id !== null && <Text size="xs">{say('error.correlation', { id })}</Text>}
        {retry !== undefined && <Button onClick={retry}>{say('error.retry')}</Button>}
      </Stack>
    </Alert>
  );
}

/** The api's own words where it answered, else that it did not. */
export function describeFailure(error: Error, say: ReturnType<typeof useText>): string {
  return error instanceof ApiError ? error.message : say('error.unreachable');
}
