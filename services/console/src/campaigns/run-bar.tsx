import type { RunProgress } from '@heliograph/client';
import { Progress, Stack, Text } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

/** How far a run is, in a line. */
export function RunBar({
  run: {
    counts: { total },
  },
}: {
  readonly run: RunProgress;
}) {
  const say = useText();
  const done = total.targeted - total.pending;
  // Nobody has been counted yet.
  if (total.targeted === 0) return <>–</>;
  return (
    <Stack gap={4} miw={160}>
      <Text size="sm">{say('run.done', { done, targeted: total.targeted })}</Text>
      <Progress aria-hidden value={(100 * done) / total.targeted} />
    </Stack>
  );
}
