import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface OverviewRowProps {
  readonly name: ReactNode;
  /** What there is to say of it. */
  readonly detail?: ReactNode;
  /** A number, a state or a button. */
  readonly children?: ReactNode;
}

/** A line of a card: what it is about on the left, how it stands on the right. */
export function OverviewRow({ name, detail, children }: OverviewRowProps) {
  return (
    <Group justify="space-between" align="center" wrap="nowrap" gap="md">
      <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <Text component="div">{name}</Text>
        {detail !== undefined && (
          <Text component="div" size="sm" c="dimmed">
            {detail}
          </Text>
        )}
      </div>
      <Text component="div" ta="right" style={{ flexShrink: 0 }}>
        {children}
      </Text>
    </Group>
  );
}
