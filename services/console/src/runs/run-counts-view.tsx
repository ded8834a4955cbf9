import type { RunCounts, RunProgress } from '@heliograph/client';
import { Card, Group, Progress, SimpleGrid, Stack, Text } from '@mantine/core';
import { useIntl } from 'react-intl';

import { useText } from '../i18n/text.tsx';
import { OUTCOME_PARTS } from './outcome-parts.ts';

/** How much of the audience has an outcome: the sum, and each platform. */
export function RunCountsView({ run }: { readonly run: RunProgress }) {
  const say = useText();
  const { total, ios, android } = run.counts;
  return (
    <Stack>
      <Counts title={say('run.total')} counts={total} />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Counts title={say('platform.ios')} counts={ios} />
        <Counts title={say('platform.android')} counts={android} />
      </SimpleGrid>
    </Stack>
  );
}

function Counts({ title, counts }: { readonly title: string; readonly counts: RunCounts }) {
  const say = useText();
  const intl = useIntl();
  const percentOf = (count: number) =>
    counts.targeted === 0 ? 0 : (100 * count) / counts.targeted;
  const done = counts.targeted - counts.pending;
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Text fw={600}>{title}</Text>
          <Text>{say('run.done', { done, targeted: counts.targeted })}</Text>
        </Group>
        <Progress.Root size="lg" aria-hidden>
          {OUTCOME_PARTS.map(({ part, colour }) => (
            <Progress.Section key={part} value={percentOf(counts[part])} color={colour} />
          ))}
        </Progress.Root>
        <Group gap="lg">
          {(['sent', 'failed', 'expired', 'skipped', 'pending'] as const).map((part) => (
            <div key={part}>
              <Text size="xs" c="dimmed">
                {say(`state.${part}`)}
              </Text>
              <Text fw={600}>{intl.formatNumber(counts[part])}</Text>
            </div>
          ))}
        </Group>
        {counts.ambiguous > 0 && (
          <Text size="sm" c="dimmed">
            {say('run.ambiguous', { count: counts.ambiguous })}
          </Text>
        )}
      </Stack>
    </Card>
  );
}
