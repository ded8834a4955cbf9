import { Badge } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

const COLOURS = {
  pending: 'blue',
  sent: 'green',
  failed: 'red',
  expired: 'orange',
  skipped: 'gray',
} as const;

export type DeliveryState = keyof typeof COLOURS;

/** What came of a delivery. */
export function StateBadge({ state }: { readonly state: DeliveryState }) {
  const say = useText();
  return (
    <Badge color={COLOURS[state]} variant="light" miw="max-content" tt="none">
      {say(`state.${state}`)}
    </Badge>
  );
}
