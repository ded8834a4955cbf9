import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { LeaveGuard } from '../layout/leave-guard.tsx';
import { CsvError } from './read-csv.ts';
import type { Import } from './use-import.ts';
import type { Tally } from './users-of.ts';

interface ImportViewProps {
  readonly run: Import;
  /** How much of it is read, where that is known. */
  readonly percent?: number | undefined;
}

/** How far adding users is, and what came of it. */
export function ImportView({ run, percent = 100 }: ImportViewProps) {
  const say = useText();
  const { tally, isRunning, isDone, isCancelled, error, cancel } = run;
  if (isRunning)
    return (
      <Stack gap="xs">
        <LeaveGuard question={say('audience.leaveQuestion')} />
        <Progress.Root size="lg">
          <Progress.Section value={percent} animated aria-label={say('audience.importing')} />
        </Progress.Root>
        <Group justify="space-between">
          <Text size="sm">{say('audience.progress', { count: tally.users })}</Text>
          <Button variant="default" onClick={cancel}>
            {say('audience.cancel')}
          </Button>
        </Group>
      </Stack>
    );
  if (error instanceof CsvError)
    return (
      <Alert color="red" role="alert">
        {say(`audience.${error.fault}`)}
      </Alert>
    );
  if (error !== null) return <Failure error={error} />;
  if (isCancelled)
    return <Notice tally={tally}>{say('audience.cancelled', { count: tally.users })}</Notice>;
  if (!isDone) return null;
  return (
    <Notice tally={tally}>
      {say('audience.done', { count: tally.users })} {say('audience.unknownHint')}
    </Notice>
  );
}

function Notice({ tally, children }: { readonly tally: Tally; readonly children: ReactNode }) {
  const say = useText();
  return (
    <Alert color="indigo" role="status">
      <Text size="sm">{children}</Text>
      {tally.duplicates > 0 && (
        <Text size="sm">{say('audience.duplicates', { count: tally.duplicates })}</Text>
      )}
      {tally.unusable > 0 && (
        <Text size="sm">{say('audience.unusable', { count: tally.unusable })}</Text>
      )}
    </Alert>
  );
}
