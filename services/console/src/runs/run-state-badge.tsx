import type { RunProgress } from '@heliograph/client';
import { Badge, Group, Text } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

const COLOURS = {
  scheduled: 'gray',
  materialising: 'blue',
  running: 'blue',
  paused: 'orange',
  completed: 'green',
  cancelled: 'gray',
  halted: 'red',
} as const;

/** What a run does, and why it stands still where it does. */
export function RunStateBadge({ run: { state, reason, dryRun } }: { readonly run: RunProgress }) {
  const say = useText();
  return (
    <Group gap="xs">
      <Badge size="lg" color={COLOURS[state]} variant="light" style={{ textTransform: 'none' }}>
        {say(`runState.${state}`)}
      </Badge>
      {dryRun && (
        <Badge size="lg" color="gray" variant="outline" style={{ textTransform: 'none' }}>
          {say('run.dryRun')}
        </Badge>
      )}
      {reason !== null && <Text size="sm">{say(`runReason.${reason}`)}</Text>}
    </Group>
  );
}
