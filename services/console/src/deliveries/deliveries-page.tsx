import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { Page } from '../layout/page.tsx';
import { Waiting } from '../layout/waiting.tsx';
import { DeliveryCard } from './delivery-card.tsx';
import { SearchForm } from './search-form.tsx';
import { readTerms, toQuery, type SearchTerms } from './search-terms.ts';
import { SearchedPart } from './searched-part.tsx';

/** Finds pushes by whom they were for or by an id of theirs, and tells the story of each. */
export function DeliveriesPage() {
  const say = useText();
  const [parameters, setParameters] = useSearchParams();
  const terms = readTerms(parameters);
  return (
    <Page title={say('deliveries.title')}>
      <SearchForm terms={terms} search={({ by, value }) => setParameters({ [by]: value })} />
      {terms === undefined ? (
        <Text c="dimmed">{say('deliveries.hint')}</Text>
      ) : (
        <Found terms={terms} />
      )}
    </Page>
  );
}

function Found({ terms }: { readonly terms: SearchTerms }) {
  const say = useText();
  const api = useApi();
  const found = useQuery({
    queryKey: ['deliveries', terms],
    queryFn: ({ signal }) => api.deliveries.list(toQuery(terms), { signal }),
  });

  if (found.isPending) return <Waiting />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { deliveries, searched } = found.data;
  return (
    <Stack component="section" aria-label={say('deliveries.found')}>
      <Text role="status">{say('deliveries.count', { count: deliveries.length })}</Text>
      {searched !== undefined && <SearchedPart searched={searched} />}
      {deliveries.map((delivery) => (
        <DeliveryCard key={delivery.deliveryId} delivery={delivery} />
      ))}
    </Stack>
  );
}
