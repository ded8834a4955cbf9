import { HeliographError } from '@heliograph/client';
import { Alert, Button, List, Stack, Text } from '@mantine/core';

import { ApiError } from '../api/api-error.ts';
import { useText } from '../i18n/text.tsx';

interface FailureProps {
  readonly error: Error;
  readonly retry?: () => void;
}

/** What went wrong, in the api's own words where it answered, and a way to try again. */
export function Failure({ error, retry }: FailureProps) {
  const say = useText();
  const { correlationId, violations } = factsOf(error);
  return (
    <Alert color="red" role="alert" title={say('error.title')}>
      <Stack align="flex-start" gap="xs">
        <Text>{describeFailure(error, say)}</Text>
        {violations.length > 0 && (
          <List>
            {violations.map(({ fieldName, hint }) => (
              <List.Item key={fieldName}>
                {fieldName}: {hint}
              </List.Item>
            ))}
          </List>
        )}
        {correlationId !== undefined && (
          <Text size="xs">{say('error.correlation', { id: correlationId })}</Text>
        )}
        {retry !== undefined && <Button onClick={retry}>{say('error.retry')}</Button>}
      </Stack>
    </Alert>
  );
}

export function describeFailure(error: Error, say: ReturnType<typeof useText>): string {
  if (error instanceof ApiError) return error.message;
  if (!(error instanceof HeliographError) || error.status === undefined)
    return say('error.unreachable');
  if (error.status === 403) return say('error.forbidden');
  // Which request it was and its code are for the log, not for people.
  return error.message.replace(`${error.call}: ${error.status} ${error.code}: `, '');
}

function factsOf(error: Error): Pick<HeliographError, 'correlationId' | 'violations'> {
  if (error instanceof ApiError) return { correlationId: error.correlationId, violations: [] };
  return error instanceof HeliographError ? error : { correlationId: undefined, violations: [] };
}
