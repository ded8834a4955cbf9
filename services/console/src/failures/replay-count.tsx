import { Alert, List, Stack, Text } from '@mantine/core';

import type { MessageId } from '../i18n/en.ts';
import { useText } from '../i18n/text.tsx';
import type { ReplayTally } from './replay-failures.ts';

const REASONS = [
  ['ambiguous', 'replay.leftAmbiguous'],
  ['unreachable', 'replay.leftUnreachable'],
  ['over', 'replay.leftOver'],
  ['cancelled', 'replay.leftCancelled'],
] as const satisfies readonly (readonly [keyof ReplayTally['left'], MessageId])[];

/** How many would be sent again, and why others would not. */
export function ReplayCount({ tally: { replayed, left } }: { readonly tally: ReplayTally }) {
  const say = useText();
  const stays = REASONS.filter(([reason]) => left[reason] > 0);
  return (
    <Alert color="blue" role="status">
      <Stack gap="xs">
        <Text fw={600}>{say('replay.would', { count: replayed })}</Text>
        {stays.length > 0 && (
          <>
            <Text>{say('replay.left')}</Text>
            <List>
              {stays.map(([reason, text]) => (
                <List.Item key={reason}>{say(text, { count: left[reason] })}</List.Item>
              ))}
            </List>
          </>
        )}
      </Stack>
    </Alert>
  );
}
