import { Card, Group, Stack, Text, Title } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useId, type ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';

/** So many are shown; a number says how many more there are. */
const SHOWN = 6;

interface OverviewCardProps {
  readonly title: string;
  /** Said where there is nothing to show. */
  readonly empty: string;
  readonly children: readonly ReactNode[];
}

/** One question about the server, and its answer. */
export function OverviewCard({ title, empty, children }: OverviewCardProps) {
  const say = useText();
  const heading = useId();
  const hidden = children.length - SHOWN;
  return (
    <Card withBorder component="section" aria-labelledby={heading}>
      <Stack gap="md">
        <Title id={heading} order={2} size="h5">
          {title}
        </Title>
        {children.length === 0 && (
          <Group gap="xs" wrap="nowrap">
            <IconCircleCheck aria-hidden size={18} color="var(--mantine-color-green-6)" />
            <Text c="dimmed">{empty}</Text>
          </Group>
        )}
        {children.slice(0, SHOWN)}
        {hidden > 0 && (
          <Text c="dimmed" size="sm">
            {say('overview.more', { count: hidden })}
          </Text>
        )}
      </Stack>
    </Card>
  );
}
