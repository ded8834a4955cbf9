import { SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** Names with what there is of them, side by side. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <SimpleGrid cols={{ base: 2, sm: 4 }}>{children}</SimpleGrid>;
}

interface FactProps {
  readonly name: string;
  readonly children: ReactNode;
}

export function Fact({ name, children }: FactProps) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="div" style={{ overflowWrap: 'anywhere' }}>
        {children ?? '–'}
      </Text>
    </div>
  );
}
