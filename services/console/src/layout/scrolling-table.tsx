import { Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface ScrollingTableProps {
  /** What the table is, for who does not see it. */
  readonly caption: string;
  readonly head: readonly string[];
  /** Said where there are no rows. */
  readonly empty: string;
  readonly children: readonly ReactNode[];
}

/** A table that scrolls sideways on a phone, and says what it is where it is empty. */
export function ScrollingTable({ caption, head, empty, children }: ScrollingTableProps) {
  if (children.length === 0) return <Text c="dimmed">{empty}</Text>;
  return (
    <Table.ScrollContainer
      minWidth={600}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': caption, role: 'region' } }}
    >
      <Table
        verticalSpacing="sm"
        highlightOnHover
        // Links stay readable on it.
        highlightOnHoverColor="light-dark(var(--mantine-color-gray-0), var(--mantine-color-dark-6))"
        aria-label={caption}
      >
        <Table.Thead>
          <Table.Tr>
            {head.map((one) => (
              <Table.Th key={one} scope="col" style={{ whiteSpace: 'nowrap' }}>
                {one}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
