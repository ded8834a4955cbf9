import { Badge, Group } from '@mantine/core';
import { useIntl } from 'react-intl';

import { useText } from '../i18n/text.tsx';
import { toDaysLeft, toUrgency } from './days-left.ts';

const COLOURS = { ended: 'red', soon: 'orange', fine: 'gray' } as const;

/** Until when a certificate is good, and how many days that is; loud when it is time to do something. */
export function Expiry({ validTo }: { readonly validTo: string }) {
  const say = useText();
  const intl = useIntl();
  const days = toDaysLeft(validTo, Date.now());
  const urgency = toUrgency(days);
  return (
    <Group gap="xs">
      <time dateTime={validTo}>{intl.formatDate(validTo, { dateStyle: 'medium' })}</time>
      <Badge color={COLOURS[urgency]} variant="light" tt="none">
        {say(`expiry.${urgency}`, { days })}
      </Badge>
    </Group>
  );
}
