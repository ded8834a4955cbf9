import type { Searched } from '@heliograph/client';
import { Text } from '@mantine/core';
import { useIntl } from 'react-intl';

import { useText } from '../i18n/text.tsx';

/** Where a provider's id was looked for: that nothing was found there does not say that there is nothing. */
export function SearchedPart({ searched }: { readonly searched: Searched }) {
  const say = useText();
  const intl = useIntl();
  const sayTime = (at: string) => intl.formatDate(at, { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <Text c="dimmed">
      {say('deliveries.searched', {
        from: sayTime(searched.acceptedFrom),
        until: sayTime(searched.acceptedUntil),
      })}{' '}
      {!searched.campaigns && say('deliveries.noCampaigns')}
    </Text>
  );
}
